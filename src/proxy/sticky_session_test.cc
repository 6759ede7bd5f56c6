#include "proxy/sticky_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proxy/testing/proxy_rig.h"

namespace elb::proxy {
namespace {

using contract::MemberStatus;
using contract::Stickiness;
using std::chrono::minutes;
using std::chrono::seconds;
using Sizes = std::vector<std::size_t>;

std::string AnswerWith(const std::string& fields) {
  return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields + "\r\n";
}

bool IsCacheable(std::string_view value) {
  return IsSharedCacheable(
      {{.name = "Cache-Control", .value = value, .known = http::FieldName::kCacheControl}});
}

TEST(IsSharedCacheableTest, FindsPublicAndASharedAge) {
  EXPECT_TRUE(IsCacheable("public"));
  EXPECT_TRUE(IsCacheable("max-age=60, Public"));
  EXPECT_TRUE(IsCacheable("no-transform,s-maxage=60"));
  EXPECT_TRUE(IsCacheable("S-MaxAge=\"1\""));
}

TEST(IsSharedCacheableTest, LeavesOthersAlone) {
  EXPECT_FALSE(IsCacheable(""));
  EXPECT_FALSE(IsCacheable("private, max-age=60"));
  EXPECT_FALSE(IsCacheable("s-maxage=0"));
  EXPECT_FALSE(IsCacheable("publicity"));
  EXPECT_FALSE(IsCacheable("private=\"a, public\""));
}

/// A pool of three members under its own cookie.
class StickyExchangeTest : public ::testing::Test {
 protected:
  explicit StickyExchangeTest(Stickiness kind = Stickiness::kLoadBalancerCookie) {
    rig_.pool.stickiness = kind;
    rig_.pool.stickiness_duration = minutes{20};
    rig_.pool.cookie_name = "SID";
    rig_.listener.member_timeout = seconds{1};
    rig_.Apply();
  }

  std::string Get(std::string_view fields = {}) { return Ask("GET", fields); }
  std::string Ask(std::string_view method, std::string_view fields) {
    return rig_.Ask(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
                    "\r\n");
  }
  /// The pair `name=value` that an answer sets; empty: none.
  static std::string CookieOf(const std::string& answer) {
    const std::size_t at = answer.find("Set-Cookie: ELBSTICKY_");
    if (at == std::string::npos) {
      return {};
    }
    const std::size_t from = at + std::string_view("Set-Cookie: ").size();
    return answer.substr(from, answer.find(';', from) - from);
  }
  static int StatusOf(const std::string& answer) {
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }

  testing::ProxyRig rig_{3};
};

TEST_F(StickyExchangeTest, T7_1_FollowsTheCookieAndLeavesTheAlgorithmAlone) {
  const std::string cookie = CookieOf(Get());
  const std::string fields = "Cookie: " + cookie + "\r\n";

  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(CookieOf(Get(fields)), "");
  }
  EXPECT_EQ(rig_.Seen(), (Sizes{11, 0, 0}));
  for (int i = 0; i < 5; ++i) {
    Get();
  }

  EXPECT_EQ(rig_.Seen(), (Sizes{12, 2, 2}));
  EXPECT_EQ(rig_.Counted(PoolCounter::kStickyHits), 10);
  EXPECT_EQ(rig_.Counted(PoolCounter::kStickyRebinds), 0);
}

TEST_F(StickyExchangeTest, T7_3_SetsTheAttributesOfPlainHttp) {
  const std::string answer = Get();

  EXPECT_NE(answer.find("; Path=/; Max-Age=1200; HttpOnly\r\n"), std::string::npos) << answer;
}

TEST_F(StickyExchangeTest, T7_2_IgnoresAChangedCookieAndSetsANewOne) {
  std::string cookie = CookieOf(Get());
  cookie.back() = cookie.back() == 'A' ? 'B' : 'A';

  const std::string answer = Get("Cookie: " + cookie + "\r\n");

  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_NE(CookieOf(answer), "");
  EXPECT_EQ(rig_.Seen(), (Sizes{1, 1, 0}));
}

TEST_F(StickyExchangeTest, RenewsAnAgingCookie) {
  const std::string cookie = CookieOf(Get());
  rig_.RunFor(seconds{62});

  const std::string renewed = CookieOf(Get("Cookie: " + cookie + "\r\n"));

  EXPECT_NE(renewed, "");
  EXPECT_NE(renewed, cookie);
  EXPECT_EQ(rig_.Seen(), (Sizes{2, 0, 0}));
}

TEST_F(StickyExchangeTest, T7_4_ExpiresAfterAPause) {
  const std::string cookie = CookieOf(Get());
  rig_.RunFor(minutes{20} + seconds{10});

  EXPECT_NE(CookieOf(Get("Cookie: " + cookie + "\r\n")), "");
  EXPECT_EQ(rig_.Seen(), (Sizes{1, 1, 0}));
}

TEST_F(StickyExchangeTest, T7_5_MovesAwayFromAnOfflineMemberForGood) {
  const std::string cookie = CookieOf(Get());
  rig_.SetStatus(0, MemberStatus::kOffline);

  const std::string moved = CookieOf(Get("Cookie: " + cookie + "\r\n"));
  rig_.SetStatus(0, MemberStatus::kOnline);
  Get("Cookie: " + moved + "\r\n");

  EXPECT_EQ(rig_.Seen(), (Sizes{1, 2, 0}));
  EXPECT_EQ(rig_.Counted(PoolCounter::kStickyRebinds), 1);
}

TEST_F(StickyExchangeTest, T7_6_HidesItsCookieFromMembersAndNothingElse) {
  const std::string cookie = CookieOf(Get());

  Get("Cookie: a=1; " + cookie + "; b=2\r\nCookie: " + cookie + "\r\nCookie: c=\"3\"\r\n");

  const std::string& seen = rig_.members[0]->requests.back();
  EXPECT_NE(seen.find("Cookie: a=1; b=2\r\nCookie: c=\"3\"\r\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("ELBSTICKY"), std::string::npos) << seen;
}

TEST_F(StickyExchangeTest, LetsNoMemberSetItsCookie) {
  const std::string name = rig_.compiled_pool().stickiness->cookie_name();
  rig_.members[0]->answer =
      AnswerWith("Set-Cookie: a=1\r\nSet-Cookie: " + name + "=evil; Path=/x\r\n");

  const std::string answer = Get();

  EXPECT_NE(answer.find("Set-Cookie: a=1\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("evil"), std::string::npos);
  EXPECT_NE(CookieOf(answer), "");
}

TEST_F(StickyExchangeTest, KeepsItsCookieOutOfSharedCaches) {
  rig_.members[0]->answer = AnswerWith("Cache-Control: public, max-age=60\r\n");

  EXPECT_EQ(CookieOf(Get()), "");
}

TEST_F(StickyExchangeTest, SetsNoCookieInItsOwnAnswers) {
  for (std::size_t i = 0; i < 3; ++i) {
    rig_.SetStatus(i, MemberStatus::kOffline);
  }

  const std::string answer = Get();

  EXPECT_EQ(StatusOf(answer), 503);
  EXPECT_EQ(CookieOf(answer), "");
}

TEST_F(StickyExchangeTest, UsesAnOfflineMemberWhereThePoolFailsOpen) {
  rig_.pool.minimum_healthy = 1;
  rig_.Apply();
  const std::string cookie = CookieOf(Get());
  for (std::size_t i = 0; i < 3; ++i) {
    rig_.SetStatus(i, MemberStatus::kOffline);
  }

  EXPECT_EQ(StatusOf(Get("Cookie: " + cookie + "\r\n")), 200);
  EXPECT_EQ(rig_.Seen(), (Sizes{2, 0, 0}));
}

TEST_F(StickyExchangeTest, T5_6_AnswersAResponseTimeoutAtOnce) {
  for (const auto& member : rig_.members) {
    member->answer.clear();
  }
  const MonotonicTime before = rig_.clock.Now();

  const std::string answer = Get();

  EXPECT_EQ(StatusOf(answer), 504);
  EXPECT_EQ(CookieOf(answer), "");
  EXPECT_LT(rig_.clock.Now() - before, std::chrono::milliseconds{1100});
  EXPECT_EQ(rig_.Seen(), (Sizes{1, 0, 0}));
}

TEST_F(StickyExchangeTest, T5_6_MovesToAnotherMemberWhenItsOwnRefuses) {
  const std::string cookie =
      CookieOf(rig_.Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  rig_.RunFor(seconds{61});  // No idle connection is left.
  rig_.Refuse(0);

  const std::string answer = Ask("POST", "Content-Length: 0\r\nCookie: " + cookie + "\r\n");

  EXPECT_EQ(StatusOf(answer), 200);
  const std::string moved = CookieOf(answer);
  EXPECT_NE(moved, "");
  Get("Cookie: " + moved + "\r\n");
  EXPECT_EQ(rig_.Seen(), (Sizes{1, 2, 0}));
  EXPECT_EQ(rig_.Counted(PoolCounter::kStickyRebinds), 1);
}

TEST_F(StickyExchangeTest, TakesSwitchingOffAndOnForTheNextRequest) {
  const std::string fields = "Cookie: " + CookieOf(Get()) + "\r\n";
  rig_.pool.stickiness = Stickiness::kOff;
  rig_.Apply();
  EXPECT_EQ(CookieOf(Get(fields)), "");
  EXPECT_EQ(rig_.Seen(), (Sizes{1, 1, 0}));

  rig_.pool.stickiness = Stickiness::kLoadBalancerCookie;
  rig_.Apply();
  Get(fields);

  EXPECT_EQ(rig_.Seen(), (Sizes{2, 1, 0}));
}

class ApplicationCookieExchangeTest : public StickyExchangeTest {
 protected:
  ApplicationCookieExchangeTest() : StickyExchangeTest(Stickiness::kApplicationCookie) {}
};

TEST_F(ApplicationCookieExchangeTest, T7_8_FollowsTheMemberThatSetTheValue) {
  rig_.members[0]->answer = AnswerWith("Set-Cookie: SID=v; Path=/\r\n");
  const std::string login = Get();

  for (int i = 0; i < 10; ++i) {
    Get("Cookie: SID=v\r\n");
  }

  EXPECT_NE(login.find("Set-Cookie: SID=v; Path=/\r\n"), std::string::npos);
  EXPECT_EQ(login.find("ELBSTICKY"), std::string::npos);
  EXPECT_EQ(rig_.Seen(), (Sizes{11, 0, 0}));
  EXPECT_NE(rig_.members[0]->requests.back().find("Cookie: SID=v\r\n"), std::string::npos);
}

TEST_F(ApplicationCookieExchangeTest, T7_8_SendsAnInventedValueToOneMember) {
  for (int i = 0; i < 20; ++i) {
    Get("Cookie: SID=abcd\r\n");
  }

  Sizes seen = rig_.Seen();
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (Sizes{0, 0, 20}));
}

TEST_F(ApplicationCookieExchangeTest, KeepsWhatItLearntAcrossAReload) {
  rig_.members[0]->answer = AnswerWith("Set-Cookie: SID=v\r\n");
  Get();
  rig_.pool.members[1].weight = 7;
  rig_.Apply();

  Get("Cookie: SID=v\r\n");

  EXPECT_EQ(rig_.Seen(), (Sizes{2, 0, 0}));
}

TEST_F(ApplicationCookieExchangeTest, EndsASessionThatIsDeleted) {
  rig_.members[0]->answer = AnswerWith("Set-Cookie: SID=v\r\n");
  Get();
  rig_.members[0]->answer = AnswerWith("Set-Cookie: SID=; Max-Age=0\r\n");
  Get("Cookie: SID=v\r\n");

  EXPECT_EQ(rig_.compiled_pool().runtime->cookies->size(), 0);
}

TEST_F(ApplicationCookieExchangeTest, T7_5_MovesASessionForGood) {
  rig_.members[0]->answer = AnswerWith("Set-Cookie: SID=v\r\n");
  Get();
  rig_.SetStatus(0, MemberStatus::kOffline);
  Get("Cookie: SID=v\r\n");
  rig_.SetStatus(0, MemberStatus::kOnline);
  Get("Cookie: SID=v\r\n");

  EXPECT_EQ(rig_.Seen(), (Sizes{1, 2, 0}));
  EXPECT_EQ(rig_.Counted(PoolCounter::kStickyRebinds), 1);
}

}  // namespace
}  // namespace elb::proxy
