// Custom security policies and the listeners that use them (api-v3.md 2.8, data-plane.md 2.2).
#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class SecurityPolicyTest : public testing::Test {
 protected:
  [[nodiscard]] std::string Policy(const std::vector<std::string>& protocols,
                                   const std::vector<std::string>& ciphers) {
    return world_.Create(Resource::kSecurityPolicy,
                         {{"protocols", protocols}, {"ciphers", ciphers}});
  }
  std::string Listener(const std::string& policy) {
    return world_.HttpsListener(
        world_.Balancer(), 443, world_.Certificate(),
        {{"security_policy_id", policy}, {"tls_ciphers_policy", "tls-1-2-fs"}});
  }
  [[nodiscard]] const contract::TlsConfig& Tls(const std::string& listener) const {
    return *world_.ListenerInForce(listener)->tls;
  }
  World world_;
};

TEST_F(SecurityPolicyTest, OverridesTheSystemPolicyOfItsListener) {
  const std::string listener = Listener(Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"}));

  EXPECT_EQ(Tls(listener).protocols, std::vector<std::string>{"TLSv1.2"});
  EXPECT_EQ(Tls(listener).ciphers, std::vector<std::string>{"AES256-GCM-SHA384"});
  EXPECT_EQ(world_.Show(Resource::kListener, listener)["tls_ciphers_policy"], "tls-1-2-fs");
}

TEST_F(SecurityPolicyTest, PrefersEcdsaThenRsaThenTls13) {
  const std::string listener = Listener(
      Policy({"TLSv1.3", "TLSv1.2"},
             {"TLS_AES_256_GCM_SHA384", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
              "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"}));

  EXPECT_EQ(Tls(listener).ciphers,
            (std::vector<std::string>{"ECDHE-ECDSA-AES128-GCM-SHA256",
                                      "ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-GCM-SHA256",
                                      "ECDHE-RSA-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384"}));
}

TEST_F(SecurityPolicyTest, GivesWayToTheSystemPolicyWhenDetached) {
  const std::string policy = Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"});
  const std::string listener = Listener(policy);
  const std::uint64_t before = Tls(listener).tls_generation;

  EXPECT_TRUE(world_.Update(Resource::kListener, listener, {{"security_policy_id", nullptr}}));

  EXPECT_EQ(Tls(listener).ciphers.front(), "ECDHE-ECDSA-AES256-GCM-SHA384");
  EXPECT_NE(Tls(listener).tls_generation, before);
  EXPECT_TRUE(world_.Delete(Resource::kSecurityPolicy, policy));
}

TEST_F(SecurityPolicyTest, PutsAnEditInForceOnItsListenersAtOnce) {
  const std::string policy = Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"});
  const std::string listener = Listener(policy);
  const std::uint64_t before = Tls(listener).tls_generation;

  EXPECT_TRUE(
      world_.Update(Resource::kSecurityPolicy, policy, {{"ciphers", {"AES128-GCM-SHA256"}}}));

  EXPECT_EQ(Tls(listener).ciphers, std::vector<std::string>{"AES128-GCM-SHA256"});
  EXPECT_NE(Tls(listener).tls_generation, before);
}

TEST_F(SecurityPolicyTest, LeavesSessionsAloneWhenOnlyItsNameChanges) {
  const std::string policy = Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"});
  const std::string listener = Listener(policy);
  const auto before = world_.ListenerInForce(listener);

  EXPECT_TRUE(world_.Update(Resource::kSecurityPolicy, policy, {{"name", "x"}}));

  EXPECT_EQ(world_.ListenerInForce(listener), before);
}

TEST_F(SecurityPolicyTest, GoesOnlyWhenNoListenerUsesIt) {
  const std::string policy = Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"});
  const std::string listener = Listener(policy);

  EXPECT_EQ(world_.Show(Resource::kSecurityPolicy, policy)["listeners"],
            (Json::array({{{"id", listener}}})));
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kSecurityPolicy, policy)), std::vector{listener});
}

TEST_F(SecurityPolicyTest, NeedsACipherThatItsProtocolsCanUse) {
  const auto refused = world_.TryCreate(
      Resource::kSecurityPolicy, {{"protocols", {"TLSv1.3"}}, {"ciphers", {"AES256-GCM-SHA384"}}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().path, "security_policy.ciphers");
}

TEST_F(SecurityPolicyTest, IsForHttpsListenersOfDedicatedLoadBalancers) {
  const Json use{{"security_policy_id", Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"})}};
  const std::string http = world_.Listener(world_.Balancer(), 80);
  const std::string shared =
      world_.HttpsListener(world_.SharedBalancer(), 443, world_.Certificate());

  EXPECT_EQ(KindOf(world_.Update(Resource::kListener, http, use)), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(world_.Update(Resource::kListener, shared, use)), ErrorKind::kRestricted);
}

TEST_F(SecurityPolicyTest, MustExistToBeUsed) {
  const std::string listener = world_.HttpsListener(world_.Balancer(), 443, world_.Certificate());

  EXPECT_EQ(
      KindOf(world_.Update(Resource::kListener, listener, {{"security_policy_id", "nothing"}})),
      ErrorKind::kReferenceNotFound);
}

TEST_F(SecurityPolicyTest, CountsAgainstItsQuota) {
  World world([] {
    NodeConfig node;
    node.quotas = {{"security_policy", 1}};
    return node;
  }());
  const Json body{{"protocols", {"TLSv1.2"}}, {"ciphers", {"AES256-GCM-SHA384"}}};
  world.Create(Resource::kSecurityPolicy, body);

  EXPECT_EQ(KindOf(world.TryCreate(Resource::kSecurityPolicy, body)), ErrorKind::kQuota);
  EXPECT_EQ(world.control->Used(world.caller, "security_policy"), 1U);
}

TEST_F(SecurityPolicyTest, IsInForceAgainAfterARestart) {
  const std::string listener = Listener(Policy({"TLSv1.2"}, {"AES256-GCM-SHA384"}));
  const std::uint64_t before = Tls(listener).tls_generation;

  world_.Restart();

  EXPECT_EQ(Tls(listener).ciphers, std::vector<std::string>{"AES256-GCM-SHA384"});
  EXPECT_EQ(Tls(listener).tls_generation, before);
}

}  // namespace
}  // namespace elb::control
