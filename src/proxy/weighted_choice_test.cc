#include "proxy/weighted_choice.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <vector>

namespace elb::proxy {
namespace {

using contract::WeightedPool;
using Counts = std::map<std::size_t, int>;

std::vector<WeightedPool> Pools(std::uint32_t first, std::uint32_t second) {
  return {{.pool = PoolId("one"), .weight = first}, {.pool = PoolId("two"), .weight = second}};
}

Counts Pick(WeightedChoice& choice, int picks) {
  Counts counts;
  for (int i = 0; i < picks; ++i) {
    ++counts[*choice.Pick()];
  }
  return counts;
}

TEST(WeightedChoiceTest, T10_10_IsExact) {
  WeightedChoice choice(Pools(80, 20), nullptr);

  EXPECT_EQ(Pick(choice, 1000), (Counts{{0, 800}, {1, 200}}));
}

TEST(WeightedChoiceTest, T10_10_IsExactOverThreads) {
  WeightedChoice choice(Pools(80, 20), nullptr);
  std::vector<Counts> parts(4);
  std::vector<std::thread> threads;
  for (Counts& part : parts) {
    threads.emplace_back([&choice, &part] { part = Pick(choice, 250); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  Counts all;
  for (const Counts& part : parts) {
    for (const auto& [pool, count] : part) {
      all[pool] += count;
    }
  }
  EXPECT_EQ(all, (Counts{{0, 800}, {1, 200}}));
}

TEST(WeightedChoiceTest, NeverPicksWeightZero) {
  WeightedChoice choice(Pools(0, 1), nullptr);

  EXPECT_EQ(Pick(choice, 10), (Counts{{1, 10}}));
}

TEST(WeightedChoiceTest, PicksNothingWhenAllWeightsAreZero) {
  WeightedChoice choice(Pools(0, 0), nullptr);

  EXPECT_EQ(choice.Pick(), std::nullopt);
}

TEST(WeightedChoiceTest, GoesOnWhereItsPredecessorWas) {
  auto before = std::make_shared<WeightedChoice>(Pools(1, 1), nullptr);
  ASSERT_EQ(before->Pick(), 0U);
  std::vector<WeightedPool> more = Pools(2, 2);
  more.push_back({.pool = PoolId("three"), .weight = 2});
  WeightedChoice after(more, before);

  after.Activate();

  EXPECT_EQ(after.Pick(), 1U);
}

}  // namespace
}  // namespace elb::proxy
