// Order and contents of the policies that the data plane gets (data-plane.md 10.1, 10.2).
#include "control/forwarding.h"

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

Json Rule(const std::string& type, const std::string& compare, const std::string& value) {
  return {{"type", type}, {"compare_type", compare}, {"value", value}};
}

class ForwardingTest : public testing::Test {
 protected:
  std::string Policy(const Json& rules, const Json& extra = Json::object()) {
    Json body{{"listener_id", listener_}, {"action", "REDIRECT_TO_POOL"}, {"rules", rules}};
    if (!extra.contains("action")) {
      body["redirect_pool_id"] = world_.Pool(balancer_);
    }
    body.update(extra);
    return world_.Create(Resource::kL7Policy, body);
  }
  [[nodiscard]] std::vector<std::string> Order() const {
    std::vector<std::string> ids;
    for (const auto& policy : InForce()) {
      ids.push_back(policy.id.value());
    }
    return ids;
  }
  [[nodiscard]] const std::vector<contract::L7PolicyConfig>& InForce() const {
    return world_.ListenerInForce(listener_)->policies;
  }
  void UseAdvanced() {
    listener_ = world_.Listener(balancer_, 81, {{"enhance_l7policy_enable", true}});
  }

  World world_;
  std::string balancer_ = world_.Balancer();
  std::string listener_ = world_.Listener(balancer_, 80);
};

TEST_F(ForwardingTest, PutsHostsFirstThenExactPathsThenPrefixesThenExpressions) {
  const std::string everything = Policy(Json::array());
  const std::string regex = Policy(Json::array({Rule("PATH", "REGEX", "/a.*")}));
  const std::string prefix = Policy(Json::array({Rule("PATH", "STARTS_WITH", "/a")}));
  const std::string longer = Policy(Json::array({Rule("PATH", "STARTS_WITH", "/a/b")}));
  const std::string exact = Policy(Json::array({Rule("PATH", "EQUAL_TO", "/a")}));
  const std::string host = Policy(Json::array({Rule("HOST_NAME", "EQUAL_TO", "a.test")}));
  const std::string host_regex =
      Policy(Json::array({Rule("HOST_NAME", "EQUAL_TO", "a.test"), Rule("PATH", "REGEX", "/a.*")}));
  const std::string host_prefix = Policy(
      Json::array({Rule("HOST_NAME", "EQUAL_TO", "a.test"), Rule("PATH", "STARTS_WITH", "/b")}));
  const std::string host_exact = Policy(
      Json::array({Rule("HOST_NAME", "EQUAL_TO", "a.test"), Rule("PATH", "EQUAL_TO", "/b")}));

  EXPECT_EQ(Order(), (std::vector{host_exact, host_prefix, host, host_regex, exact, longer, prefix,
                                  regex, everything}));
}

TEST_F(ForwardingTest, PutsARedirectionOfEverythingBeforeAllOthers) {
  const std::string secure = world_.HttpsListener(balancer_, 443, world_.Certificate());
  const std::string exact = Policy(Json::array({Rule("PATH", "EQUAL_TO", "/a")}));
  const std::string redirect =
      Policy(Json::array(), {{"action", "REDIRECT_TO_LISTENER"}, {"redirect_listener_id", secure}});

  EXPECT_EQ(Order(), (std::vector{redirect, exact}));
  EXPECT_EQ(InForce()[0].action, contract::PolicyAction::kToListener);
  EXPECT_EQ(InForce()[0].listener_port, 443);
}

TEST_F(ForwardingTest, OrdersARedirectionWithRulesLikeOthers) {
  const std::string secure = world_.HttpsListener(balancer_, 443, world_.Certificate());
  const std::string redirect =
      Policy(Json::array(), {{"action", "REDIRECT_TO_LISTENER"}, {"redirect_listener_id", secure}});
  world_.Create(Resource::kL7Rule, Rule("PATH", "STARTS_WITH", "/a"), redirect);
  const std::string exact = Policy(Json::array({Rule("PATH", "EQUAL_TO", "/a/b")}));

  EXPECT_EQ(Order(), (std::vector{exact, redirect}));
}

TEST_F(ForwardingTest, GoesByPriorityWithAdvancedForwarding) {
  UseAdvanced();
  const std::string later =
      Policy(Json::array({Rule("PATH", "EQUAL_TO", "/a")}), {{"priority", 4}});
  const std::string sooner =
      Policy(Json::array({Rule("PATH", "REGEX", "/a.*")}), {{"priority", 3}});

  EXPECT_EQ(Order(), (std::vector{sooner, later}));
}

TEST_F(ForwardingTest, PutsRedirectionsFirstWithAdvancedForwardingToo) {
  UseAdvanced();
  const std::string secure = world_.HttpsListener(balancer_, 443, world_.Certificate());
  const std::string pool = Policy(Json::array(), {{"priority", 1}});
  const std::string redirect =
      Policy(Json::array(), {{"action", "REDIRECT_TO_LISTENER"}, {"redirect_listener_id", secure}});
  world_.Create(Resource::kL7Rule, Rule("PATH", "EQUAL_TO", "/a"), redirect);

  EXPECT_EQ(Order(), (std::vector{redirect, pool}));
}

TEST_F(ForwardingTest, LeavesOutWhatIsDisabled) {
  const std::string kept = Policy(Json::array({Rule("PATH", "EQUAL_TO", "/a")}));
  Policy(Json::array({Rule("PATH", "EQUAL_TO", "/b")}), {{"admin_state_up", false}});
  Json disabled = Rule("PATH", "EQUAL_TO", "/c");
  disabled["admin_state_up"] = false;
  Policy(Json::array({disabled}));

  EXPECT_EQ(Order(), std::vector{kept});
}

TEST_F(ForwardingTest, LeavesOutWhatExceedsTheQuota) {
  const std::string older = Policy(Json::array({Rule("PATH", "STARTS_WITH", "/a")}));
  Policy(Json::array({Rule("PATH", "EQUAL_TO", "/b")}));

  world_.node.quotas = {{"l7policies_per_listener", 1}};
  world_.Restart();

  EXPECT_EQ(Order(), std::vector{older});
}

TEST_F(ForwardingTest, NamesOnePoolOrSeveralWithWeights) {
  const std::string first = world_.Pool(balancer_);
  const std::string second = world_.Pool(balancer_);
  Policy(Json::array(), {{"redirect_pool_id", first}});
  EXPECT_EQ(InForce()[0].pools,
            (std::vector<contract::WeightedPool>{{.pool = PoolId(first), .weight = 1}}));
  ASSERT_TRUE(world_.Update(
      Resource::kL7Policy, Order()[0],
      {{"redirect_pools_config", Json::array({{{"pool_id", first}, {"weight", "80"}},
                                              {{"pool_id", second}, {"weight", 20}}})}}));

  EXPECT_EQ(InForce()[0].pools,
            (std::vector<contract::WeightedPool>{{.pool = PoolId(first), .weight = 80},
                                                 {.pool = PoolId(second), .weight = 20}}));
  EXPECT_TRUE(world_.PoolInForce(second)->attached);
}

TEST_F(ForwardingTest, CompilesRulesWithTheirConditions) {
  UseAdvanced();
  Policy(Json::array({{{"type", "HEADER"},
                       {"compare_type", "EQUAL_TO"},
                       {"value", "unused"},
                       {"invert", true},
                       {"conditions", Json::array({{{"key", "X-A"}, {"value", "1"}},
                                                   {{"key", "X-A"}, {"value", "2"}}})}},
                      Rule("PATH", "STARTS_WITH", "/a")}));

  const auto& rules = InForce()[0].rules;
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0], (contract::L7RuleConfig{.type = contract::RuleType::kHeader,
                                              .compare = contract::RuleCompare::kEqualTo,
                                              .invert = true,
                                              .key = "X-A",
                                              .values = {"1", "2"}}));
  EXPECT_EQ(rules[1], (contract::L7RuleConfig{.type = contract::RuleType::kPath,
                                              .compare = contract::RuleCompare::kStartsWith,
                                              .invert = false,
                                              .key = "",
                                              .values = {"/a"}}));
}

TEST_F(ForwardingTest, CompilesUrlsAndFixedResponses) {
  UseAdvanced();
  Policy(Json::array(), {{"action", "REDIRECT_TO_URL"},
                         {"redirect_url_config", {{"host", "b.test"}, {"status_code", "302"}}}});
  Policy(Json::array(),
         {{"action", "FIXED_RESPONSE"},
          {"fixed_response_config",
           {{"status_code", "403"}, {"content_type", "text/html"}, {"message_body", "no"}}}});

  EXPECT_EQ(InForce()[0].action, contract::PolicyAction::kToUrl);
  EXPECT_EQ(InForce()[0].url_host, "b.test");
  EXPECT_EQ(InForce()[0].url_query, "${query}");
  EXPECT_EQ(InForce()[0].status_code, 302);
  EXPECT_EQ(InForce()[1].action, contract::PolicyAction::kFixedResponse);
  EXPECT_EQ(InForce()[1].status_code, 403);
  EXPECT_EQ(InForce()[1].content_type, "text/html");
  EXPECT_EQ(InForce()[1].message_body, "no");
}

}  // namespace
}  // namespace elb::control
