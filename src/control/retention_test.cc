// Which revisions are kept (api-extensions.md 4.2).
#include "control/retention.h"

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

NodeConfig KeepAtMost(std::int64_t revisions_max) {
  NodeConfig node;
  node.revisions_max = revisions_max;
  return node;
}

class RetentionTest : public testing::Test {
 protected:
  /// Makes revisions until the newest has that number.
  void MakeUpTo(std::uint64_t number) {
    if (balancer_.empty()) {
      balancer_ = world_.Balancer();
    }
    while (world_.revision() < number) {
      ASSERT_TRUE(world_.Update(Resource::kLoadBalancer, balancer_,
                                {{"name", std::to_string(world_.revision())}}));
    }
  }
  void Trim(int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(world_.control->TrimRevisions());
    }
  }
  [[nodiscard]] bool Kept(std::uint64_t number) { return world_.Record(number).is_object(); }

  World world_{KeepAtMost(150)};
  std::string balancer_;
};

TEST_F(RetentionTest, ForgetsWhatIsBeyondTheNumber) {
  MakeUpTo(160);

  Trim(1);

  EXPECT_FALSE(Kept(10));
  EXPECT_TRUE(Kept(11));
  EXPECT_TRUE(Kept(160));
}

TEST_F(RetentionTest, ForgetsWhatIsTooOldButNeverTheNewestHundred) {
  MakeUpTo(20);
  world_.clock.Advance(std::chrono::days{401});
  MakeUpTo(110);

  Trim(1);
  EXPECT_FALSE(Kept(10));
  EXPECT_TRUE(Kept(11));  // One of the newest hundred, though too old.

  MakeUpTo(140);
  Trim(1);
  EXPECT_FALSE(Kept(20));
  EXPECT_TRUE(Kept(21));  // Young enough.
}

TEST_F(RetentionTest, ForgetsLittleAtATime) {
  MakeUpTo(400);

  Trim(1);
  EXPECT_FALSE(Kept(200));
  EXPECT_TRUE(Kept(201));
  Trim(1);
  EXPECT_FALSE(Kept(250));
  EXPECT_TRUE(Kept(251));
}

TEST_F(RetentionTest, GoesOnAfterARestart) {
  MakeUpTo(160);
  Trim(1);
  world_.Restart();
  MakeUpTo(170);

  Trim(1);

  EXPECT_FALSE(Kept(20));
  EXPECT_TRUE(Kept(21));
}

TEST_F(RetentionTest, LeavesTheStoreAloneWhileNothingIsDue) {
  MakeUpTo(120);
  Trim(1);
  world_.store.fails = true;

  EXPECT_TRUE(world_.control->TrimRevisions());
}

}  // namespace
}  // namespace elb::control
