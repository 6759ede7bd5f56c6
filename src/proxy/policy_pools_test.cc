// Policies that lead to pools, with members behind them.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/testing/proxy_rig.h"
#include "proxy/testing/routing_rig.h"

namespace elb::proxy {
namespace {

using contract::L7PolicyConfig;
using contract::MemberStatus;
using Counts = std::vector<std::size_t>;

std::string Get(std::string_view target, std::string_view more = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a.test\r\n" + std::string(more) +
         "\r\n";
}

/// The value of a field of an answer or a log line: what stands between `before` and `end`.
std::string Between(std::string_view text, std::string_view before, std::string_view end) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) {
    return "(none)";
  }
  text.remove_prefix(at + before.size());
  return std::string(text.substr(0, text.find(end)));
}

std::string CookieOf(std::string_view answer) { return Between(answer, "Set-Cookie: ", ";"); }

/// Member A behind the default pool; `Pool` adds others, whose members are B, C and so on.
class PolicyPoolsTest : public ::testing::Test {
 protected:
  L7PolicyConfig& Policy(std::string id, std::vector<contract::L7RuleConfig> rules,
                         std::vector<contract::WeightedPool> pools) {
    rig_.listener.policies.push_back(
        {.id = L7PolicyId(std::move(id)), .rules = std::move(rules), .pools = std::move(pools)});
    return rig_.listener.policies.back();
  }
  static contract::WeightedPool All(const contract::PoolConfig& pool) {
    return {.pool = pool.id, .weight = 1};
  }
  static void MakeSticky(contract::PoolConfig& pool) {
    pool.stickiness = contract::Stickiness::kLoadBalancerCookie;
  }
  std::string Logged(std::string_view name) {
    return Between(rig_.access_log.lines.back(), "\"" + std::string(name) + "\":\"", "\"");
  }

  testing::ProxyRig rig_{1};
};

TEST_F(PolicyPoolsTest, LeadsToThePoolOfTheFirstPolicyThatMatches) {
  Policy("p", {testing::Prefix("/api")}, {All(rig_.AddPool("one", 1))});
  Policy("q", {testing::Prefix("/")}, {All(rig_.AddPool("two", 1))});
  rig_.Apply();

  EXPECT_NE(rig_.Ask(Get("/api/x")), "");
  EXPECT_EQ(rig_.Seen(), (Counts{0, 1, 0}));
  EXPECT_NE(rig_.Ask(Get("/other")), "");
  EXPECT_EQ(rig_.Seen(), (Counts{0, 1, 1}));
}

TEST_F(PolicyPoolsTest, LeavesTheDefaultPoolWhatNoPolicyTakes) {
  Policy("p", {testing::Prefix("/api")}, {All(rig_.AddPool("one", 1))});
  rig_.Apply();

  EXPECT_NE(rig_.Ask(Get("/other")), "");

  EXPECT_EQ(rig_.Seen(), (Counts{1, 0}));
  EXPECT_EQ(Logged("l7policy_id"), "-");
  EXPECT_EQ(Logged("pool_name"), "pool_pool");
}

TEST_F(PolicyPoolsTest, T10_6_RelaysTheTargetAsItCame) {
  Policy("p", {testing::Exact("/admin")}, {All(rig_.AddPool("one", 1))});
  rig_.Apply();

  for (const std::string target : {"/%61dmin", "/x/../admin", "/./admin?a=%62"}) {
    EXPECT_NE(rig_.Ask(Get(target)), "");
    ASSERT_FALSE(rig_.members[1]->requests.empty()) << target;
    EXPECT_TRUE(rig_.members[1]->requests.back().starts_with("GET " + target + " HTTP/1.1\r\n"));
  }
}

TEST_F(PolicyPoolsTest, T10_10_SharesRequestsExactly) {
  const auto& one = rig_.AddPool("one", 1);
  const auto& two = rig_.AddPool("two", 1);
  Policy("p", {}, {{.pool = one.id, .weight = 80}, {.pool = two.id, .weight = 20}});
  rig_.Apply();

  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(rig_.Ask(Get("/")), "");
  }

  EXPECT_EQ(rig_.Seen(), (Counts{0, 80, 20}));
}

TEST_F(PolicyPoolsTest, RetriesAmongTheMembersOfThePoolThatWasChosen) {
  Policy("p", {}, {All(rig_.AddPool("one", 2))});
  rig_.Apply();
  rig_.Refuse(1);

  EXPECT_TRUE(rig_.Ask(Get("/")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(rig_.Ask(Get("/")).starts_with("HTTP/1.1 200 "));

  EXPECT_EQ(rig_.Seen(), (Counts{0, 0, 2}));
}

TEST_F(PolicyPoolsTest, NeverReplacesAPoolThatFails) {
  const auto& one = rig_.AddPool("one", 1);
  const auto& two = rig_.AddPool("two", 1);
  Policy("p", {}, {{.pool = one.id, .weight = 1}, {.pool = two.id, .weight = 1}});
  rig_.Apply();
  rig_.Refuse(1);

  EXPECT_TRUE(rig_.Ask(Get("/")).starts_with("HTTP/1.1 502 "));
  EXPECT_TRUE(rig_.Ask(Get("/")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(rig_.Ask(Get("/")).starts_with("HTTP/1.1 502 "));

  EXPECT_EQ(rig_.Seen(), (Counts{0, 0, 1}));
}

TEST_F(PolicyPoolsTest, Answers50000WhenNoMemberOfThePolicysPoolIsEligible) {
  Policy("p", {}, {All(rig_.AddPool("one", 1))});
  rig_.more_pools[0].minimum_healthy = 0;
  rig_.more_pools[0].members[0].weight = 0;
  rig_.Apply();

  const std::string answer = rig_.Ask(Get("/"));

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_EQ(Between(answer, "x-router-code: ", "\r\n"), "50000");
  EXPECT_EQ(Logged("l7policy_id"), "p");
  EXPECT_EQ(Logged("error_reason"), "no_eligible_member");
}

TEST_F(PolicyPoolsTest, T7_9_KeepsASessionInEachPool) {
  for (const std::string name : {"one", "two"}) {
    MakeSticky(rig_.AddPool(name, 2));
    Policy(name, {testing::Prefix("/" + name)}, {All(rig_.more_pools.back())});
  }
  rig_.Apply();
  const std::string first = CookieOf(rig_.Ask(Get("/one")));
  const std::string second = CookieOf(rig_.Ask(Get("/two")));
  ASSERT_NE(first.substr(0, 18), second.substr(0, 18));
  const std::string jar = "Cookie: a=1; " + first + "; " + second + "; b=2\r\n";

  for (int i = 0; i < 10; ++i) {
    ASSERT_NE(rig_.Ask(Get("/one", jar)), "");
    ASSERT_NE(rig_.Ask(Get("/two", jar)), "");
  }

  EXPECT_EQ(rig_.Seen(), (Counts{0, 11, 0, 11, 0}));
}

TEST_F(PolicyPoolsTest, T7_6_HidesTheCookiesOfAllItsPoolsFromEveryMember) {
  for (const std::string name : {"one", "two"}) {
    MakeSticky(rig_.AddPool(name, 1));
    Policy(name, {testing::Prefix("/" + name)}, {All(rig_.more_pools.back())});
  }
  rig_.Apply();
  const std::string first = CookieOf(rig_.Ask(Get("/one")));
  const std::string second = CookieOf(rig_.Ask(Get("/two")));

  const std::string jar = "Cookie: a=1; " + first + "; " + second + "; b=2\r\n";
  for (const std::string target : {"/one", "/two", "/other"}) {
    ASSERT_NE(rig_.Ask(Get(target, jar)), "");
  }

  for (const auto& member : rig_.members) {
    EXPECT_EQ(Between(member->requests.back(), "Cookie: ", "\r\n"), "a=1; b=2");
  }
}

TEST_F(PolicyPoolsTest, ChoosesThePoolByWeightAndTheMemberByItsSession) {
  auto& one = rig_.AddPool("one", 2);
  auto& two = rig_.AddPool("two", 2);
  MakeSticky(one);
  MakeSticky(two);
  Policy("p", {}, {{.pool = one.id, .weight = 1}, {.pool = two.id, .weight = 1}});
  rig_.Apply();
  const std::string first = CookieOf(rig_.Ask(Get("/")));
  const std::string second = CookieOf(rig_.Ask(Get("/")));

  for (int i = 0; i < 8; ++i) {
    ASSERT_NE(rig_.Ask(Get("/", "Cookie: " + first + "; " + second + "\r\n")), "");
  }

  EXPECT_EQ(rig_.Seen(), (Counts{0, 5, 0, 5, 0}));
}

TEST_F(PolicyPoolsTest, LogsPolicyAndPool) {
  rig_.AddPool("one", 1).name = "first";
  Policy("p", {}, {All(rig_.more_pools.back())});
  rig_.Apply();

  ASSERT_NE(rig_.Ask(Get("/")), "");

  EXPECT_EQ(Logged("l7policy_id"), "p");
  EXPECT_EQ(Logged("pool_id"), "one");
  EXPECT_EQ(Logged("pool_name"), "pool_one");
  EXPECT_EQ(Logged("pool_usr_name"), "first");
  EXPECT_EQ(Logged("member_name"), "B");
}

TEST_F(PolicyPoolsTest, T10_9_LogsNoPoolWhereAPolicyAnswers) {
  L7PolicyConfig& policy = Policy("p", {}, {});
  policy.action = contract::PolicyAction::kFixedResponse;
  policy.status_code = 403;
  rig_.Apply();

  ASSERT_TRUE(rig_.Ask(Get("/")).starts_with("HTTP/1.1 403 "));

  EXPECT_EQ(Logged("l7policy_id"), "p");
  for (const std::string_view name :
       {"pool_id", "pool_name", "pool_usr_name", "member_name", "upstream_status",
        "upstream_connect_time", "upstream_header_time", "upstream_response_time", "upstream_addr",
        "upstream_addr_priv", "error_reason"}) {
    EXPECT_EQ(Logged(name), "-") << name;
  }
}

TEST_F(PolicyPoolsTest, TakesChangedPoliciesForTheNextRequestAndLeavesThoseInFlight) {
  Policy("p", {}, {All(rig_.AddPool("one", 1))});
  rig_.AddPool("two", 1);
  rig_.Apply();
  rig_.members[1]->answer.clear();
  const auto in_flight = rig_.Send(Get("/"));
  rig_.RunFor(std::chrono::milliseconds{10});

  rig_.listener.policies[0].pools = {All(rig_.more_pools[1])};
  rig_.Apply();
  EXPECT_NE(rig_.Ask(Get("/")), "");
  EXPECT_EQ(rig_.Seen(), (Counts{0, 1, 1}));

  rig_.members[1]->Resume("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(rig_.Receive(*in_flight).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(Logged("pool_id"), "one");
}

TEST_F(PolicyPoolsTest, KeepsNothingReadyForAListenerWithoutPolicies) {
  EXPECT_EQ(rig_.compiled_listener().router, nullptr);
  EXPECT_TRUE(rig_.compiled_listener().targets.empty());
}

}  // namespace
}  // namespace elb::proxy
