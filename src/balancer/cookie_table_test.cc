#include "balancer/cookie_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace elb::balancer {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class CookieTableTest : public ::testing::Test {
 protected:
  std::optional<MemberTag> Find(std::uint64_t key) { return table_.Find(key, clock_.Now()); }
  void Bind(std::uint64_t key, MemberTag member, std::optional<seconds> lifetime = std::nullopt) {
    table_.Bind(key, member, clock_.Now(), lifetime);
  }

  ManualClock clock_;
  CookieTable table_{48};  // Three per shard; the first four bits of a key say which.
};

TEST_F(CookieTableTest, FindsWhatWasBoundLast) {
  Bind(1, 10);
  Bind(1, 11);

  EXPECT_EQ(Find(1), 11);
  EXPECT_EQ(Find(2), std::nullopt);
  EXPECT_EQ(table_.size(), 1);
}

TEST_F(CookieTableTest, ForgetsWhatWasUnbound) {
  Bind(1, 10);

  table_.Unbind(1);
  table_.Unbind(2);

  EXPECT_EQ(Find(1), std::nullopt);
  EXPECT_EQ(table_.size(), 0);
}

TEST_F(CookieTableTest, EndsADayAfterTheLastUse) {
  Bind(1, 10);
  clock_.Advance(hours{23});
  EXPECT_EQ(Find(1), 10);

  clock_.Advance(hours{24} - seconds{1});
  EXPECT_EQ(Find(1), 10);
  clock_.Advance(hours{24});
  EXPECT_EQ(Find(1), std::nullopt);
}

TEST_F(CookieTableTest, EndsWithTheCookieHoweverOftenItIsUsed) {
  Bind(1, 10, seconds{60});

  clock_.Advance(seconds{59});
  EXPECT_EQ(Find(1), 10);
  clock_.Advance(seconds{1});
  EXPECT_EQ(Find(1), std::nullopt);
}

TEST_F(CookieTableTest, TakesLifetimesWithoutEnd) {
  Bind(1, 10, seconds::max());

  clock_.Advance(hours{1});

  EXPECT_EQ(Find(1), 10);
}

TEST_F(CookieTableTest, DropsTheLeastRecentlyUsedWhenFull) {
  Bind(1, 10);
  Bind(2, 20);
  Bind(3, 30);
  EXPECT_EQ(Find(1), 10);

  Bind(4, 40);

  EXPECT_EQ(Find(2), std::nullopt);
  EXPECT_EQ(Find(1), 10);
  EXPECT_EQ(Find(3), 30);
  EXPECT_EQ(Find(4), 40);
}

TEST_F(CookieTableTest, RebindsWhatItKnowsAndKeepsItsEnd) {
  Bind(1, 10, seconds{60});

  table_.Rebind(1, 11, clock_.Now());
  table_.Rebind(2, 21, clock_.Now());

  EXPECT_EQ(Find(1), 11);
  EXPECT_EQ(Find(2), std::nullopt);
  clock_.Advance(seconds{60});
  EXPECT_EQ(Find(1), std::nullopt);
}

TEST_F(CookieTableTest, BuriesTheDeadWhenSomebodyComes) {
  Bind(1, 10, seconds{1});
  Bind(2, 20, seconds{1});
  clock_.Advance(seconds{1});

  Bind(3, 30);

  EXPECT_EQ(table_.size(), 1);
}

TEST_F(CookieTableTest, HoldsNoMoreThanItsLimit) {
  CookieTable table(100'000);
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;

  for (std::uint64_t i = 0; i < 120'000; ++i) {
    table.Bind(i * kSpread, i, clock_.Now(), std::nullopt);
  }

  EXPECT_LE(table.size(), 100'000);
  EXPECT_GT(table.size(), 99'000);
}

TEST_F(CookieTableTest, IsSharedByThreads) {
  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const std::uint64_t key = (i % 64) << 58;
        table_.Bind(key, thread, {}, std::nullopt);
        static_cast<void>(table_.Find(key, {}));
        table_.Rebind(key, thread, {});
        if (i % 7 == 0) {
          table_.Unbind(key);
        }
      }
    });
  }
  threads.clear();

  EXPECT_LE(table_.size(), 48);
}

}  // namespace
}  // namespace elb::balancer
