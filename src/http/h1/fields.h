#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/h1/parser.h"
#include "http/message.h"

namespace elb::http::h1 {

/// Result of reading something at the front of a buffer.
enum class LineStatus : std::uint8_t { kDone, kNeedMore, kMalformed, kTooMany };

/// Reads field lines from `position` on, up to and including the empty line (RFC 9112 section 5;
/// strict: CRLF only, no folding, no space before the colon), and appends them to `fields`, which
/// never gets longer than `fields_max`. kDone: `position` is behind the empty line. kNeedMore:
/// `position` is the start of the first incomplete line and `fields` holds the complete ones; what
/// is there of the incomplete line is a possible beginning of one.
[[nodiscard]] LineStatus ReadFields(std::string_view buffer, std::size_t& position,
                                    std::size_t fields_max, FieldList& fields);

/// True when the bytes of `buffer` behind `open.scanned` end no line, so that `ReadOpenField` is
/// enough.
[[nodiscard]] bool IsStillOpen(std::string_view buffer, const OpenLine& open);

/// Reads the open field line alone: kNeedMore while it is a possible beginning of one. `scratch` is
/// overwritten.
[[nodiscard]] LineStatus ReadOpenField(std::string_view buffer, const OpenLine& open,
                                       std::size_t fields_max, FieldList& scratch);

/// `text` without white space (SP, HTAB) at either end.
[[nodiscard]] std::string_view TrimSpace(std::string_view text);

/// Takes the next element of a comma-separated list, without surrounding white space; empty
/// elements are skipped. False at the end.
[[nodiscard]] bool NextListElement(std::string_view& list, std::string_view& element);

/// Of ASCII letters.
[[nodiscard]] bool EqualsIgnoringCase(std::string_view one, std::string_view other);

/// 1*DIGIT up to 2^63-1.
[[nodiscard]] bool ParseContentLength(std::string_view text, std::uint64_t& value);

/// What the Connection fields say.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};
[[nodiscard]] ConnectionOptions ReadConnection(const FieldList& fields);

/// A host with optional port as in Host (RFC 9110 section 7.2): reg-name, IPv4 or [IPv6]; the port
/// is 0 to 65535 or empty. Narrower than the RFC: no comma and no IPvFuture.
[[nodiscard]] bool IsValidAuthority(std::string_view authority);

}  // namespace elb::http::h1
