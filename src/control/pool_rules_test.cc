// What pools, members, health checks and certificates refuse because of other objects
// (api-v3.md 2.3 to 2.6), and what the status tree says of them.

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class RulesTest : public testing::Test {
 protected:
  World world_;
};

// --- pools (2.3) --------------------------------------------------------------------------------

class PoolRulesTest : public RulesTest {
 protected:
  [[nodiscard]] Result<Shown> Try(Json body) {
    body["lb_algorithm"] = "ROUND_ROBIN";
    return world_.TryCreate(Resource::kPool, body);
  }
  std::string balancer_ = world_.Balancer();
};

TEST_F(PoolRulesTest, BecomeTheDefaultPoolOfTheirListener) {
  const std::string listener = world_.Listener(balancer_, 80);

  const std::string pool = world_.Create(
      Resource::kPool,
      {{"protocol", "HTTP"}, {"lb_algorithm", "ROUND_ROBIN"}, {"listener_id", listener}});

  EXPECT_EQ(world_.Show(Resource::kListener, listener)["default_pool_id"], pool);
  EXPECT_EQ(world_.Show(Resource::kPool, pool)["loadbalancers"],
            Json::array({{{"id", balancer_}}}));
  const auto second = Try({{"protocol", "HTTP"}, {"listener_id", listener}});
  EXPECT_EQ(KindOf(second), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(second), std::vector{pool});
}

TEST_F(PoolRulesTest, FitTheirListenerAndLoadBalancer) {
  const std::string listener = world_.Listener(balancer_, 80);
  const std::string other = world_.Balancer();

  EXPECT_EQ(KindOf(Try({{"protocol", "TCP"}, {"listener_id", listener}})), ErrorKind::kRestricted);
  EXPECT_EQ(
      KindOf(Try({{"protocol", "HTTP"}, {"listener_id", listener}, {"loadbalancer_id", other}})),
      ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(Try({{"protocol", "HTTP"}, {"listener_id", "nothing"}})),
            ErrorKind::kReferenceNotFound);
  EXPECT_EQ(
      KindOf(Try({{"protocol", "HTTP"}, {"loadbalancer_id", balancer_}, {"vpc_id", "nothing"}})),
      ErrorKind::kReferenceNotFound);
}

TEST_F(PoolRulesTest, SayThatASharedLoadBalancerIsConcernedWhateverIsWrong) {
  const auto refused = Try({{"loadbalancer_id", world_.SharedBalancer()}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kMissing);
  EXPECT_TRUE(refused.error().shared);
}

TEST_F(PoolRulesTest, AreNotDeletedWithMembersOrHealthCheck) {
  const std::string pool = world_.Pool(balancer_);
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::string monitor = world_.Monitor(pool);

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kPool, pool)), (std::vector{member, monitor}));
}

TEST_F(PoolRulesTest, UnbindThemselvesFromTheirListener) {
  const std::string pool = world_.Pool(balancer_, {{"member_deletion_protection_enable", true}});
  const std::string listener = world_.Listener(balancer_, 80, {{"default_pool_id", pool}});

  EXPECT_TRUE(world_.Delete(Resource::kPool, pool));

  EXPECT_TRUE(world_.Show(Resource::kListener, listener)["default_pool_id"].is_null());
  EXPECT_EQ(world_.ListenerInForce(listener)->default_pool, PoolId());
}

// --- members (2.4) ------------------------------------------------------------------------------

class MemberRulesTest : public RulesTest {
 protected:
  [[nodiscard]] Result<Shown> Try(const std::string& pool, const std::string& address,
                                  Json extra = Json::object()) {
    Json body{{"address", address}, {"protocol_port", 80}};
    body.update(extra);
    return world_.TryCreate(Resource::kMember, body, pool);
  }
  std::string subnet_ = world_.node.subnets.front().subnet_id;
  std::string balancer_ = world_.Balancer();
  std::string pool_ = world_.Pool(balancer_);
};

TEST_F(MemberRulesTest, AreAloneAtTheirAddressAndPort) {
  const std::string first = world_.Member(pool_, "127.0.0.2");

  EXPECT_EQ(BlockersOf(Try(pool_, "127.0.0.2")), std::vector{first});
  EXPECT_TRUE(Try(pool_, "127.0.0.2", {{"protocol_port", 81}}));
  EXPECT_TRUE(Try(world_.Pool(balancer_), "127.0.0.2"));
  EXPECT_TRUE(world_.Delete(Resource::kMember, first));
  EXPECT_TRUE(Try(pool_, "127.0.0.2"));
}

TEST_F(MemberRulesTest, LieInTheirSubnet) {
  EXPECT_EQ(KindOf(Try(pool_, "10.0.0.1", {{"subnet_cidr_id", subnet_}})), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(Try(pool_, "::1", {{"subnet_cidr_id", subnet_}})), ErrorKind::kIpVersion);
  EXPECT_EQ(KindOf(Try(pool_, "127.0.0.2", {{"subnet_cidr_id", "nothing"}})),
            ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try(pool_, "host.test")), ErrorKind::kInvalid);
}

TEST_F(MemberRulesTest, NeedIpAsABackendWithoutASubnet) {
  const std::string plain = world_.Pool(world_.Balancer({{"ip_target_enable", false}}));
  const std::string udp = world_.Pool(balancer_, {{"protocol", "UDP"}});

  EXPECT_EQ(KindOf(Try(plain, "127.0.0.2")), ErrorKind::kNoIpTarget);
  EXPECT_TRUE(Try(plain, "127.0.0.2", {{"subnet_cidr_id", subnet_}}));
  EXPECT_EQ(KindOf(Try(udp, "127.0.0.2")), ErrorKind::kIpTargetProtocol);
  EXPECT_EQ(KindOf(Try(pool_, "::1")), ErrorKind::kIpVersion);
  EXPECT_EQ(KindOf(Try(world_.Pool(world_.SharedBalancer()), "127.0.0.2")), ErrorKind::kMissing);
}

TEST_F(MemberRulesTest, SuitTheTypeOfTheirPool) {
  const std::string ip = world_.Pool(balancer_, {{"type", "ip"}});

  EXPECT_EQ(KindOf(Try(ip, "127.0.0.2", {{"subnet_cidr_id", subnet_}})), ErrorKind::kInvalid);
  EXPECT_TRUE(Try(ip, "127.0.0.2"));
}

TEST_F(MemberRulesTest, StayWhileTheyAreProtected) {
  const std::string member = world_.Member(pool_, "127.0.0.2");
  EXPECT_TRUE(world_.Update(Resource::kPool, pool_, {{"member_deletion_protection_enable", true}}));

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kMember, member)), std::vector{pool_});
}

TEST_F(MemberRulesTest, KeepTheQuotaPerPool) {
  NodeConfig node;
  node.quotas["members_per_pool"] = 1;
  World world(node);
  const std::string pool = world.Pool(world.Balancer());
  world.Member(pool, "127.0.0.2");

  EXPECT_EQ(KindOf(world.TryCreate(Resource::kMember,
                                   {{"address", "127.0.0.3"}, {"protocol_port", 80}}, pool)),
            ErrorKind::kQuota);
}

TEST_F(MemberRulesTest, ShowWhyTheyAreOffline) {
  world_.Listener(balancer_, 80, {{"default_pool_id", pool_}});
  const std::string member = world_.Member(pool_, "127.0.0.2");
  EXPECT_EQ(world_.Show(Resource::kMember, member)["operating_status"], "NO_MONITOR");
  world_.Monitor(pool_);
  world_.data_plane.health[member] = {.status = contract::MemberStatus::kOffline,
                                      .probed = true,
                                      .reason = contract::HealthReason::kResponseMismatch,
                                      .response_code = 503,
                                      .since = {}};

  const Json shown = world_.Show(Resource::kMember, member);

  EXPECT_EQ(shown["operating_status"], "OFFLINE");
  EXPECT_EQ(shown["status"][0]["reason"], (Json{{"reason_code", "RESPONSE_MISMATCH"},
                                                {"expected_response", "200"},
                                                {"healthcheck_response", "503"}}));
}

// --- health checks (2.5) and certificates (2.6) -------------------------------------------------

TEST_F(RulesTest, AllowsOneHealthCheckPerPool) {
  const std::string pool = world_.Pool(world_.Balancer());
  const std::string monitor = world_.Monitor(pool);

  const auto refused = world_.TryCreate(
      Resource::kHealthMonitor,
      {{"pool_id", pool}, {"type", "TCP"}, {"delay", 1}, {"timeout", 1}, {"max_retries", 1}});

  EXPECT_EQ(BlockersOf(refused), std::vector{monitor});
}

TEST_F(RulesTest, FitsHealthChecksToTheirPool) {
  const std::string pool = world_.Pool(world_.SharedBalancer());
  const std::string monitor = world_.Monitor(pool);

  const auto refused = world_.Update(Resource::kHealthMonitor, monitor, {{"type", "HTTPS"}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
  EXPECT_TRUE(refused.error().shared);
}

TEST_F(RulesTest, KeepsCertificatesInUse) {
  const std::string certificate = world_.Certificate(0, {{"domain", "a.test"}});
  const std::string sni = world_.Certificate(1, {{"domain", "b.test"}});
  const std::string listener =
      world_.HttpsListener(world_.Balancer(), 443, certificate, {{"sni_container_refs", {sni}}});

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kCertificate, certificate)), std::vector{listener});
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kCertificate, sni)), std::vector{listener});
  EXPECT_EQ(KindOf(world_.Update(Resource::kCertificate, sni, {{"domain", nullptr}})),
            ErrorKind::kConflict);
  EXPECT_TRUE(world_.Delete(Resource::kListener, listener));
  EXPECT_TRUE(world_.Delete(Resource::kCertificate, certificate));
}

TEST_F(RulesTest, KeepsSniNamesUniqueWhenACertificateChanges) {
  const std::string one = world_.Certificate(0, {{"domain", "a.test"}});
  const std::string two = world_.Certificate(1, {{"domain", "b.test"}});
  world_.HttpsListener(world_.Balancer(), 443, one, {{"sni_container_refs", {one, two}}});

  EXPECT_EQ(KindOf(world_.Update(Resource::kCertificate, two, {{"domain", "A.test"}})),
            ErrorKind::kConflict);
  EXPECT_TRUE(world_.Update(Resource::kCertificate, two, {{"domain", "c.test"}}));
}

TEST_F(RulesTest, RefusesAKeyThatDoesNotMatch) {
  const auto refused = world_.TryCreate(
      Resource::kCertificate,
      {{"certificate", ServerPem(0).certificate}, {"private_key", ServerPem(1).private_key}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kUnusableCertificate);
  const std::string certificate = world_.Certificate();
  EXPECT_EQ(KindOf(world_.Update(Resource::kCertificate, certificate,
                                 {{"private_key", ServerPem(1).private_key}})),
            ErrorKind::kUnusableCertificate);
}

TEST_F(RulesTest, NamesAtMostFiftyBlockersAndCountsAll) {
  const std::string pool = world_.Pool(world_.Balancer());
  for (int i = 1; i <= 60; ++i) {
    world_.Member(pool, "127.0.1." + std::to_string(i));
  }

  const auto refused = world_.Delete(Resource::kPool, pool);

  EXPECT_EQ(refused.error().blockers.size(), 50U);
  EXPECT_EQ(refused.error().blockers_total, 60U);
}

// --- status tree (2.16) -------------------------------------------------------------------------

TEST_F(RulesTest, DegradesTheTreeAboveAnOfflineMember) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string listener = world_.Listener(balancer, 80, {{"default_pool_id", pool}});
  const std::string member = world_.Member(pool, "127.0.0.2");
  world_.Monitor(pool);
  world_.data_plane.health[member].status = contract::MemberStatus::kOffline;

  const Json tree = *world_.control->StatusTree(world_.caller, balancer);

  EXPECT_EQ(tree["operating_status"], "DEGRADED");
  EXPECT_EQ(tree["listeners"][0]["operating_status"], "DEGRADED");
  EXPECT_EQ(tree["pools"][0]["operating_status"], "DEGRADED");
  EXPECT_EQ(tree["pools"][0]["members"][0]["operating_status"], "OFFLINE");
}

TEST_F(RulesTest, SaysWhyAListenerCannotServe) {
  const std::string balancer = world_.Balancer();
  const std::string listener = world_.Listener(balancer, 80);
  world_.data_plane.problems = {{.listener = ListenerId(listener), .reason = "port in use"}};

  const Json tree = *world_.control->StatusTree(world_.caller, balancer);

  EXPECT_EQ(tree["listeners"][0]["operating_status"], "DEGRADED");
  EXPECT_EQ(tree["listeners"][0]["reason"], "port in use");
}

}  // namespace
}  // namespace elb::control
