#include "balancer/sticky_keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace elb::balancer {
namespace {

using std::chrono::hours;

class StickyKeysTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  SeededRandom random_{1};
  StickyKeys keys_{random_, clock_};
};

TEST_F(StickyKeysTest, StartsWithOneKey) {
  EXPECT_EQ(keys_.Keys().size(), 1);
  EXPECT_EQ(keys_.Current().newest().id, 1);
}

TEST_F(StickyKeysTest, RotatesAfterTwoDaysAndKeepsThePreviousKey) {
  const auto first = keys_.Keys().front().secret;

  clock_.Advance(hours{48} - std::chrono::seconds{1});
  EXPECT_FALSE(keys_.RotateIfDue());
  clock_.Advance(std::chrono::seconds{1});
  EXPECT_TRUE(keys_.RotateIfDue());

  EXPECT_EQ(keys_.Current().newest().id, 2);
  ASSERT_NE(keys_.Current().Find(1), nullptr);
  EXPECT_EQ(keys_.Current().Find(1)->secret, first);
}

TEST_F(StickyKeysTest, ForgetsAKeyAfterTheSecondRotation) {
  clock_.Advance(hours{48});
  EXPECT_TRUE(keys_.RotateIfDue());
  clock_.Advance(hours{48});
  EXPECT_TRUE(keys_.RotateIfDue());

  EXPECT_EQ(keys_.Current().Find(1), nullptr);
  EXPECT_NE(keys_.Current().Find(2), nullptr);
  EXPECT_NE(keys_.Current().Find(3), nullptr);
}

TEST_F(StickyKeysTest, GoesOnWithTheKeysOfBeforeARestart) {
  clock_.Advance(hours{48});
  EXPECT_TRUE(keys_.RotateIfDue());
  SeededRandom other_random{2};
  StickyKeys restarted(other_random, clock_);

  restarted.Restore(keys_.Keys());
  restarted.Restore({});

  ASSERT_EQ(restarted.Keys().size(), 2);
  EXPECT_EQ(restarted.Current().newest().secret, keys_.Current().newest().secret);
}

TEST_F(StickyKeysTest, IsReadWhileItRotates) {
  std::atomic<bool> stop = false;
  std::atomic<int> missing = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const StickyKeyRing& ring = keys_.Current();
        missing += ring.Find(ring.newest().id) == nullptr ? 1 : 0;
      }
    });
  }

  for (int i = 0; i < 200; ++i) {
    clock_.Advance(hours{48});
    EXPECT_TRUE(keys_.RotateIfDue());
  }
  stop = true;
  readers.clear();

  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace elb::balancer
