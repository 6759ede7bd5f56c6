#include "balancer/stickiness.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "balancer/testing/pool.h"

namespace elb::balancer {
namespace {

using contract::MemberStatus;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Count;
using testing::Counts;
using testing::Pool;
using Kind = contract::Stickiness;

/// A sticky pool of three members at the configuration of now.
class StickinessTest : public ::testing::Test {
 protected:
  explicit StickinessTest(Kind kind = Kind::kLoadBalancerCookie) {
    pool_.config().id = PoolId("pool");
    pool_.config().stickiness = kind;
    pool_.config().stickiness_duration = minutes{20};
    pool_.config().cookie_name = "JSESSIONID";
    Apply();
  }

  void Apply() {
    scheduler_ = pool_.Schedule(clock_.Now(), scheduler_);
    stickiness_ = Stickiness::Create(
        {.config = std::make_shared<contract::PoolConfig>(pool_.config()),
         .keys = &keys_,
         .table = pool_.config().stickiness == Kind::kApplicationCookie ? table_ : nullptr,
         .predecessor = stickiness_.get()});
  }
  void SetStatus(std::size_t member, MemberStatus status) {
    pool_.cell(member).status = status;
    scheduler_->Refresh(clock_.Now());
  }
  StickyDecision Decide(std::initializer_list<std::string_view> values) {
    return stickiness_->Decide(values, *scheduler_,
                               {.monotonic = clock_.Now(), .wall = clock_.WallNow()});
  }
  /// Just the value of a new cookie.
  [[nodiscard]] std::string CookieFor(MemberIndex member) const {
    const std::string text =
        stickiness_->SetCookieFor(member, clock_.WallNow(), ClientTransport::kPlain);
    const std::size_t from = text.find('=') + 1;
    return text.substr(from, text.find(';') - from);
  }

  ManualClock clock_;
  SeededRandom random_{3};
  StickyKeys keys_{random_, clock_};
  Pool pool_{{1, 1, 1}};
  std::shared_ptr<CookieTable> table_ = std::make_shared<CookieTable>();
  std::shared_ptr<Scheduler> scheduler_;
  std::shared_ptr<const Stickiness> stickiness_;
};

TEST_F(StickinessTest, IsNothingForPoolsWithoutCookies) {
  contract::PoolConfig config;
  EXPECT_EQ(Stickiness::Create(
                {.config = std::make_shared<contract::PoolConfig>(config), .keys = &keys_}),
            nullptr);

  config.stickiness = Kind::kSourceIp;
  EXPECT_EQ(Stickiness::Create(
                {.config = std::make_shared<contract::PoolConfig>(config), .keys = &keys_}),
            nullptr);
}

TEST_F(StickinessTest, LeavesRequestsWithoutCookieToTheAlgorithm) {
  const StickyDecision decision = Decide({});

  EXPECT_EQ(decision.reason, StickyReason::kNoCookie);
  EXPECT_EQ(decision.member, std::nullopt);
}

TEST_F(StickinessTest, T7_1_FollowsTheCookieWithoutMovingTheAlgorithm) {
  const std::string cookie = CookieFor(1);

  for (int i = 0; i < 100; ++i) {
    const StickyDecision decision = Decide({cookie});
    ASSERT_EQ(decision.reason, StickyReason::kBound);
    ASSERT_EQ(decision.member, 1);
  }

  EXPECT_EQ(Count(*scheduler_, 90), (Counts{{'A', 30}, {'B', 30}, {'C', 30}}));
}

TEST_F(StickinessTest, TakesTheFirstValidCookie) {
  EXPECT_EQ(Decide({"junk", CookieFor(2), CookieFor(1)}).member, 2);
}

TEST_F(StickinessTest, SaysWhyACookieCountsForNothing) {
  const std::string cookie = CookieFor(1);

  EXPECT_EQ(Decide({"junk"}).reason, StickyReason::kForged);
  clock_.Advance(minutes{21});
  EXPECT_EQ(Decide({cookie}).reason, StickyReason::kExpired);
  clock_.Advance(-minutes{30});
  EXPECT_EQ(Decide({cookie}).reason, StickyReason::kFromTheFuture);
  EXPECT_FALSE(Decide({cookie}).had_binding());
}

TEST_F(StickinessTest, T7_5_LeavesAnOfflineMemberAndANewCookieStaysWhereItIs) {
  const std::string cookie = CookieFor(1);
  SetStatus(1, MemberStatus::kOffline);

  const StickyDecision decision = Decide({cookie});
  EXPECT_EQ(decision.reason, StickyReason::kMemberNotEligible);
  EXPECT_EQ(decision.member, std::nullopt);
  EXPECT_TRUE(decision.had_binding());

  const std::string rebound = CookieFor(2);
  SetStatus(1, MemberStatus::kOnline);
  EXPECT_EQ(Decide({rebound}).member, 2);
}

TEST_F(StickinessTest, T7_5_LeavesAMemberOfWeightZero) {
  const std::string cookie = CookieFor(1);
  pool_.config().members[1].weight = 0;
  Apply();

  EXPECT_EQ(Decide({cookie}).reason, StickyReason::kMemberNotEligible);
}

TEST_F(StickinessTest, T7_5_LeavesAMemberThatWasRemovedAndKnowsTheOthersAtTheirNewPlace) {
  const std::string gone = CookieFor(1);
  const std::string stays = CookieFor(2);
  pool_.Remove(1);
  Apply();

  EXPECT_EQ(Decide({gone}).reason, StickyReason::kMemberGone);
  EXPECT_EQ(Decide({stays}).member, 1);
}

TEST_F(StickinessTest, StaysWithAnOfflineMemberWhereThePoolFailsOpen) {
  pool_.config().minimum_healthy = 1;
  Apply();
  const std::string cookie = CookieFor(1);
  for (std::size_t i = 0; i < 3; ++i) {
    SetStatus(i, MemberStatus::kOffline);
  }

  EXPECT_EQ(Decide({cookie}).member, 1);
}

TEST_F(StickinessTest, AsksForRenewalOfAnAgingCookie) {
  const std::string cookie = CookieFor(1);

  EXPECT_FALSE(Decide({cookie}).renew);
  clock_.Advance(seconds{61});
  EXPECT_TRUE(Decide({cookie}).renew);
}

TEST_F(StickinessTest, T7_7_FollowsCookiesOfBeforeARestart) {
  const std::string cookie = CookieFor(1);
  SeededRandom other_random{99};
  StickyKeys keys(other_random, clock_);
  keys.Restore(keys_.Keys());
  const auto restarted = Stickiness::Create(
      {.config = std::make_shared<contract::PoolConfig>(pool_.config()), .keys = &keys});

  const std::string_view values[] = {cookie};
  EXPECT_EQ(restarted->Decide(values, *scheduler_, {.wall = clock_.WallNow()}).member, 1);
}

class ApplicationCookieTest : public StickinessTest {
 protected:
  ApplicationCookieTest() : StickinessTest(Kind::kApplicationCookie) {}
  void Learn(std::string_view value, MemberIndex member,
             std::optional<seconds> lifetime = std::nullopt) {
    stickiness_->Learn(value, member, clock_.Now(), lifetime);
  }
};

TEST_F(ApplicationCookieTest, T7_8_FollowsWhoSetTheValue) {
  Learn("v1", 1);
  Learn("v2", 2);

  EXPECT_EQ(Decide({"v1"}).member, 1);
  EXPECT_EQ(Decide({"v1"}).reason, StickyReason::kBound);
  EXPECT_EQ(Decide({"unknown", "v2"}).member, 2);
}

TEST_F(ApplicationCookieTest, T7_8_SendsAnUnknownValueToOneMember) {
  const StickyDecision first = Decide({"abcd"});
  ASSERT_EQ(first.reason, StickyReason::kHashed);

  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Decide({"abcd"}).member, first.member);
  }
  EXPECT_EQ(table_->size(), 0);
}

TEST_F(ApplicationCookieTest, SpreadsUnknownValues) {
  std::map<MemberIndex, int> counts;

  for (int i = 0; i < 3000; ++i) {
    ++counts[*Decide({std::to_string(i)}).member];
  }

  EXPECT_NEAR(counts[0], 1000, 150);
  EXPECT_NEAR(counts[1], 1000, 150);
  EXPECT_NEAR(counts[2], 1000, 150);
}

TEST_F(ApplicationCookieTest, LeavesRequestsWithoutAValueToTheAlgorithm) {
  EXPECT_EQ(Decide({}).reason, StickyReason::kNoCookie);
  EXPECT_EQ(Decide({""}).reason, StickyReason::kNoCookie);
}

TEST_F(ApplicationCookieTest, ForgetsADeletedValue) {
  Learn("v1", 1);

  stickiness_->Forget("v1");

  EXPECT_EQ(Decide({"v1"}).reason, StickyReason::kHashed);
}

TEST_F(ApplicationCookieTest, EndsWithTheCookie) {
  Learn("v1", 1, seconds{60});

  clock_.Advance(seconds{61});

  EXPECT_EQ(Decide({"v1"}).reason, StickyReason::kHashed);
}

TEST_F(ApplicationCookieTest, SurvivesAChangeOfThePool) {
  Learn("v2", 2);
  pool_.Remove(0);
  Apply();

  EXPECT_EQ(Decide({"v2"}).member, 1);
}

TEST_F(ApplicationCookieTest, MovesForGoodWhenItsMemberIsNotEligible) {
  Learn("v1", 1);
  SetStatus(1, MemberStatus::kOffline);

  const StickyDecision decision = Decide({"v1"});
  EXPECT_EQ(decision.reason, StickyReason::kMemberNotEligible);
  stickiness_->Rebind(decision, 2, clock_.Now());
  SetStatus(1, MemberStatus::kOnline);

  EXPECT_EQ(Decide({"v1"}).member, 2);
}

TEST_F(ApplicationCookieTest, TellsCookiesOfAnotherNameApart) {
  Learn("v1", 1);
  pool_.config().cookie_name = "PHPSESSID";
  Apply();

  EXPECT_EQ(Decide({"v1"}).reason, StickyReason::kHashed);
}

TEST_F(ApplicationCookieTest, FindsNobodyWhenNobodyIsEligible) {
  for (std::size_t i = 0; i < 3; ++i) {
    SetStatus(i, MemberStatus::kOffline);
  }

  EXPECT_EQ(Decide({"abcd"}).member, std::nullopt);
}

}  // namespace
}  // namespace elb::balancer
