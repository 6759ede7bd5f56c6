#include "server/abuse_guard.h"

#include <gtest/gtest.h>

#include <chrono>

namespace elb::server {
namespace {

using std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours{1}};

class AbuseGuardTest : public ::testing::Test {
 protected:
  /// `count` streams that the client opens and resets at `at`.
  void Reset(int count, MonotonicTime at) {
    for (int i = 0; i < count; ++i) {
      guard_.OnStream();
      guard_.OnReset(at);
    }
  }
  void Idle(int count, MonotonicTime at) {
    for (int i = 0; i < count; ++i) {
      guard_.OnIdleFrame(at);
    }
  }
  void Content(int count, bool empty) {
    for (int i = 0; i < count; ++i) {
      guard_.OnContentFrame(empty);
    }
  }
  AbuseGuard guard_;
};

TEST_F(AbuseGuardTest, TakesTwiceTheStreamLimitOfResetsAtOnce) {
  Reset(256, kStart);
  EXPECT_FALSE(guard_.tripped());

  Reset(1, kStart);
  EXPECT_TRUE(guard_.tripped());
}

TEST_F(AbuseGuardTest, CountsResetsOverTheBorderOfASecond) {
  Reset(200, kStart);
  Reset(100, kStart + milliseconds{1010});

  EXPECT_TRUE(guard_.tripped());
}

TEST_F(AbuseGuardTest, ForgetsResetsOfLongAgo) {
  Reset(200, kStart);
  Reset(200, kStart + milliseconds{2500});

  EXPECT_FALSE(guard_.tripped());
}

TEST_F(AbuseGuardTest, TakesFiveHundredSlowResetsWithoutOtherStreams) {
  for (int i = 0; i < 500; ++i) {
    Reset(1, kStart + i * milliseconds{20});
  }
  EXPECT_FALSE(guard_.tripped());

  Reset(1, kStart + 500 * milliseconds{20});
  EXPECT_TRUE(guard_.tripped());
}

TEST_F(AbuseGuardTest, TakesAnyNumberOfSlowResetsAmongTwiceAsManyStreams) {
  for (int i = 0; i < 5000; ++i) {
    guard_.OnStream();
    Reset(1, kStart + i * milliseconds{20});
  }

  EXPECT_FALSE(guard_.tripped());
}

TEST_F(AbuseGuardTest, TakesAThousandIdleFramesInTenSeconds) {
  Idle(1000, kStart);
  EXPECT_FALSE(guard_.tripped());

  Idle(1, kStart + milliseconds{9999});
  EXPECT_TRUE(guard_.tripped());
}

TEST_F(AbuseGuardTest, TakesIdleFramesForeverAtTheirPace) {
  for (int i = 0; i < 100'000; ++i) {
    Idle(1, kStart + i * milliseconds{11});
  }

  EXPECT_FALSE(guard_.tripped());
}

TEST_F(AbuseGuardTest, TakesAHundredEmptyFramesInARow) {
  Content(100, true);
  EXPECT_FALSE(guard_.tripped());

  Content(1, true);
  EXPECT_TRUE(guard_.tripped());
}

TEST_F(AbuseGuardTest, StartsCountingEmptyFramesAnewAfterContent) {
  Content(100, true);
  Content(1, false);
  Content(100, true);

  EXPECT_FALSE(guard_.tripped());
}

TEST_F(AbuseGuardTest, StaysTripped) {
  Content(101, true);
  Content(1, false);

  EXPECT_TRUE(guard_.tripped());
}

}  // namespace
}  // namespace elb::server
