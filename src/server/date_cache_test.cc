#include "server/date_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(DateTextTest, IsAnImfFixdate) {
  EXPECT_EQ(DateText(WallTime{seconds{784'111'777}}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(DateText(WallTime{seconds{0}}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(DateText(WallTime{seconds{951'782'400}}), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(DateTextTest, ChangesWithTheSecondInBothDirections) {
  const WallTime start{seconds{1'700'000'000}};

  EXPECT_EQ(DateText(start), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(DateText(start + milliseconds{999}), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(DateText(start + milliseconds{1000}), "Tue, 14 Nov 2023 22:13:21 GMT");
  EXPECT_EQ(DateText(start - seconds{1}), "Tue, 14 Nov 2023 22:13:19 GMT");
}

}  // namespace
}  // namespace elb::server
