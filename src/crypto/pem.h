#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace elb::crypto {

/// One block of a PEM text (RFC 7468).
struct PemBlock {
  std::string label;       ///< Between `BEGIN` and the dashes: `CERTIFICATE`.
  std::string bytes;       ///< Decoded; empty if `encrypted`.
  bool encrypted = false;  ///< Has the header fields of RFC 1421 encryption.
};

/// All blocks of `text` in order; whatever stands outside of them is skipped. White space, also
/// line ends of any kind, is allowed between any two characters of a body. The error has only a
/// message: the caller says which kind and field it is.
[[nodiscard]] Result<std::vector<PemBlock>> ReadPem(std::string_view text);

/// `bytes` as a block with lines of 64 characters.
[[nodiscard]] std::string WritePem(std::string_view label, std::string_view bytes);

/// Unicode code points of `text`: what the limits of the API count.
[[nodiscard]] std::size_t CodePoints(std::string_view text);

}  // namespace elb::crypto
