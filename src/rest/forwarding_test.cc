// Paths and lists of forwarding policies and rules (api-v3.md 1.8.3, 2.9, 2.10).
#include "rest/forwarding.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class ForwardingTest : public testing::Test {
 protected:
  std::string Policy(const std::string& listener, const std::string& path) {
    return world_.Create(
        control::Resource::kL7Policy,
        {{"listener_id", listener},
         {"action", "REDIRECT_TO_POOL"},
         {"redirect_pool_id", world_.Pool(balancer_)},
         {"rules",
          Json::array({{{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", path}}})}});
  }

  Service service_;
  control::World& world_ = service_.world;
  std::string balancer_ = world_.Balancer();
  std::string listener_ = world_.Listener(balancer_, 80);
};

TEST_F(ForwardingTest, ServesRulesBelowTheirPolicy) {
  const std::string policy = Policy(listener_, "/a");
  const std::string other = Policy(listener_, "/b");

  const Answer list = service_.Call("GET", "l7policies/" + policy + "/rules");

  ASSERT_EQ(list.body["rules"].size(), 1U);
  const std::string rule = list.body["rules"][0]["id"];
  EXPECT_EQ(service_.Call("GET", "l7policies/" + policy + "/rules/" + rule).status, 200);
  EXPECT_EQ(service_.Call("GET", "l7policies/" + other + "/rules/" + rule).status, 404);
  EXPECT_EQ(service_.Call("GET", "l7policies/nothing/rules").status, 404);
  EXPECT_EQ(service_.Call("GET", "rules").status, 404);
  EXPECT_EQ(service_.Call("DELETE", "l7policies/" + policy + "/rules/" + rule).status, 204);
  EXPECT_EQ(service_.Call("GET", "l7policies/" + policy + "/rules?rule_value=/a").body["rules"],
            Json::array());
}

TEST_F(ForwardingTest, ListsPoliciesOfAListenerWithWholeRulesOnRequest) {
  const std::string policy = Policy(listener_, "/a");
  Policy(world_.Listener(balancer_, 81), "/a");
  const std::string path = "l7policies?listener_id=" + listener_;

  const Json brief = service_.Call("GET", path).body["l7policies"];
  const Json whole = service_.Call("GET", path + "&display_all_rules=True").body["l7policies"];

  ASSERT_EQ(brief.size(), 1U);
  EXPECT_EQ(brief[0]["id"], policy);
  EXPECT_EQ(brief[0]["rules"][0].size(), 1U);
  EXPECT_EQ(whole[0]["rules"][0]["value"], "/a");
  EXPECT_EQ(whole[0]["rules"][0]["id"], brief[0]["rules"][0]["id"]);
  EXPECT_EQ(service_.Call("GET", "l7policies?display_all_rules=1").code(), "ELB.8902");
  EXPECT_EQ(service_.Call("PUT", "l7policies/" + policy, Json{{"l7policy", whole[0]}}).status, 200);
}

TEST_F(ForwardingTest, ListsTheRulesOfAllPolicies) {
  Policy(listener_, "/a");
  Policy(listener_, "/b");

  const Answer all = service_.Call("GET", "l7policies/rules");

  ASSERT_EQ(all.body["rules"].size(), 2U);
  EXPECT_EQ(all.body["rules"][0]["value"], "/a");
  EXPECT_EQ(all.body["page_info"]["current_count"], 2);
  EXPECT_EQ(service_.Call("GET", "l7policies/rules?value=/b").body["rules"].size(), 1U);
  EXPECT_EQ(service_.Call("POST", "l7policies/rules", Json{{"rule", Json::object()}}).status, 405);
}

TEST_F(ForwardingTest, ChangesPrioritiesInOneCall) {
  const std::string advanced = world_.Listener(balancer_, 82, {{"enhance_l7policy_enable", true}});
  const std::string policy = Policy(advanced, "/a");
  const auto call = [&](const Json& list) {
    return service_.Call("POST", "l7policies/batch-update-priority", {{"l7policies", list}});
  };
  const auto entry = [](const std::string& id) {
    return Json::array({{{"id", id}, {"priority", 9}}});
  };

  EXPECT_EQ(call(entry(policy)).status, 202);
  EXPECT_EQ(service_.Call("GET", "l7policies/" + policy).body["l7policy"]["priority"], 9);
  EXPECT_EQ(service_.Call("POST", "l7policies/batch-update-priority").code(), "ELB.0002");
  EXPECT_EQ(call(Json::object()).code(), "ELB.8902");
  EXPECT_EQ(call(entry("nothing")).code(), "ELB.8904");
  EXPECT_EQ(service_.Call("GET", "l7policies/batch-update-priority").status, 405);
}

}  // namespace
}  // namespace elb::rest
