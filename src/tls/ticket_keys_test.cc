#include "tls/ticket_keys.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace elb::tls {
namespace {

using std::chrono::hours;

class TicketKeysTest : public ::testing::Test {
 protected:
  SystemRandom random_;
  ManualClock clock_;
  TicketKeys keys_{random_, clock_};
};

TEST_F(TicketKeysTest, StartsWithOneFreshKey) {
  const std::vector<TicketKey> keys = keys_.Keys();

  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].created_at, clock_.WallNow());
  EXPECT_NE(keys[0].name, TicketKey{}.name);
}

TEST_F(TicketKeysTest, RotatesAfterTwelveHoursAndKeepsThree) {
  const auto first = keys_.Keys()[0].name;
  clock_.Advance(hours(12) - std::chrono::seconds(1));
  EXPECT_FALSE(keys_.RotateIfDue());
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(keys_.RotateIfDue());
  EXPECT_FALSE(keys_.RotateIfDue());
  ASSERT_EQ(keys_.Keys().size(), 2U);
  EXPECT_EQ(keys_.Keys()[1].name, first);

  clock_.Advance(hours(12));
  EXPECT_TRUE(keys_.RotateIfDue());
  EXPECT_EQ(keys_.Keys()[2].name, first);
  clock_.Advance(hours(12));
  EXPECT_TRUE(keys_.RotateIfDue());

  ASSERT_EQ(keys_.Keys().size(), 3U);
  EXPECT_NE(keys_.Keys()[2].name, first);
}

TEST_F(TicketKeysTest, RestoresWhatIsNotTooOld) {
  TicketKey old;
  old.name.fill(std::byte{1});
  old.created_at = clock_.WallNow() - hours(37);
  TicketKey fresh;
  fresh.name.fill(std::byte{2});
  fresh.created_at = clock_.WallNow() - hours(35);

  keys_.Restore({fresh, old});

  ASSERT_EQ(keys_.Keys().size(), 1U);
  EXPECT_EQ(keys_.Keys()[0].name, fresh.name);
}

TEST_F(TicketKeysTest, KeepsItsKeysWhenNothingUsableIsRestored) {
  const auto before = keys_.Keys()[0].name;

  keys_.Restore({});

  ASSERT_EQ(keys_.Keys().size(), 1U);
  EXPECT_EQ(keys_.Keys()[0].name, before);
}

TEST_F(TicketKeysTest, FindsKeysByName) {
  const TicketKey key = keys_.Keys()[0];
  std::array<unsigned char, 16> name{};
  std::memcpy(name.data(), key.name.data(), name.size());

  ASSERT_NE(keys_.Current().Find(name.data()), nullptr);
  EXPECT_EQ(keys_.Current().Find(name.data())->mac_key, key.mac_key);
  name[0] ^= 1;
  EXPECT_EQ(keys_.Current().Find(name.data()), nullptr);
}

TEST_F(TicketKeysTest, DoesNotMixUpRings) {
  TicketKeys other(random_, clock_);

  EXPECT_EQ(keys_.Current().newest().name, keys_.Keys()[0].name);
  EXPECT_EQ(other.Current().newest().name, other.Keys()[0].name);
  EXPECT_EQ(keys_.Current().newest().name, keys_.Keys()[0].name);
}

TEST_F(TicketKeysTest, ShowsEveryThreadTheNewestRing) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 1000; ++round) {
        EXPECT_GE(keys_.Current().keys().size(), 1U);
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    keys_.Restore(keys_.Keys());
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  EXPECT_EQ(keys_.Current().newest().name, keys_.Keys()[0].name);
}

}  // namespace
}  // namespace elb::tls
