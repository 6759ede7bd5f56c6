#include "balancer/scheduler.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>

namespace elb::balancer {
namespace {

using contract::Algorithm;
using contract::MemberCell;
using contract::MemberStatus;
using contract::PoolConfig;
using std::chrono::seconds;

const IpAddress kClient = *IpAddress::Parse("127.0.0.1");

/// A pool under construction; members are named A, B, C, ...
class Pool {
 public:
  explicit Pool(const std::vector<std::uint32_t>& weights,
                Algorithm algorithm = Algorithm::kRoundRobin) {
    config_.algorithm = algorithm;
    for (const std::uint32_t weight : weights) {
      Add(weight);
    }
  }

  MemberCell& Add(std::uint32_t weight, std::uint64_t registration = 1) {
    const auto index = config_.members.size();
    const std::string name(1, static_cast<char>('A' + static_cast<char>(index)));
    config_.members.push_back({.id = MemberId(name),
                               .endpoint = {.address = *IpAddress::Parse("127.0.0.1"),
                                            .port = static_cast<std::uint16_t>(8000 + index)},
                               .weight = weight,
                               .registration = registration,
                               .slow_start_at_registration = config_.slow_start.has_value()});
    cells_.push_back(std::make_shared<MemberCell>());
    return *cells_.back();
  }

  std::shared_ptr<Scheduler> Schedule(MonotonicTime now = {},
                                      std::shared_ptr<Scheduler> predecessor = nullptr) {
    auto scheduler = CreateScheduler(
        {.config = std::make_shared<PoolConfig>(config_), .cells = cells_}, predecessor);
    scheduler->Activate(now);
    return scheduler;
  }

  PoolConfig& config() { return config_; }
  MemberCell& cell(std::size_t index) { return *cells_[index]; }

 private:
  PoolConfig config_;
  std::vector<std::shared_ptr<MemberCell>> cells_;
};

std::map<char, int> Count(Scheduler& scheduler, int picks, MonotonicTime now = {}) {
  std::map<char, int> counts;
  for (int i = 0; i < picks; ++i) {
    ++counts[static_cast<char>(
        'A' + static_cast<char>(*scheduler.Pick({.client = &kClient, .now = now})))];
  }
  return counts;
}

using Counts = std::map<char, int>;

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

TEST(LeastConnectionsTest, FollowsLoadPerWeight) {
  Pool pool({3, 1}, Algorithm::kLeastConnections);

  EXPECT_EQ(Count(*pool.Schedule(), 40), (Counts{{'A', 30}, {'B', 10}}));
}

TEST(LeastConnectionsTest, EvensOutWhatIsUneven) {
  Pool pool({1, 1}, Algorithm::kLeastConnections);
  pool.cell(0).active = 100;
  pool.cell(1).active = 50;

  EXPECT_EQ(Count(*pool.Schedule(), 50), (Counts{{'B', 50}}));
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

/// 100 requests per second for `time`, all at the pace of a clock that stands during each pick.
std::map<char, int> Drive(Scheduler& scheduler, MonotonicTime from, seconds time) {
  std::map<char, int> counts;
  for (int i = 0; i < time.count() * 100; ++i) {
    const auto now = from + std::chrono::milliseconds(i * 10);
    ++counts[static_cast<char>(
        'A' + static_cast<char>(*scheduler.Pick({.client = &kClient, .now = now})))];
  }
  return counts;
}

class SlowStartTest : public testing::Test {
 protected:
  static constexpr MonotonicTime kStart{std::chrono::hours{1}};

  /// A pool whose first member serves, and B that has just come.
  std::shared_ptr<Scheduler> AddSecond(std::uint32_t first, std::uint32_t second) {
    pool_.config().slow_start = seconds{30};
    pool_.Add(first, 1);
    auto before = pool_.Schedule(kStart);
    Count(*before, 3, kStart);
    pool_.Add(second, 2);
    return pool_.Schedule(kStart, before);
  }
  Pool pool_{{}};
};

TEST_F(SlowStartTest, T8_1_GivesAShareThatGrowsLinearly) {
  auto scheduler = AddSecond(10, 10);

  const auto ramp = Drive(*scheduler, kStart, seconds{30});
  const auto after = Drive(*scheduler, kStart + seconds{31}, seconds{10});

  EXPECT_NEAR(ramp.at('B'), 750, 20);
  EXPECT_NEAR(after.at('B'), 500, 10);
}

TEST_F(SlowStartTest, T8_2_TakesTheFullShareFromTheWeights) {
  auto scheduler = AddSecond(30, 10);

  EXPECT_NEAR(Drive(*scheduler, kStart, seconds{30}).at('B'), 375, 15);
}

TEST_F(SlowStartTest, T8_3_SparesTheFirstMembersOfAPool) {
  pool_.config().slow_start = seconds{30};
  pool_.Add(1, 1);
  pool_.Add(1, 1);
  pool_.Add(1, 1);

  EXPECT_EQ(Count(*pool_.Schedule(kStart), 300, kStart),
            (Counts{{'A', 100}, {'B', 100}, {'C', 100}}));
}

TEST_F(SlowStartTest, T8_4_BeginsAgainAfterAnInterruption) {
  auto scheduler = AddSecond(10, 10);
  Drive(*scheduler, kStart, seconds{10});
  pool_.cell(1).status = MemberStatus::kOffline;
  scheduler->Refresh(kStart + seconds{10});
  pool_.cell(1).status = MemberStatus::kOnline;
  scheduler->Refresh(kStart + seconds{12});

  const auto ramp = Drive(*scheduler, kStart + seconds{12}, seconds{30});

  EXPECT_NEAR(ramp.at('B'), 750, 20);
}

TEST_F(SlowStartTest, T8_5_GivesEverythingToTheOnlyOneLeft) {
  auto scheduler = AddSecond(10, 10);
  pool_.cell(0).status = MemberStatus::kOffline;
  scheduler->Refresh(kStart + seconds{5});

  EXPECT_EQ(Count(*scheduler, 10, kStart + seconds{5}), (Counts{{'B', 10}}));
}

}  // namespace
}  // namespace elb::balancer
