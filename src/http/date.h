#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace elb::http {

inline constexpr std::size_t kHttpDateSize = 29;

/// Writes `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 section 5.6.7) into `space`, which
/// the result views. Years 0 to 9999. Pure; callers keep the text for the rest of the second.
std::string_view FormatHttpDate(std::chrono::sys_seconds time,
                                std::span<char, kHttpDateSize> space);

/// Reads the three forms of RFC 9110 section 5.6.7: IMF-fixdate, RFC 850 and asctime. `now` settles
/// the century of an RFC 850 date: one more than 50 years ahead lies in the past. The day of the
/// week is not checked. Nothing when the text is no date.
[[nodiscard]] std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text,
                                                                    std::chrono::sys_seconds now);

/// Reads the date of a cookie's Expires attribute, as tolerantly as RFC 6265 section 5.1.1 asks.
[[nodiscard]] std::optional<std::chrono::sys_seconds> ParseCookieDate(std::string_view text);

}  // namespace elb::http
