#include "http/date.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

namespace elb::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;

constexpr sys_seconds kRfcExample{784'111'777s};  // Sun, 06 Nov 1994 08:49:37 GMT.
constexpr sys_seconds kNow{1'700'000'000s};       // 14 November 2023.

std::string Format(sys_seconds time) {
  std::array<char, kHttpDateSize> space{};
  return std::string(FormatHttpDate(time, space));
}

TEST(HttpDateTest, FormatsFixdates) {
  EXPECT_EQ(Format(kRfcExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(Format(sys_seconds{0s}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(Format(sys_seconds{951'782'399s}), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(Format(sys_seconds{951'782'400s}), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(HttpDateTest, ReadsTheThreeForms) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kRfcExample);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kRfcExample);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994", kNow), kRfcExample);
  EXPECT_EQ(ParseHttpDate("Wed Nov 16 08:49:37 1994", kNow), kRfcExample + 10 * 24h);
}

TEST(HttpDateTest, PutsYearsFarAheadIntoThePast) {
  EXPECT_EQ(Format(*ParseHttpDate("Friday, 01-Jan-73 00:00:00 GMT", kNow)),
            "Sun, 01 Jan 2073 00:00:00 GMT");
  EXPECT_EQ(Format(*ParseHttpDate("Friday, 01-Jan-74 00:00:00 GMT", kNow)),
            "Tue, 01 Jan 1974 00:00:00 GMT");
}

TEST(HttpDateTest, ReadsBackWhatItFormats) {
  for (sys_seconds time{0s}; time < sys_seconds{4'000'000'000s}; time += 40'000'003s) {
    EXPECT_EQ(ParseHttpDate(Format(time), kNow), time);
  }
}

TEST(HttpDateTest, RefusesWhatIsNoDate) {
  for (const char* text : {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT ", "Xyz, 06 Nov 1994 08:49:37 GMT",
                           "784111777", "Sun, 06-Nov-94 08:49:37 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(text, kNow)) << text;
  }
}

TEST(CookieDateTest, ReadsWhatServersSend) {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 06-Nov-1994 08:49:37 GMT", "6 nov 94 8:49:37",
        "1994 NOVEMBER 6th 08:49:37x", "08:49:37 06 Nov 1994"}) {
    EXPECT_EQ(ParseCookieDate(text), kRfcExample) << text;
  }
}

TEST(CookieDateTest, ReadsTwoDigitYears) {
  EXPECT_EQ(Format(*ParseCookieDate("1 Jan 70 0:0:0")), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(Format(*ParseCookieDate("1 Jan 69 0:0:0")), "Tue, 01 Jan 2069 00:00:00 GMT");
}

TEST(CookieDateTest, RefusesWhatIsNoDate) {
  for (const char* text :
       {"", "0", "Session", "Sun, 06 Nov 1994", "06 Nov 08:49:37", "Nov 1994 08:49:37",
        "32 Nov 1994 08:49:37", "06 Nov 1600 08:49:37", "06 Nov 1994 25:49:37", "06 Nov 1994 08:49",
        "06 Nov 1994 08:49:60", "006 Nov 1994 08:49:37"}) {
    EXPECT_FALSE(ParseCookieDate(text)) << text;
  }
}

}  // namespace
}  // namespace elb::http
