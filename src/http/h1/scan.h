#pragma once

#include <cstddef>
#include <string_view>

namespace elb::http::h1 {

/// Character classes of RFC 9110 section 5.6.2 and RFC 9112 section 3.2.
[[nodiscard]] bool IsTokenChar(char letter);

/// Length of the run of token characters at the front.
[[nodiscard]] std::size_t TokenLength(std::string_view text);

/// Length of the run of field value characters at the front: HTAB, 0x20 to 0x7E, 0x80 to 0xFF.
/// Stops at CR, LF, NUL and every other control character.
[[nodiscard]] std::size_t FieldValueLength(std::string_view text);

/// Length of the run of request target characters at the front: 0x21 to 0x7E except `#`, and 0x80
/// to 0xFF (data-plane.md 4.2).
[[nodiscard]] std::size_t TargetLength(std::string_view text);

}  // namespace elb::http::h1
