#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace elb::http {

/// One `name=value` of a Cookie field. Views into the field's value; quotes belong to the value.
struct CookiePair {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::size_t kCookiePairsMax = 1024;

/// Takes the next pair off the front of a `Cookie` field value (RFC 6265 section 4.2.1). Skips what
/// it cannot read, as browsers do: parts without `=` or without name. False at the end. Allocates
/// nothing.
[[nodiscard]] bool NextCookiePair(std::string_view& value, CookiePair& pair);

/// Splits a `Cookie` field value into pairs. The pairs view into `value`; at most
/// `kCookiePairsMax`, later ones are left out.
[[nodiscard]] std::vector<CookiePair> ParseCookie(std::string_view value);

/// True when the value holds a cookie of one of the names (case-sensitive), which are sorted.
[[nodiscard]] bool HasCookie(std::string_view value, std::span<const std::string_view> names);

/// Writes a `Cookie` field value without the cookies of the given names, which are sorted, into
/// `out`. All else stays in its order and spelling, unreadable parts included. An empty result
/// means that the field goes.
void WriteCookieWithout(std::string_view value, std::span<const std::string_view> names,
                        std::string& out);

/// What the load balancer reads of a `Set-Cookie` field (RFC 6265 section 5.2). Views into the
/// field's value.
struct SetCookie {
  std::string_view name;
  std::string_view value;
  std::optional<std::chrono::seconds> max_age;  ///< Zero or below deletes the cookie.
  std::optional<std::chrono::sys_seconds> expires;

  /// How long the cookie lives from `now` on; nothing for a session cookie. Max-Age wins over
  /// Expires; zero or below: the cookie is deleted.
  [[nodiscard]] std::optional<std::chrono::seconds> Lifetime(std::chrono::sys_seconds now) const;
};

/// Reads a `Set-Cookie` field value; of a repeated attribute the last counts, unreadable ones are
/// ignored. Nothing when it has no `name=`.
[[nodiscard]] std::optional<SetCookie> ParseSetCookie(std::string_view value);

}  // namespace elb::http
