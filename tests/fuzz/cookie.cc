/// Cookie and Set-Cookie values of anybody.

#include "http/cookie.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>

#include "check.h"

namespace elb::fuzz {
namespace {

bool Within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void ReadsCookies(std::string_view value) {
  const auto pairs = http::ParseCookie(value);
  Require(pairs.size() <= http::kCookiePairsMax, "pairs are bounded");
  std::string untouched;
  http::WriteCookieWithout(value, {}, untouched);
  Require(untouched.size() <= value.size(), "leaving nothing out adds nothing", untouched);
  for (const http::CookiePair& pair : pairs) {
    Require(!pair.name.empty(), "a pair has a name");
    Require(Within(pair.name, value) && Within(pair.value, value), "pairs view into the value");
  }
  if (pairs.empty()) {
    return;
  }
  std::array names = {pairs.front().name, pairs.back().name};
  std::ranges::sort(names);
  std::string rest;
  http::WriteCookieWithout(value, names, rest);
  Require(rest.size() < value.size(), "a cookie that goes takes its bytes along", rest);
  for (const std::string_view name : names) {
    const std::span one(&name, 1);
    Require(http::HasCookie(value, one), "a pair that was read is found", name);
    Require(!http::HasCookie(rest, one), "a cookie that was left out is gone", rest);
  }
  std::size_t kept = 0;
  for (const http::CookiePair& pair : pairs) {
    kept += pair.name != names[0] && pair.name != names[1] ? 1 : 0;
  }
  Require(pairs.size() == http::kCookiePairsMax || http::ParseCookie(rest).size() == kept,
          "all other cookies stay", rest);
}

void ReadsSetCookie(std::string_view value) {
  const auto cookie = http::ParseSetCookie(value);
  if (!cookie) {
    return;
  }
  Require(!cookie->name.empty(), "a cookie has a name");
  Require(Within(cookie->name, value) && Within(cookie->value, value), "it views into the value");
  static_cast<void>(
      cookie->Lifetime(std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}}));
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  elb::fuzz::ReadsCookies(elb::fuzz::Text(data, size));
  elb::fuzz::ReadsSetCookie(elb::fuzz::Text(data, size));
  return 0;
}
