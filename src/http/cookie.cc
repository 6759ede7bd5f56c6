#include "http/cookie.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "http/date.h"
#include "http/h1/fields.h"

namespace elb::http {
namespace {

/// Longest life that is told apart: a hundred years.
constexpr std::int64_t kMaxAgeMax = std::int64_t{100} * 366 * 24 * 3600;

/// Takes the text up to the next `;` off the front. False at the end.
bool NextPart(std::string_view& rest, std::string_view& part) {
  if (rest.empty()) {
    return false;
  }
  const std::size_t end = std::min(rest.find(';'), rest.size());
  part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return true;
}

CookiePair SplitPair(std::string_view part) {
  const std::size_t equals = std::min(part.find('='), part.size());
  return {.name = h1::TrimSpace(part.substr(0, equals)),
          .value = h1::TrimSpace(part.substr(std::min(equals + 1, part.size())))};
}

bool ReadPair(std::string_view part, CookiePair& pair) {
  pair = SplitPair(part);
  return part.contains('=') && !pair.name.empty();
}

/// RFC 6265 section 5.2.2: a number of any length, negative ones too.
std::optional<std::chrono::seconds> ReadMaxAge(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) {
    return std::nullopt;
  }
  if (negative) {
    return std::chrono::seconds{0};
  }
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  return std::chrono::seconds{error == std::errc{} ? std::min(seconds, kMaxAgeMax) : kMaxAgeMax};
}

}  // namespace

bool NextCookiePair(std::string_view& value, CookiePair& pair) {
  std::string_view part;
  while (NextPart(value, part)) {
    if (ReadPair(part, pair)) {
      return true;
    }
  }
  return false;
}

std::vector<CookiePair> ParseCookie(std::string_view value) {
  std::vector<CookiePair> pairs;
  CookiePair pair;
  while (pairs.size() < kCookiePairsMax && NextCookiePair(value, pair)) {
    pairs.push_back(pair);
  }
  return pairs;
}

bool HasCookie(std::string_view value, std::span<const std::string_view> names) {
  CookiePair pair;
  while (NextCookiePair(value, pair)) {
    if (std::ranges::binary_search(names, pair.name)) {
      return true;
    }
  }
  return false;
}

void WriteCookieWithout(std::string_view value, std::span<const std::string_view> names,
                        std::string& out) {
  out.clear();
  std::string_view part;
  bool first = true;
  while (NextPart(value, part)) {
    CookiePair pair;
    if (ReadPair(part, pair) && std::ranges::binary_search(names, pair.name)) {
      continue;
    }
    if (!first) {
      out += ';';
    }
    out += first ? h1::TrimSpace(part) : part;
    first = false;
  }
}

std::optional<std::chrono::seconds> SetCookie::Lifetime(std::chrono::sys_seconds now) const {
  if (max_age) {
    return max_age;
  }
  return expires ? std::optional(*expires - now) : std::nullopt;
}

std::optional<SetCookie> ParseSetCookie(std::string_view value) {
  std::string_view part;
  CookiePair pair;
  if (!NextPart(value, part) || !ReadPair(part, pair)) {
    return std::nullopt;
  }
  SetCookie cookie{.name = pair.name, .value = pair.value};
  while (NextPart(value, part)) {
    const CookiePair attribute = SplitPair(part);
    if (h1::EqualsIgnoringCase(attribute.name, "max-age")) {
      if (const auto age = ReadMaxAge(attribute.value)) {
        cookie.max_age = age;
      }
    } else if (h1::EqualsIgnoringCase(attribute.name, "expires")) {
      if (const auto time = ParseCookieDate(attribute.value)) {
        cookie.expires = time;
      }
    }
  }
  return cookie;
}

}  // namespace elb::http
