#include "balancer/smooth_round_robin.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace elb::balancer {
namespace {

using Candidate = SmoothRoundRobin::Candidate;

SmoothRoundRobin Make(const std::vector<std::int64_t>& weights) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      candidates.push_back({.position = static_cast<std::uint32_t>(i), .share = weights[i]});
    }
  }
  return SmoothRoundRobin(candidates);
}

std::string Picks(SmoothRoundRobin& schedule, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += static_cast<char>('A' + *schedule.Pick({}));
  }
  return text;
}

TEST(SmoothRoundRobinTest, StartsWithTheCyclesOfTheContract) {
  auto five_one_one = Make({5, 1, 1});
  auto five_three_two = Make({5, 3, 2});

  EXPECT_EQ(Picks(five_one_one, 7), "AABACAA");
  EXPECT_EQ(Picks(five_three_two, 10), "ABCAABACBA");
}

TEST(SmoothRoundRobinTest, FindsNobodyWhenThereIsNobody) {
  auto nobody = Make({0, 0});
  auto all_tried = Make({1, 1});
  const std::vector<std::uint32_t> tried{0, 1};

  EXPECT_FALSE(nobody.Pick({}).has_value());
  EXPECT_FALSE(all_tried.Pick(tried).has_value());
  EXPECT_EQ(Picks(all_tried, 4), "ABAB");
}

TEST(SmoothRoundRobinTest, SkipsThoseThatWereTried) {
  auto schedule = Make({5, 3, 2});
  const std::vector<std::uint32_t> tried{0};

  EXPECT_EQ(schedule.Pick(tried), 1U);
}

/// The definition of data-plane.md 6.2, word by word.
std::uint32_t NaivePick(std::vector<Candidate>& all) {
  std::int64_t sum = 0;
  for (auto& candidate : all) {
    candidate.credit += candidate.share;
    sum += candidate.share;
  }
  Candidate* best = &all.front();
  for (auto& candidate : all) {
    if (candidate.credit > best->credit) {
      best = &candidate;
    }
  }
  best->credit -= sum;
  return best->position;
}

TEST(SmoothRoundRobinTest, AgreesWithTheDefinitionForRandomWeights) {
  std::mt19937 random(20261124);
  for (int round = 0; round < 500; ++round) {
    std::vector<Candidate> naive;
    const std::uint32_t count = 1 + random() % 12;
    for (std::uint32_t i = 0; i < count; ++i) {
      naive.push_back({.position = i, .share = 1 + static_cast<std::int64_t>(random() % 100)});
    }
    SmoothRoundRobin schedule(naive);
    for (int pick = 0; pick < 300; ++pick) {
      ASSERT_EQ(*schedule.Pick({}), NaivePick(naive)) << "round " << round << " pick " << pick;
    }
  }
}

TEST(SmoothRoundRobinTest, GivesEachItsWeightInEveryCycle) {
  auto schedule = Make({7, 0, 13, 1, 29});
  std::vector<int> counts(5);

  for (int i = 0; i < 50; ++i) {
    ++counts[*schedule.Pick({})];
  }

  EXPECT_EQ(counts, (std::vector<int>{7, 0, 13, 1, 29}));
}

TEST(BalanceCreditsTest, ClipsAndCentres) {
  std::vector<Candidate> candidates{{.position = 0, .share = 2, .credit = 100},
                                    {.position = 1, .share = 1, .credit = -1},
                                    {.position = 2, .share = 1, .credit = 0}};

  BalanceCredits(candidates);

  EXPECT_EQ(candidates[0].credit + candidates[1].credit + candidates[2].credit, 0);
  EXPECT_EQ(candidates[0].credit, 3 - 0);
}

}  // namespace
}  // namespace elb::balancer
