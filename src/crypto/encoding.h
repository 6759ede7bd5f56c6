#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace elb::crypto {

/// The bytes of a text.
[[nodiscard]] inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
/// Bytes as a text of the same length.
[[nodiscard]] inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal.
[[nodiscard]] std::string HexEncode(std::string_view bytes);
/// Accepts both cases; `nullopt` for anything else or an odd length.
[[nodiscard]] std::optional<std::string> HexDecode(std::string_view text);

/// RFC 4648 section 4, padded, without line ends.
[[nodiscard]] std::string Base64Encode(std::string_view bytes);
/// The one canonical form only: padded, nothing between, unused bits zero.
[[nodiscard]] std::optional<std::string> Base64Decode(std::string_view text);

/// RFC 4648 section 5, without padding.
[[nodiscard]] std::string Base64UrlEncode(std::string_view bytes);
/// The one canonical form only: no padding, nothing between, unused bits zero.
[[nodiscard]] std::optional<std::string> Base64UrlDecode(std::string_view text);

}  // namespace elb::crypto
