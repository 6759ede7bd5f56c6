#include "http/cookie.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace elb::http {
namespace {

using namespace std::chrono_literals;

std::string Pairs(std::string_view value) {
  std::string text;
  for (const CookiePair& pair : ParseCookie(value)) {
    text += "[" + std::string(pair.name) + "|" + std::string(pair.value) + "]";
  }
  return text;
}

std::string Without(std::string_view value, std::vector<std::string_view> names) {
  std::string out = "old text";
  WriteCookieWithout(value, names, out);
  return out;
}

TEST(CookieTest, SplitsPairs) {
  EXPECT_EQ(Pairs("a=b"), "[a|b]");
  EXPECT_EQ(Pairs("a=b; c=d;e=f"), "[a|b][c|d][e|f]");
  EXPECT_EQ(Pairs(" \ta = b \t; c=d=e; f= "), "[a|b][c|d=e][f|]");
  EXPECT_EQ(Pairs("a=\"b c\""), "[a|\"b c\"]");
}

TEST(CookieTest, SkipsWhatItCannotRead) {
  EXPECT_EQ(Pairs(""), "");
  EXPECT_EQ(Pairs(";;; ;"), "");
  EXPECT_EQ(Pairs("flag; =nameless; a=b"), "[a|b]");
}

TEST(CookieTest, ReturnsABoundedNumberOfPairs) {
  std::string value;
  for (int i = 0; i < 2000; ++i) {
    value += "a=b;";
  }

  EXPECT_EQ(ParseCookie(value).size(), kCookiePairsMax);
}

TEST(CookieTest, FindsNamesCaseSensitively) {
  const std::array<std::string_view, 2> names{"ELBSTICKY_01", "ELBSTICKY_02"};

  EXPECT_TRUE(HasCookie("a=1; ELBSTICKY_01=x", names));
  EXPECT_TRUE(HasCookie("a=1; ELBSTICKY_02=x", names));
  EXPECT_FALSE(HasCookie("a=1; elbsticky_01=x", names));
  EXPECT_FALSE(HasCookie("ELBSTICKY_01x=1; b=ELBSTICKY_01=", names));
}

TEST(CookieTest, LeavesOutNamesAndKeepsTheRestAsItIs) {
  EXPECT_EQ(Without("a=1; s=x; b=2", {"s"}), "a=1; b=2");
  EXPECT_EQ(Without("s=x; a=1;b = 2 ;  flag", {"s"}), "a=1;b = 2 ;  flag");
  EXPECT_EQ(Without("a=1; s=x", {"s"}), "a=1");
  EXPECT_EQ(Without("s=1; t=2; a=3; s=4", {"s", "t"}), "a=3");
  EXPECT_EQ(Without("a=1; S=x", {"s"}), "a=1; S=x");
}

TEST(CookieTest, LeavesNothingWhenEveryCookieGoes) {
  EXPECT_EQ(Without("s=x", {"s"}), "");
  EXPECT_EQ(Without("s=x; s=y", {"s"}), "");
  EXPECT_EQ(Without("", {"s"}), "");
}

TEST(SetCookieTest, ReadsNameAndValue) {
  const auto cookie = ParseSetCookie("JSESSIONID=ab=c; Path=/; HttpOnly");

  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->name, "JSESSIONID");
  EXPECT_EQ(cookie->value, "ab=c");
  EXPECT_EQ(cookie->max_age, std::nullopt);
  EXPECT_EQ(cookie->expires, std::nullopt);
  EXPECT_EQ(cookie->Lifetime(std::chrono::sys_seconds{0s}), std::nullopt);
}

TEST(SetCookieTest, ReadsNothingWithoutAName) {
  EXPECT_FALSE(ParseSetCookie(""));
  EXPECT_FALSE(ParseSetCookie("value"));
  EXPECT_FALSE(ParseSetCookie("=value"));
  EXPECT_FALSE(ParseSetCookie("; a=b"));
}

TEST(SetCookieTest, ReadsMaxAge) {
  EXPECT_EQ(ParseSetCookie("a=b; max-AGE = 60 ")->max_age, 60s);
  EXPECT_EQ(ParseSetCookie("a=b; Max-Age=0")->max_age, 0s);
  EXPECT_EQ(ParseSetCookie("a=b; Max-Age=-5")->max_age, 0s);
  EXPECT_EQ(ParseSetCookie("a=b; Max-Age=1; Max-Age=2")->max_age, 2s);
  EXPECT_EQ(ParseSetCookie("a=b; Max-Age=2; Max-Age=x")->max_age, 2s);
  EXPECT_GT(ParseSetCookie("a=b; Max-Age=99999999999999999999999")->max_age, 3'000'000'000s);
  for (const char* text : {"", "x", "1x", "+1", "-", "1.5"}) {
    EXPECT_EQ(ParseSetCookie("a=b; Max-Age=" + std::string(text))->max_age, std::nullopt) << text;
  }
}

TEST(SetCookieTest, ReadsExpires) {
  const auto cookie = ParseSetCookie("a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/");

  EXPECT_EQ(cookie->expires, std::chrono::sys_seconds{784'111'777s});
}

TEST(SetCookieTest, LetsMaxAgeWinOverExpires) {
  const std::chrono::sys_seconds now{784'111'770s};

  EXPECT_EQ(ParseSetCookie("a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT")->Lifetime(now), 7s);
  EXPECT_EQ(ParseSetCookie("a=b; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT")->Lifetime(now),
            60s);
  EXPECT_LT(ParseSetCookie("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")->Lifetime(now), 0s);
}

}  // namespace
}  // namespace elb::http
