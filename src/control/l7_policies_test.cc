// Forwarding policies and rules: what they refuse, what they do to pools and listeners
// (api-v3.md 2.9, 2.10, 2.19).

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

Json PathRule(const std::string& value) {
  return {{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", value}};
}

Json HostRule() {
  return {{"type", "HOST_NAME"}, {"compare_type", "EQUAL_TO"}, {"value", "a.test"}};
}

Json One(const Json& rule) {
  Json list = Json::array();
  list.push_back(rule);
  return list;
}

class L7PoliciesTest : public testing::Test {
 protected:
  [[nodiscard]] Result<Shown> Try(const Json& body) {
    return world_.TryCreate(Resource::kL7Policy, body);
  }
  [[nodiscard]] Json ToPool(const std::string& pool, const Json& rules = Json::array()) const {
    return {{"listener_id", listener_},
            {"action", "REDIRECT_TO_POOL"},
            {"redirect_pool_id", pool},
            {"rules", rules}};
  }
  std::string Policy(const Json& body) { return world_.Create(Resource::kL7Policy, body); }
  std::string NewPolicy(const Json& rules = Json::array()) {
    return Policy(ToPool(world_.Pool(balancer_), rules));
  }
  [[nodiscard]] Json Show(const std::string& policy) const {
    return world_.Show(Resource::kL7Policy, policy);
  }
  std::string Rule(const std::string& policy, const Json& body) {
    return world_.Create(Resource::kL7Rule, body, policy);
  }
  [[nodiscard]] static Json Ids(const std::vector<std::string>& ids) {
    Json list = Json::array();
    for (const std::string& id : ids) {
      list.push_back({{"id", id}});
    }
    return list;
  }

  World world_;
  std::string balancer_ = world_.Balancer();
  std::string listener_ = world_.Listener(balancer_, 80);
};

TEST_F(L7PoliciesTest, HoldTheRulesGivenInline) {
  const std::string policy = NewPolicy({PathRule("/a"), HostRule()});

  const Json shown = Show(policy);
  ASSERT_EQ(shown["rules"].size(), 2U);
  EXPECT_EQ(shown["provisioning_status"], "ACTIVE");
  EXPECT_EQ(shown["priority"], nullptr);
  const Json rule =
      world_.Show(Resource::kL7Rule, shown["rules"][0]["id"].get<std::string>(), policy);
  EXPECT_EQ(rule["value"], "/a");
  EXPECT_EQ(rule["key"], nullptr);
  EXPECT_EQ(rule["provisioning_status"], "ACTIVE");
}

TEST_F(L7PoliciesTest, TakeTheirShownRulesBackAsNoChange) {
  const std::string policy = NewPolicy({PathRule("/a"), HostRule()});
  const Json shown = Show(policy);
  const std::uint64_t revision = world_.revision();

  const auto updated = world_.Update(Resource::kL7Policy, policy, shown);

  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(*updated->object, shown);
  EXPECT_EQ(world_.revision(), revision);
}

TEST_F(L7PoliciesTest, KeepEqualRulesAndReplaceOthers) {
  const std::string policy = NewPolicy(One(PathRule("/a")));
  const Json before = Show(policy);
  world_.clock.Advance(std::chrono::seconds{5});

  ASSERT_TRUE(world_.Update(Resource::kL7Policy, policy, {{"rules", One(PathRule("/a"))}}));
  EXPECT_EQ(Show(policy), before);
  ASSERT_TRUE(world_.Update(Resource::kL7Policy, policy, {{"rules", One(PathRule("/b"))}}));

  const Json after = Show(policy);
  ASSERT_EQ(after["rules"].size(), 1U);
  EXPECT_NE(after["rules"], before["rules"]);
  EXPECT_NE(after["updated_at"], before["updated_at"]);
  const std::string gone = before["rules"][0]["id"];
  EXPECT_TRUE(world_.Show(Resource::kL7Rule, gone, policy).is_null());
}

TEST_F(L7PoliciesTest, SurviveARestart) {
  const std::string policy = NewPolicy(One(PathRule("/a")));
  const std::string twin = NewPolicy(One(PathRule("/a")));

  world_.Restart();

  EXPECT_EQ(Show(policy)["rules"].size(), 1U);
  EXPECT_EQ(Show(twin)["provisioning_status"], "ERROR");
  EXPECT_EQ(world_.ListenerInForce(listener_)->policies.size(), 1U);
}

TEST_F(L7PoliciesTest, AreInErrorWhileAnOlderOneHasTheSameRules) {
  const std::string first = NewPolicy(One(PathRule("/a")));
  const std::string second = NewPolicy(One(PathRule("/a")));

  EXPECT_EQ(Show(first)["provisioning_status"], "ACTIVE");
  EXPECT_EQ(Show(second)["provisioning_status"], "ERROR");
  const std::string rule = Show(second)["rules"][0]["id"];
  EXPECT_EQ(world_.Show(Resource::kL7Rule, rule, second)["provisioning_status"], "ERROR");
  ASSERT_EQ(world_.ListenerInForce(listener_)->policies.size(), 1U);

  ASSERT_TRUE(world_.Delete(Resource::kL7Policy, first));

  EXPECT_EQ(Show(second)["provisioning_status"], "ACTIVE");
  ASSERT_EQ(world_.ListenerInForce(listener_)->policies.size(), 1U);
  EXPECT_EQ(world_.ListenerInForce(listener_)->policies[0].id.value(), second);
}

TEST_F(L7PoliciesTest, HealWhenARuleChangesAndConflictWhenOneIsAdded) {
  NewPolicy(One(PathRule("/a")));
  const std::string second = NewPolicy();
  EXPECT_EQ(Show(second)["provisioning_status"], "ACTIVE");

  const std::string rule = Rule(second, PathRule("/a"));
  EXPECT_EQ(Show(second)["provisioning_status"], "ERROR");
  ASSERT_TRUE(world_.Update(Resource::kL7Rule, rule, {{"value", "/b"}}));

  EXPECT_EQ(Show(second)["provisioning_status"], "ACTIVE");
  EXPECT_EQ(world_.ListenerInForce(listener_)->policies.size(), 2U);
}

TEST_F(L7PoliciesTest, AreDuplicatesHoweverTheSameRulesAreWritten) {
  Json host = HostRule();
  NewPolicy({PathRule("/a"), host});
  host["value"] = "A.Test";
  Json path = PathRule("/a");
  path["key"] = "unused";

  EXPECT_EQ(Show(NewPolicy({host, path}))["provisioning_status"], "ERROR");
  EXPECT_EQ(Show(NewPolicy({host, PathRule("/A")}))["provisioning_status"], "ACTIVE");
  EXPECT_EQ(Show(NewPolicy(One(PathRule("/a"))))["provisioning_status"], "ACTIVE");
}

TEST_F(L7PoliciesTest, AreNoDuplicatesOfThoseOfOtherListeners) {
  NewPolicy(One(PathRule("/a")));
  listener_ = world_.Listener(balancer_, 81);

  EXPECT_EQ(Show(NewPolicy(One(PathRule("/a"))))["provisioning_status"], "ACTIVE");
}

TEST_F(L7PoliciesTest, KeepTheOlderTwinActiveWhoeverBecomesOne) {
  const std::string older = NewPolicy();
  const std::string younger = NewPolicy(One(PathRule("/a")));

  Rule(older, PathRule("/a"));

  EXPECT_EQ(Show(older)["provisioning_status"], "ACTIVE");
  EXPECT_EQ(Show(younger)["provisioning_status"], "ERROR");
}

TEST_F(L7PoliciesTest, IgnoreDisabledRules) {
  NewPolicy(One(PathRule("/a")));
  const std::string second = NewPolicy({PathRule("/a"), HostRule()});
  const std::string host = Show(second)["rules"][1]["id"];
  EXPECT_EQ(Show(second)["provisioning_status"], "ACTIVE");

  ASSERT_TRUE(world_.Update(Resource::kL7Rule, host, {{"admin_state_up", false}}));

  EXPECT_EQ(Show(second)["provisioning_status"], "ERROR");
}

TEST_F(L7PoliciesTest, WithoutRulesAreNoDuplicates) {
  NewPolicy();
  EXPECT_EQ(Show(NewPolicy())["provisioning_status"], "ACTIVE");
}

TEST_F(L7PoliciesTest, NeedAPoolThatNobodyElseUses) {
  const std::string mine = world_.Pool(balancer_);
  const std::string policy = Policy(ToPool(mine));
  const std::string other = world_.Pool(balancer_);
  const std::string listener = world_.Listener(balancer_, 81, {{"default_pool_id", other}});

  EXPECT_EQ(BlockersOf(Try(ToPool(mine))), std::vector{policy});
  EXPECT_EQ(BlockersOf(Try(ToPool(other))), std::vector{listener});
  EXPECT_EQ(BlockersOf(world_.Update(Resource::kListener, listener, {{"default_pool_id", mine}})),
            std::vector{policy});
  EXPECT_EQ(KindOf(Try(ToPool("nothing"))), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try(ToPool(world_.Pool(world_.Balancer())))), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(Try(ToPool(world_.Pool(balancer_, {{"protocol", "TCP"}})))),
            ErrorKind::kInvalid);
}

TEST_F(L7PoliciesTest, MakeTheirPoolsUsedByTheListener) {
  const std::string pool = world_.Create(Resource::kPool, {{"protocol", "HTTP"},
                                                           {"lb_algorithm", "ROUND_ROBIN"},
                                                           {"type", "instance"},
                                                           {"vpc_id", world_.node.vpc_id}});
  const std::string policy = Policy(ToPool(pool));

  EXPECT_EQ(world_.Show(Resource::kPool, pool)["listeners"], Ids({listener_}));
  EXPECT_EQ(world_.Show(Resource::kPool, pool)["loadbalancers"], Ids({balancer_}));
  EXPECT_TRUE(world_.PoolInForce(pool)->attached);
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kPool, pool)), std::vector{policy});

  ASSERT_TRUE(world_.Delete(Resource::kL7Policy, policy));

  EXPECT_EQ(world_.Show(Resource::kPool, pool)["listeners"], Json::array());
  EXPECT_TRUE(world_.Delete(Resource::kPool, pool));
}

TEST_F(L7PoliciesTest, RedirectToHttpsListenersOfTheSameLoadBalancer) {
  const std::string certificate = world_.Certificate();
  const std::string secure = world_.HttpsListener(balancer_, 8443, certificate);
  const auto redirect = [&](const std::string& target) {
    return Json{{"listener_id", listener_},
                {"action", "REDIRECT_TO_LISTENER"},
                {"redirect_listener_id", target}};
  };
  const std::string elsewhere = world_.HttpsListener(world_.Balancer(), 443, certificate);

  EXPECT_EQ(KindOf(Try(redirect(elsewhere))), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(Try(redirect(world_.Listener(balancer_, 81)))), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(Try(redirect("nothing"))), ErrorKind::kReferenceNotFound);
  const std::string policy = Policy(redirect(secure));

  EXPECT_EQ(world_.ListenerInForce(listener_)->policies[0].listener_port, 8443);
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kListener, secure)), std::vector{policy});
  const std::string rule = Rule(policy, PathRule("/a"));
  ASSERT_TRUE(world_.Update(Resource::kL7Policy, policy, {{"rules", Json::array()}}));
  EXPECT_EQ(Show(policy)["rules"], Ids({rule}));
}

TEST_F(L7PoliciesTest, BlockTheirListenerAndGoWithItByForce) {
  const std::string pool = world_.Pool(balancer_);
  world_.Member(pool, "10.0.0.4");
  const std::string policy = Policy(ToPool(pool, One(PathRule("/a"))));
  const std::string rule = Show(policy)["rules"][0]["id"];

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kListener, listener_)), std::vector{policy});
  ASSERT_TRUE(world_.Delete(Resource::kListener, listener_, DeleteMode::kForce));

  EXPECT_TRUE(Show(policy).is_null());
  EXPECT_TRUE(world_.Show(Resource::kL7Rule, rule, policy).is_null());
  EXPECT_TRUE(world_.Show(Resource::kPool, pool).is_null());
  EXPECT_EQ(world_.PoolInForce(pool), nullptr);
}

TEST_F(L7PoliciesTest, GoWithTheListenerToWhichTheyRedirectByForce) {
  const std::string secure = world_.HttpsListener(balancer_, 443, world_.Certificate());
  const std::string policy = Policy({{"listener_id", listener_},
                                     {"action", "REDIRECT_TO_LISTENER"},
                                     {"redirect_listener_id", secure}});

  ASSERT_TRUE(world_.Delete(Resource::kListener, secure, DeleteMode::kForce));

  EXPECT_TRUE(Show(policy).is_null());
  EXPECT_TRUE(world_.ListenerInForce(listener_)->policies.empty());
}

TEST_F(L7PoliciesTest, LeaveTheirListenerAsItIsWhenRemovalProtectionForbidsForce) {
  const std::string pool = world_.Pool(balancer_, {{"member_deletion_protection_enable", true}});
  world_.Member(pool, "10.0.0.4");
  const std::string policy = Policy(ToPool(pool));

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kListener, listener_, DeleteMode::kForce)),
            std::vector{pool});
  EXPECT_FALSE(Show(policy).is_null());
}

TEST_F(L7PoliciesTest, GoWithTheirLoadBalancerByForce) {
  const std::string policy = NewPolicy(One(PathRule("/a")));

  ASSERT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer_, DeleteMode::kForce));

  EXPECT_TRUE(Show(policy).is_null());
  EXPECT_EQ(world_.control->Used(world_.caller, "l7policy"), 0U);
}

TEST_F(L7PoliciesTest, CountAgainstTheirQuotas) {
  world_.node.quotas = {{"l7policies_per_listener", 1}, {"condition_per_policy", 1}};
  world_.Restart();
  const std::string policy = NewPolicy(One(PathRule("/a")));

  EXPECT_EQ(KindOf(Try(ToPool(world_.Pool(balancer_)))), ErrorKind::kQuota);
  EXPECT_EQ(KindOf(world_.TryCreate(Resource::kL7Rule, HostRule(), policy)), ErrorKind::kQuota);
  EXPECT_EQ(world_.control->Used(world_.caller, "l7policies_per_listener"), 1U);
  EXPECT_EQ(world_.control->Used(world_.caller, "condition_per_policy"), 1U);
}

TEST_F(L7PoliciesTest, HaveOneRuleOfAType) {
  const std::string policy = NewPolicy(One(PathRule("/a")));

  const auto second = world_.TryCreate(Resource::kL7Rule, PathRule("/b"), policy);

  EXPECT_EQ(KindOf(second), ErrorKind::kConflict);
  EXPECT_EQ(second.error().path, "rule.type");
}

TEST_F(L7PoliciesTest, SayThatASharedLoadBalancerIsConcerned) {
  const std::string shared = world_.Listener(world_.SharedBalancer(), 80);

  const auto refused = Try({{"listener_id", shared}});
  EXPECT_EQ(KindOf(refused), ErrorKind::kMissing);
  EXPECT_TRUE(refused.error().shared);
  EXPECT_EQ(KindOf(Try({{"listener_id", shared},
                        {"action", "FIXED_RESPONSE"},
                        {"fixed_response_config", {{"status_code", "200"}}}})),
            ErrorKind::kRestricted);
}

TEST_F(L7PoliciesTest, AreInTheStatusTreeWithTheirPools) {
  const std::string pool = world_.Pool(balancer_);
  Policy(ToPool(pool, One(PathRule("/a"))));
  const std::string twin = NewPolicy(One(PathRule("/a")));

  const Json tree = *world_.control->StatusTree(world_.caller, balancer_);

  EXPECT_EQ(tree["operating_status"], "ONLINE");
  const Json& listener = tree["listeners"][0];
  EXPECT_EQ(listener["operating_status"], "DEGRADED");
  EXPECT_EQ(listener["pools"][0]["id"], pool);
  EXPECT_EQ(listener["l7policies"][1]["id"], twin);
  EXPECT_EQ(listener["l7policies"][1]["provisioning_status"], "ERROR");
  EXPECT_EQ(listener["l7policies"][1]["rules"][0]["type"], "PATH");
}

TEST_F(L7PoliciesTest, LeaveNothingBehindWhenTheStoreFails) {
  const std::string policy = NewPolicy(One(PathRule("/a")));
  world_.data_plane.refusal = Error{.kind = ErrorKind::kInvalid, .path = {}, .message = "no"};

  EXPECT_FALSE(world_.Update(Resource::kL7Policy, policy, {{"rules", One(PathRule("/b"))}}));
  EXPECT_FALSE(world_.Delete(Resource::kL7Policy, policy));

  world_.data_plane.refusal.reset();
  EXPECT_EQ(Show(policy)["rules"].size(), 1U);
  EXPECT_EQ(Show(NewPolicy(One(PathRule("/a"))))["provisioning_status"], "ERROR");
}

// --- advanced forwarding ------------------------------------------------------------------------

class PrioritiesTest : public L7PoliciesTest {
 protected:
  PrioritiesTest() {
    listener_ = world_.Listener(balancer_, 88, {{"enhance_l7policy_enable", true}});
  }
  [[nodiscard]] Json Fixed(const Json& extra = Json::object()) const {
    Json body{{"listener_id", listener_},
              {"action", "FIXED_RESPONSE"},
              {"fixed_response_config", {{"status_code", "200"}}}};
    body.update(extra);
    return body;
  }
  [[nodiscard]] std::int64_t PriorityOf(const std::string& policy) const {
    return Show(policy)["priority"].get<std::int64_t>();
  }
};

TEST_F(PrioritiesTest, AreOneMoreThanTheLargest) {
  EXPECT_EQ(PriorityOf(Policy(Fixed())), 1);
  EXPECT_EQ(PriorityOf(Policy(Fixed({{"priority", 7}}))), 7);
  EXPECT_EQ(PriorityOf(Policy(Fixed())), 8);
  Policy(Fixed({{"priority", 10000}}));
  EXPECT_EQ(KindOf(Try(Fixed())), ErrorKind::kInvalid);
}

TEST_F(PrioritiesTest, AreUniqueInTheListener) {
  const std::string first = Policy(Fixed({{"priority", 3}}));
  const std::string second = Policy(Fixed({{"priority", 4}}));

  EXPECT_EQ(BlockersOf(Try(Fixed({{"priority", 3}}))), std::vector{first});
  EXPECT_EQ(BlockersOf(world_.Update(Resource::kL7Policy, second, {{"priority", 3}})),
            std::vector{first});
  ASSERT_TRUE(world_.Update(Resource::kL7Policy, second, {{"priority", nullptr}}));
  EXPECT_EQ(PriorityOf(second), 4);
}

TEST_F(PrioritiesTest, AreSwappedInOneCall) {
  const std::string first = Policy(Fixed());
  const std::string second = Policy(Fixed());
  const std::string third = Policy(Fixed());
  const auto update = [&](const Json& list) {
    return world_.control->UpdatePriorities(world_.caller, list);
  };

  ASSERT_TRUE(
      update(Json::array({{{"id", first}, {"priority", 2}}, {{"id", second}, {"priority", 1}}})));
  EXPECT_EQ(PriorityOf(first), 2);
  EXPECT_EQ(PriorityOf(second), 1);
  EXPECT_EQ(world_.ListenerInForce(listener_)->policies[0].id.value(), second);

  EXPECT_EQ(KindOf(update(Json::array(
                {{{"id", first}, {"priority", 9}}, {{"id", second}, {"priority", 3}}}))),
            ErrorKind::kConflict);
  EXPECT_EQ(KindOf(update(
                Json::array({{{"id", first}, {"priority", 9}}, {{"id", "no"}, {"priority", 3}}}))),
            ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(update(Json::array({{{"id", first}, {"priority", 0}}}))), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(update(Json::array({{{"id", first}}}))), ErrorKind::kMissing);
  EXPECT_EQ(KindOf(update(Json::array())), ErrorKind::kMissing);
  EXPECT_EQ(PriorityOf(first), 2);
  EXPECT_EQ(PriorityOf(third), 3);
}

TEST_F(PrioritiesTest, FollowTheBasicOrderWhenForwardingBecomesAdvanced) {
  listener_ = world_.Listener(balancer_, 89);
  const std::string prefix =
      NewPolicy(One({{"type", "PATH"}, {"compare_type", "STARTS_WITH"}, {"value", "/a"}}));
  const std::string exact = NewPolicy(One(PathRule("/a")));

  ASSERT_TRUE(world_.Update(Resource::kListener, listener_, {{"enhance_l7policy_enable", true}}));

  EXPECT_EQ(PriorityOf(exact), 1);
  EXPECT_EQ(PriorityOf(prefix), 2);
  EXPECT_EQ(
      KindOf(world_.Update(Resource::kListener, listener_, {{"enhance_l7policy_enable", false}})),
      ErrorKind::kInvalid);
}

}  // namespace
}  // namespace elb::control
