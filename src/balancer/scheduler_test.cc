#include "balancer/scheduler.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "balancer/testing/pool.h"

namespace elb::balancer {
namespace {

using contract::Algorithm;
using contract::MemberStatus;
using testing::Count;
using testing::Counts;
using testing::kClient;
using testing::Pool;

TEST(SchedulerTest, KeepsItsPositionWhenWeightsChange) {
  Pool pool({5, 3, 2});
  auto before = pool.Schedule();
  EXPECT_EQ(Count(*before, 1000), (Counts{{'A', 500}, {'B', 300}, {'C', 200}}));

  pool.config().members[0].weight = 2;
  pool.config().members[2].weight = 5;
  auto after = pool.Schedule({}, before);

  EXPECT_EQ(Count(*after, 1000), (Counts{{'A', 200}, {'B', 300}, {'C', 500}}));
}

TEST(SchedulerTest, NeverStartsOverUnderFrequentChanges) {
  Pool pool(std::vector<std::uint32_t>(50, 1));
  auto scheduler = pool.Schedule();
  std::array<int, 50> counts{};

  for (int change = 0; change < 200; ++change) {
    pool.config().members[7].weight = 1 + static_cast<std::uint32_t>(change % 2);
    scheduler = pool.Schedule({}, scheduler);
    for (int i = 0; i < 5; ++i) {
      ++counts[*scheduler->Pick({.client = &kClient})];
    }
  }

  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i != 7) {
      EXPECT_NEAR(counts[i], 20, 2) << i;
    }
  }
}

TEST(SchedulerTest, CountsPicksOfWorkersThatHaveNotChangedOverYet) {
  Pool pool({1, 1, 1, 1});
  auto before = pool.Schedule();
  auto after = pool.Schedule({}, before);
  Counts counts;

  for (int i = 0; i < 100; ++i) {
    ++counts[static_cast<char>('A' + *before->Pick({.client = &kClient}))];
    ++counts[static_cast<char>('A' + *after->Pick({.client = &kClient}))];
  }

  EXPECT_EQ(counts, (Counts{{'A', 50}, {'B', 50}, {'C', 50}, {'D', 50}}));
}

TEST(SchedulerTest, PicksForItselfWhenItsSuccessorsChoiceIsNotOfItsRoster) {
  Pool pool({1});
  auto before = pool.Schedule();
  Pool other({1, 1});
  other.config().members[0].id = MemberId("other");
  other.config().members[1].id = MemberId("another");
  auto after = other.Schedule({}, before);

  EXPECT_EQ(Count(*before, 3), (Counts{{'A', 3}}));
  EXPECT_EQ(other.cell(0).active + other.cell(1).active, 0);
}

TEST(SchedulerTest, SkipsOfflineMembersFromTheNextPickOn) {
  Pool pool({1, 1});
  auto scheduler = pool.Schedule();

  pool.cell(0).status = MemberStatus::kOffline;
  scheduler->Refresh({});

  EXPECT_EQ(Count(*scheduler, 4), (Counts{{'B', 4}}));
}

TEST(SchedulerTest, SaysWhyThereIsNobody) {
  Pool empty({});
  Pool zero({0, 0});
  Pool waiting({1});
  waiting.cell(0).status = MemberStatus::kOffline;
  Pool offline({1});
  offline.cell(0).status = MemberStatus::kOffline;
  offline.cell(0).probed = true;
  const PickContext context{.client = &kClient};

  EXPECT_FALSE(zero.Schedule()->Pick(context).has_value());
  EXPECT_EQ(empty.Schedule()->WhyNone(context), NoPick::kEmptyPool);
  EXPECT_EQ(zero.Schedule()->WhyNone(context), NoPick::kNoneEligible);
  EXPECT_EQ(waiting.Schedule()->WhyNone(context), NoPick::kNotProbed);
  EXPECT_EQ(offline.Schedule()->WhyNone(context), NoPick::kNoneEligible);
}

TEST(SchedulerTest, FailsOpenWhenThePoolSaysSo) {
  Pool pool({1, 1});
  pool.config().minimum_healthy = 1;
  pool.cell(0).status = MemberStatus::kOffline;
  pool.cell(1).status = MemberStatus::kOffline;

  EXPECT_EQ(Count(*pool.Schedule(), 4), (Counts{{'A', 2}, {'B', 2}}));
}

TEST(SchedulerTest, IsExactAcrossThreads) {
  Pool pool({5, 3, 2});
  auto scheduler = pool.Schedule();
  std::array<std::atomic<int>, 3> counts{};

  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2500; ++i) {
          ++counts[*scheduler->Pick({.client = &kClient})];
        }
      });
    }
  }

  EXPECT_EQ(counts[0], 5000);
  EXPECT_EQ(counts[1], 3000);
  EXPECT_EQ(counts[2], 2000);
}

TEST(SchedulerTest, TakesASessionsMemberWithoutMovingOn) {
  Pool pool({5, 1, 1});
  auto scheduler = pool.Schedule();

  EXPECT_TRUE(scheduler->Take(2));
  EXPECT_TRUE(scheduler->Take(2));

  EXPECT_EQ(pool.cell(2).active, 2);
  EXPECT_EQ(Count(*scheduler, 3), (Counts{{'A', 2}, {'B', 1}}));
}

TEST(SchedulerTest, TakesNobodyWhoIsNotEligible) {
  Pool pool({1, 1, 0});
  pool.cell(0).status = MemberStatus::kOffline;
  auto scheduler = pool.Schedule();

  EXPECT_FALSE(scheduler->Take(0));
  EXPECT_TRUE(scheduler->Take(1));
  EXPECT_FALSE(scheduler->Take(2));
  EXPECT_EQ(pool.cell(0).active, 0);
}

TEST(SchedulerTest, TakesAnOfflineMemberOnlyWhileThePoolFailsOpen) {
  Pool pool({1, 1});
  pool.config().minimum_healthy = 1;
  pool.cell(0).status = MemberStatus::kOffline;
  pool.cell(1).status = MemberStatus::kOffline;
  auto scheduler = pool.Schedule();

  EXPECT_TRUE(scheduler->Take(0));
  pool.cell(1).status = MemberStatus::kOnline;
  EXPECT_FALSE(scheduler->Take(0));
}

TEST(LeastConnectionsTest, T6_4_FollowsLoadPerWeight) {
  Pool pool({3, 1}, Algorithm::kLeastConnections);

  EXPECT_EQ(Count(*pool.Schedule(), 40), (Counts{{'A', 30}, {'B', 10}}));
}

TEST(LeastConnectionsTest, T6_4_EvensOutWhatIsUneven) {
  Pool pool({1, 1}, Algorithm::kLeastConnections);
  pool.cell(0).active = 100;
  pool.cell(1).active = 50;

  EXPECT_EQ(Count(*pool.Schedule(), 50), (Counts{{'B', 50}}));
}

TEST(LeastConnectionsTest, SpreadsIdleMembersByWeight) {
  Pool pool({3, 1}, Algorithm::kLeastConnections);
  auto scheduler = pool.Schedule();
  Counts counts;

  for (int i = 0; i < 40; ++i) {
    const MemberIndex member = *scheduler->Pick({.client = &kClient});
    ++counts[member == 0 ? 'A' : 'B'];
    pool.cell(member).active = 0;
  }

  EXPECT_EQ(counts, (Counts{{'A', 30}, {'B', 10}}));
}

TEST(LeastConnectionsTest, PassesOverTheTried) {
  Pool pool({1, 1}, Algorithm::kLeastConnections);
  pool.cell(1).active = 7;
  const std::array<MemberIndex, 1> tried{0};

  EXPECT_EQ(pool.Schedule()->Pick({.client = &kClient, .tried = tried}), 1);
}

IpAddress Client(int number) {
  return IpAddress::V4({10, static_cast<std::uint8_t>(number >> 16),
                        static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
}

TEST(SourceIpTest, SpreadsClientsEvenlyAndMovesOnlyThoseOfALostMember) {
  Pool pool(std::vector<std::uint32_t>(10, 1), Algorithm::kSourceIp);
  auto scheduler = pool.Schedule();
  std::vector<MemberIndex> mapping;
  std::array<int, 10> counts{};
  for (int i = 0; i < 10000; ++i) {
    const IpAddress client = Client(i * 7919);
    mapping.push_back(*scheduler->Pick({.client = &client}));
    ++counts[mapping.back()];
  }

  pool.cell(3).status = MemberStatus::kOffline;
  scheduler->Refresh({});

  for (const int count : counts) {
    EXPECT_NEAR(count, 1000, 150);
  }
  for (int i = 0; i < 10000; ++i) {
    const IpAddress client = Client(i * 7919);
    const MemberIndex now = *scheduler->Pick({.client = &client});
    ASSERT_EQ(now == mapping[static_cast<std::size_t>(i)],
              mapping[static_cast<std::size_t>(i)] != 3);
  }
}

/// Where each of 127.0.0.1 to 127.0.0.254 goes.
std::vector<MemberIndex> LoopbackMapping(Scheduler& scheduler) {
  std::vector<MemberIndex> mapping;
  for (int last = 1; last <= 254; ++last) {
    const IpAddress client = IpAddress::V4({127, 0, 0, static_cast<std::uint8_t>(last)});
    mapping.push_back(*scheduler.Pick({.client = &client}));
  }
  return mapping;
}

TEST(SourceIpTest, T6_5_MapsTheSameAfterARestart) {
  Pool before({1, 1, 1, 1, 1}, Algorithm::kSourceIp);
  Pool after({1, 1, 1, 1, 1}, Algorithm::kSourceIp);

  EXPECT_EQ(LoopbackMapping(*before.Schedule()), LoopbackMapping(*after.Restart({})));
}

TEST(SourceIpTest, T6_5_IgnoresWeights) {
  Pool pool({1, 1, 1, 1, 1}, Algorithm::kSourceIp);
  const auto before = LoopbackMapping(*pool.Schedule());

  pool.config().members[2].weight = 100;

  EXPECT_EQ(LoopbackMapping(*pool.Schedule()), before);
}

TEST(SourceIpTest, T6_5_BringsBackExactlyTheClientsOfALostMember) {
  Pool pool({1, 1, 1, 1, 1}, Algorithm::kSourceIp);
  auto scheduler = pool.Schedule();
  const auto before = LoopbackMapping(*scheduler);

  pool.cell(4).status = MemberStatus::kOffline;
  scheduler->Refresh({});
  const auto without = LoopbackMapping(*scheduler);
  pool.cell(4).status = MemberStatus::kOnline;
  scheduler->Refresh({});

  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(without[i] == before[i], before[i] != 4) << i;
  }
  EXPECT_EQ(LoopbackMapping(*scheduler), before);
}

TEST(SourceIpTest, GivesANewcomerItsPartAndMovesNobodyElse) {
  Pool pool(std::vector<std::uint32_t>(9, 1), Algorithm::kSourceIp);
  auto scheduler = pool.Schedule();
  pool.Add(1);
  auto after = pool.Schedule();
  int moved = 0;

  for (int i = 0; i < 10000; ++i) {
    const IpAddress client = Client(i * 7919);
    const MemberIndex old_member = *scheduler->Pick({.client = &client});
    const MemberIndex new_member = *after->Pick({.client = &client});
    moved += new_member != old_member ? 1 : 0;
    ASSERT_TRUE(new_member == old_member || new_member == 9);
  }

  EXPECT_NEAR(moved, 1000, 150);
}

}  // namespace
}  // namespace elb::balancer
