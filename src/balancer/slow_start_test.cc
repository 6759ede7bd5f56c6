#include "balancer/slow_start.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "balancer/scheduler.h"
#include "balancer/testing/pool.h"

namespace elb::balancer {
namespace {

using contract::MemberStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Count;
using testing::Counts;
using testing::kClient;
using testing::Pool;

TEST(ComputeSharesTest, TakesFromTheSettledWhatTheStartersMiss) {
  std::array members{SlowStartMember{.weight = 10},
                     SlowStartMember{.weight = 10, .since_entry = seconds{15}}};

  ComputeShares(members, seconds{30});

  EXPECT_EQ(members[0].share, 15 * kShareOne);
  EXPECT_EQ(members[1].share, 5 * kShareOne);
}

TEST(ComputeSharesTest, TakesTheFirstSecondAsWhole) {
  std::array members{SlowStartMember{.weight = 30},
                     SlowStartMember{.weight = 30, .since_entry = seconds{0}}};

  ComputeShares(members, seconds{30});

  EXPECT_EQ(members[1].share, kShareOne);
}

TEST(ComputeSharesTest, WeighsStartersAmongThemselvesWhenTheyAreAlone) {
  std::array members{SlowStartMember{.weight = 10, .since_entry = seconds{30}},
                     SlowStartMember{.weight = 10, .since_entry = seconds{15}}};

  ComputeShares(members, seconds{30});

  EXPECT_EQ(members[0].share, 10 * kShareOne);
  EXPECT_EQ(members[1].share, 5 * kShareOne);
}

/// A pool with slow start of 30 s under 100 requests per second.
class SlowStartTest : public ::testing::Test {
 protected:
  SlowStartTest() { pool_.config().slow_start = seconds{30}; }

  /// The configuration of now comes into force.
  void Apply() { scheduler_ = pool_.Schedule(clock_.Now(), scheduler_); }

  /// Probes change their mind about a member.
  void SetStatus(std::size_t member, MemberStatus status) {
    pool_.cell(member).status = status;
    scheduler_->Refresh(clock_.Now());
  }

  /// A pool whose first member serves, and B that has just come by a later call.
  void AddSecond(std::uint32_t first, std::uint32_t second) {
    pool_.Add(first, 1);
    Apply();
    Drive(seconds{1});
    pool_.Add(second, 2);
    Apply();
  }

  Counts Drive(seconds time) {
    Counts counts;
    for (int i = 0; i < time.count() * 100; ++i) {
      ++counts[static_cast<char>(
          'A' + static_cast<char>(*scheduler_->Pick({.client = &kClient, .now = clock_.Now()})))];
      clock_.Advance(milliseconds{10});
    }
    return counts;
  }

  ManualClock clock_;
  Pool pool_{{}};
  std::shared_ptr<Scheduler> scheduler_;
};

TEST_F(SlowStartTest, T8_1_GivesAShareThatGrowsLinearly) {
  AddSecond(10, 10);

  Counts ramp = Drive(seconds{10});
  const Counts middle = Drive(seconds{5});
  const Counts end = Drive(seconds{15});
  const Counts after = Drive(seconds{10});

  EXPECT_NEAR(ramp['B'] + middle.at('B') + end.at('B'), 750, 20);
  EXPECT_NEAR(middle.at('B'), 104, 8);
  EXPECT_NEAR(after.at('B'), 500, 10);
}

TEST_F(SlowStartTest, T8_2_TakesTheFullShareFromTheWeights) {
  AddSecond(30, 10);

  EXPECT_NEAR(Drive(seconds{30}).at('B'), 375, 15);
}

TEST_F(SlowStartTest, T8_3_SparesTheFirstMemberOfAPool) {
  pool_.Add(1, 1);
  Apply();

  EXPECT_EQ(Drive(seconds{1}), (Counts{{'A', 100}}));
  EXPECT_EQ(pool_.cell(0).slow_start_ns, -1);
}

TEST_F(SlowStartTest, T8_3_SparesMembersOfOneCallHoweverLateTheirProbesSucceed) {
  for (int i = 0; i < 3; ++i) {
    pool_.Add(1, 1).status = MemberStatus::kOffline;
  }
  Apply();
  SetStatus(0, MemberStatus::kOnline);
  clock_.Advance(milliseconds{300});
  SetStatus(1, MemberStatus::kOnline);
  clock_.Advance(milliseconds{300});
  SetStatus(2, MemberStatus::kOnline);

  EXPECT_EQ(Drive(seconds{3}), (Counts{{'A', 100}, {'B', 100}, {'C', 100}}));
}

TEST_F(SlowStartTest, T8_3_StartsAFourthOneSlowlyAtItsFirstSuccess) {
  for (int i = 0; i < 3; ++i) {
    pool_.Add(1, 1);
  }
  Apply();
  pool_.Add(1, 2).status = MemberStatus::kOffline;
  Apply();
  Drive(seconds{20});

  SetStatus(3, MemberStatus::kOnline);
  const Counts first = Drive(seconds{10});
  Drive(seconds{20});

  EXPECT_NEAR(first.at('D'), 43, 8);  // A quarter of 1/6 of 1000.
  EXPECT_NEAR(Drive(seconds{4}).at('D'), 100, 2);
}

TEST_F(SlowStartTest, T8_4_BeginsAgainAfterAnInterruption) {
  AddSecond(10, 10);
  Drive(seconds{10});
  SetStatus(1, MemberStatus::kOffline);
  Drive(seconds{2});

  SetStatus(1, MemberStatus::kOnline);

  EXPECT_NEAR(Drive(seconds{30}).at('B'), 750, 20);
}

TEST_F(SlowStartTest, T8_4_IsOverForGoodOnceItWasCompleted) {
  AddSecond(10, 10);
  Drive(seconds{31});
  SetStatus(1, MemberStatus::kOffline);
  Drive(seconds{2});

  SetStatus(1, MemberStatus::kOnline);

  EXPECT_NEAR(Drive(seconds{10}).at('B'), 500, 10);
}

TEST_F(SlowStartTest, T8_5_GivesEverythingToTheOnlyOneLeft) {
  AddSecond(10, 10);
  Drive(seconds{5});
  pool_.Remove(0);
  Apply();

  EXPECT_EQ(Drive(seconds{1}), (Counts{{'A', 100}}));  // The only index left.
}

TEST_F(SlowStartTest, T8_6_HasNoEffectOnLeastConnections) {
  pool_.config().algorithm = contract::Algorithm::kLeastConnections;
  AddSecond(1, 1);
  pool_.cell(0).active = 0;

  EXPECT_EQ(Count(*scheduler_, 100, clock_.Now()), (Counts{{'A', 50}, {'B', 50}}));
}

TEST_F(SlowStartTest, T8_6_EndsWithTheProcess) {
  AddSecond(10, 10);
  Drive(seconds{5});

  scheduler_ = pool_.Restart(clock_.Now());

  EXPECT_NEAR(Drive(seconds{10}).at('B'), 500, 10);
}

TEST_F(SlowStartTest, DoesNotBeginAfterARestartForMembersThatWereNeverProbed) {
  pool_.Add(10, 1);
  pool_.Add(10, 2).status = MemberStatus::kOffline;
  scheduler_ = pool_.Restart(clock_.Now());

  SetStatus(1, MemberStatus::kOnline);

  EXPECT_NEAR(Drive(seconds{10}).at('B'), 500, 10);
}

TEST_F(SlowStartTest, IsForMembersRegisteredWhileItWasOn) {
  pool_.config().slow_start.reset();
  pool_.Add(10, 1);
  pool_.Add(10, 2).status = MemberStatus::kOffline;
  Apply();
  pool_.config().slow_start = seconds{30};
  Apply();

  SetStatus(1, MemberStatus::kOnline);

  EXPECT_NEAR(Drive(seconds{10}).at('B'), 500, 10);
}

TEST_F(SlowStartTest, NeedsSomebodyWarmBeside) {
  pool_.Add(10, 1).status = MemberStatus::kOffline;
  Apply();
  pool_.Add(10, 2).status = MemberStatus::kOffline;
  Apply();
  SetStatus(1, MemberStatus::kOnline);

  SetStatus(0, MemberStatus::kOnline);

  EXPECT_NEAR(Drive(seconds{10}).at('B'), 500, 10);
}

TEST_F(SlowStartTest, EndsAtOnceWhenItIsSwitchedOff) {
  AddSecond(10, 10);
  Drive(seconds{5});
  pool_.config().slow_start.reset();
  Apply();

  EXPECT_NEAR(Drive(seconds{10}).at('B'), 500, 10);
}

TEST_F(SlowStartTest, TakesANewDurationFromTheOldStart) {
  AddSecond(10, 10);
  Drive(seconds{25});
  pool_.config().slow_start = seconds{100};
  Apply();

  EXPECT_NEAR(Drive(seconds{1}).at('B'), 13, 2);  // 50 x 25/100.
}

TEST_F(SlowStartTest, LetsItsClockRunWhileTheWeightIsZero) {
  AddSecond(10, 10);
  Drive(seconds{10});
  pool_.config().members[1].weight = 0;
  Apply();
  Drive(seconds{10});
  pool_.config().members[1].weight = 10;
  Apply();

  EXPECT_NEAR(Drive(seconds{1}).at('B'), 34, 3);  // 50 x 20/30.
}

TEST_F(SlowStartTest, DoesNotTakeFailingOpenForWarmth) {
  pool_.config().minimum_healthy = 1;
  pool_.Add(10, 1);
  Apply();
  pool_.Add(10, 2).status = MemberStatus::kOffline;
  Apply();
  SetStatus(0, MemberStatus::kOffline);
  EXPECT_EQ(Drive(seconds{1}), (Counts{{'A', 50}, {'B', 50}}));
  SetStatus(0, MemberStatus::kOnline);

  SetStatus(1, MemberStatus::kOnline);

  EXPECT_NEAR(Drive(seconds{30}).at('B'), 750, 20);
}

}  // namespace
}  // namespace elb::balancer
