#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace elb::http::h1 {

/// One way to find the end of a run of permitted bytes. All ways give equal answers and read
/// nothing outside `text`.
struct Scanner {
  /// Token characters (RFC 9110 section 5.6.2).
  std::size_t (*token_length)(std::string_view text);
  /// Field value characters: HTAB, 0x20 to 0x7E, 0x80 to 0xFF. Stops at CR, LF, NUL and every other
  /// control character.
  std::size_t (*field_value_length)(std::string_view text);
  /// Request target characters: 0x21 to 0x7E except `#`, and 0x80 to 0xFF (data-plane.md 4.2).
  std::size_t (*target_length)(std::string_view text);
};

enum class ScanKind : std::uint8_t { kScalar, kSse2, kAvx2 };

/// The scanner of that kind; `nullptr` where this processor lacks the instructions.
[[nodiscard]] const Scanner* FindScanner(ScanKind kind);

/// The fastest scanner of this processor, chosen once.
[[nodiscard]] const Scanner& BestScanner();

/// Character class of RFC 9110 section 5.6.2.
[[nodiscard]] bool IsTokenChar(char letter);

/// Length of the run at the front, by the best scanner.
[[nodiscard]] inline std::size_t TokenLength(std::string_view text) {
  return BestScanner().token_length(text);
}
[[nodiscard]] inline std::size_t FieldValueLength(std::string_view text) {
  return BestScanner().field_value_length(text);
}
[[nodiscard]] inline std::size_t TargetLength(std::string_view text) {
  return BestScanner().target_length(text);
}

}  // namespace elb::http::h1
