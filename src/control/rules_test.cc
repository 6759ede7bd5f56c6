// What load balancers and listeners refuse because of other objects (api-v3.md 2.1, 2.2, 2.19).
#include "control/rules.h"

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class RulesTest : public testing::Test {
 protected:
  World world_;
};

// --- load balancers (2.1) -----------------------------------------------------------------------

class LoadBalancerRulesTest : public RulesTest {
 protected:
  [[nodiscard]] Result<Shown> Try(Json extra) {
    Json body{{"availability_zone_list", {"eu-de-01"}},
              {"vip_subnet_cidr_id", world_.node.subnets.front().subnet_id}};
    body.update(extra);
    return world_.TryCreate(Resource::kLoadBalancer, body);
  }
};

TEST_F(LoadBalancerRulesTest, RefusesAnAddressInUse) {
  const std::string first = world_.Balancer({{"vip_address", "127.20.9.9"}});

  const auto refused = Try({{"vip_address", "127.20.9.9"}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kConflict);
  EXPECT_EQ(refused.error().path, "loadbalancer.vip_address");
}

TEST_F(LoadBalancerRulesTest, RefusesAddressesThatNobodyMayHave) {
  for (const char* address : {"127.0.0.0", "127.255.255.255", "127.0.0.1", "10.0.0.1", "::1"}) {
    EXPECT_EQ(KindOf(Try({{"vip_address", address}})), ErrorKind::kInvalid) << address;
  }
  EXPECT_TRUE(Try({{"vip_address", "127.20.1.0"}}));  // In the middle of its network.
}

TEST_F(LoadBalancerRulesTest, RefusesAPublicAddressAsAPrivateOne) {
  const std::string balancer = world_.Balancer(
      {{"publicip",
        {{"network_type", "5_bgp"},
         {"bandwidth",
          {{"share_type", "PER"}, {"size", 5}, {"charge_mode", "traffic"}, {"name", "b"}}}}}});
  const Json eips = world_.Show(Resource::kLoadBalancer, balancer)["eips"];
  EXPECT_EQ(eips[0]["eip_address"], "127.30.0.10");

  EXPECT_EQ(KindOf(Try({{"vip_address", "127.30.0.10"}})), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(Try({{"publicip_ids", {eips[0]["eip_id"]}}})), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(Try({{"publicip_ids", {"nothing"}}})), ErrorKind::kReferenceNotFound);
}

TEST_F(LoadBalancerRulesTest, RefusesWhatDoesNotExist) {
  EXPECT_EQ(KindOf(Try({{"vip_subnet_cidr_id", "nothing"}})), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try({{"vpc_id", "nothing"}})), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try({{"elb_virsubnet_ids", {"nothing"}}})), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try({{"l4_flavor_id", "nothing"}})), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try({{"ipv6_vip_virsubnet_id", "nothing"}})), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(Try({{"availability_zone_list", {"nowhere"}}})), ErrorKind::kInvalid);
}

TEST_F(LoadBalancerRulesTest, RefusesIpv6WhereThereIsNone) {
  const std::string network = world_.node.subnets.front().network_id;

  EXPECT_EQ(KindOf(Try({{"ipv6_vip_virsubnet_id", network}})), ErrorKind::kNoIpv6);
}

TEST_F(LoadBalancerRulesTest, HasNoAddressUntilASubnetIsGiven) {
  const std::string balancer =
      world_.Create(Resource::kLoadBalancer,
                    {{"availability_zone_list", {"eu-de-01"}}, {"vpc_id", world_.node.vpc_id}});
  const Json before = world_.Show(Resource::kLoadBalancer, balancer);
  for (const char* field : {"vip_address", "vip_subnet_cidr_id", "vip_port_id"}) {
    EXPECT_TRUE(before[field].is_null()) << field;
  }
  EXPECT_EQ(
      KindOf(world_.Update(Resource::kLoadBalancer, balancer, {{"vip_address", "127.20.0.50"}})),
      ErrorKind::kInvalid);

  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer,
                            {{"vip_subnet_cidr_id", world_.node.subnets.front().subnet_id},
                             {"vip_address", "127.20.0.50"}}));

  const Json after = world_.Show(Resource::kLoadBalancer, balancer);
  EXPECT_EQ(after["vip_address"], "127.20.0.50");
  EXPECT_TRUE(after["vip_port_id"].is_string());
}

TEST_F(LoadBalancerRulesTest, GivesItsAddressBack) {
  const std::string balancer = world_.Balancer({{"vip_address", "127.20.0.60"}});

  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"vip_subnet_cidr_id", nullptr}}));

  EXPECT_TRUE(world_.Show(Resource::kLoadBalancer, balancer)["vip_address"].is_null());
  EXPECT_TRUE(Try({{"vip_address", "127.20.0.60"}}));
}

TEST_F(LoadBalancerRulesTest, KeepsTheSubnetsOfItsAddressAndItsMembers) {
  NodeConfig node;
  for (const char* octet : {"1", "2"}) {
    node.subnets.push_back({.name = std::string("subnet-") + octet,
                            .vpc_id = node.vpc_id,
                            .network_id = std::string("network-") + octet,
                            .subnet_id = std::string("neutron-") + octet,
                            .cidr = std::string("10.0.") + octet + ".0/24",
                            .gateway = std::string("10.0.") + octet + ".1"});
  }
  World world(node);
  const std::string first = node.subnets[0].network_id;
  const std::string balancer =
      world.Balancer({{"elb_virsubnet_ids", {first, "network-1", "network-2"}}});
  const std::string member =
      world.Member(world.Pool(balancer), "10.0.1.5", 80, {{"subnet_cidr_id", "neutron-1"}});
  const auto keep = [&](const Json& subnets) {
    return world.Update(Resource::kLoadBalancer, balancer, {{"elb_virsubnet_ids", subnets}});
  };

  EXPECT_EQ(KindOf(keep({"network-1", "network-2"})), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(keep({first, "network-2"})), std::vector{member});
  EXPECT_TRUE(keep({first, "network-1"}));
  EXPECT_EQ(world.Show(Resource::kLoadBalancer, balancer)["elb_virsubnet_ids"],
            (Json{first, "network-1"}));
}

TEST_F(LoadBalancerRulesTest, IsNotDeletedWhileSomethingIsBelowIt) {
  const std::string balancer = world_.Balancer();
  const std::string listener = world_.Listener(balancer, 80);
  const std::string pool = world_.Pool(balancer);

  const auto refused = world_.Delete(Resource::kLoadBalancer, balancer);

  EXPECT_EQ(KindOf(refused), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(refused), (std::vector{listener, pool}));
}

TEST_F(LoadBalancerRulesTest, SaysWhenASharedOneStillHasMembers) {
  const std::string balancer = world_.SharedBalancer();
  const std::string pool = world_.Pool(balancer);
  world_.Member(pool, "127.0.0.2", 80, {{"subnet_cidr_id", world_.node.subnets.front().subnet_id}});

  const auto refused = world_.Delete(Resource::kLoadBalancer, balancer);

  EXPECT_EQ(KindOf(refused), ErrorKind::kHasMembers);
  EXPECT_TRUE(refused.error().shared);
}

TEST_F(LoadBalancerRulesTest, IsNotDeletedWhileItIsProtected) {
  const std::string balancer = world_.Balancer({{"deletion_protection_enable", true}});

  EXPECT_EQ(KindOf(world_.Delete(Resource::kLoadBalancer, balancer)), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForce)),
            ErrorKind::kConflict);
}

TEST_F(LoadBalancerRulesTest, IsNotForcedAwayWhileMembersAreProtected) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer, {{"member_deletion_protection_enable", true}});

  const auto refused = world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForce);

  EXPECT_EQ(BlockersOf(refused), std::vector{pool});
}

TEST_F(LoadBalancerRulesTest, KeepsTheQuota) {
  NodeConfig node;
  node.quotas["loadbalancer"] = 1;
  World world(node);
  world.Balancer();

  const auto refused = world.TryCreate(
      Resource::kLoadBalancer, {{"availability_zone_list", {"eu-de-01"}}, {"vpc_id", node.vpc_id}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kQuota);
}

// --- listeners (2.2, 2.19.3) --------------------------------------------------------------------

class ListenerRulesTest : public RulesTest {
 protected:
  [[nodiscard]] Result<Shown> Try(const std::string& protocol, int port, Json extra = {}) {
    Json body{{"loadbalancer_id", balancer_}, {"protocol", protocol}, {"protocol_port", port}};
    if (extra.is_object()) {
      body.update(extra);
    }
    return world_.TryCreate(Resource::kListener, body);
  }
  std::string balancer_ = world_.Balancer();
};

TEST_F(ListenerRulesTest, ShareAPortOnlyBetweenUdpAndOthers) {
  const std::string web = world_.Listener(balancer_, 80);

  EXPECT_EQ(KindOf(Try("TCP", 80)), ErrorKind::kPortTaken);
  EXPECT_EQ(KindOf(Try("HTTP", 80)), ErrorKind::kPortTaken);
  EXPECT_EQ(BlockersOf(Try("HTTP", 80)), std::vector{web});
  EXPECT_TRUE(Try("UDP", 80));
  EXPECT_EQ(KindOf(Try("UDP", 80)), ErrorKind::kPortTaken);
}

TEST_F(ListenerRulesTest, NeedASpecificationOfTheirLayer) {
  const std::string l4 = world_.Create(
      Resource::kLoadBalancer,
      {{"availability_zone_list", {"eu-de-01"}},
       {"vpc_id", world_.node.vpc_id},
       {"l4_flavor_id",
        world_.Show(Resource::kLoadBalancer, balancer_)["l4_flavor_id"].get<std::string>()}});

  EXPECT_EQ(KindOf(Try("HTTP", 80, {{"loadbalancer_id", l4}})), ErrorKind::kInvalid);
  EXPECT_TRUE(Try("TCP", 80, {{"loadbalancer_id", l4}}));
}

TEST_F(ListenerRulesTest, RefuseReferencesThatDoNotFit) {
  const std::string certificate = world_.Certificate();
  const std::string authority = world_.Authority();
  const Json https{{"default_tls_container_ref", certificate}};
  const auto with = [&](Json extra) {
    Json body = https;
    body.update(extra);
    return KindOf(Try("HTTPS", 443, body));
  };

  EXPECT_EQ(with({{"default_tls_container_ref", "nothing"}}), ErrorKind::kBadCertificateReference);
  EXPECT_EQ(with({{"default_tls_container_ref", std::string(32, '0')}}),
            ErrorKind::kReferenceNotFound);
  EXPECT_EQ(with({{"default_tls_container_ref", authority}}), ErrorKind::kInvalid);
  EXPECT_EQ(with({{"client_ca_tls_container_ref", certificate}}), ErrorKind::kInvalid);
  EXPECT_EQ(with({{"sni_container_refs", {certificate}}}), ErrorKind::kInvalid);  // No domain.
  EXPECT_EQ(with({{"loadbalancer_id", "nothing"}}), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(with({{"default_pool_id", "nothing"}}), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(with({{"client_ca_tls_container_ref", authority}}), std::nullopt);
}

TEST_F(ListenerRulesTest, CarryADomainOncePerKindOfKey) {
  const std::string certificate = world_.Certificate();
  const std::string one = world_.Certificate(0, {{"domain", "x.test"}});
  const std::string two = world_.Certificate(1, {{"domain", "y.test,x.test"}});

  const auto refused =
      Try("HTTPS", 443,
          {{"default_tls_container_ref", certificate}, {"sni_container_refs", {one, two}}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().path, "listener.sni_container_refs[1]");
}

TEST_F(ListenerRulesTest, UseAPoolThatNoOtherUses) {
  const std::string pool = world_.Pool(balancer_);
  const std::string user = world_.Listener(balancer_, 80, {{"default_pool_id", pool}});

  const auto refused = Try("HTTP", 81, {{"default_pool_id", pool}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(refused), std::vector{user});
  EXPECT_TRUE(world_.Update(Resource::kListener, user, {{"default_pool_id", nullptr}}));
  EXPECT_TRUE(Try("HTTP", 81, {{"default_pool_id", pool}}));
}

TEST_F(ListenerRulesTest, UseAPoolOfTheirLoadBalancerAndProtocol) {
  const std::string elsewhere = world_.Pool(world_.Balancer());
  const std::string tcp = world_.Pool(balancer_, {{"protocol", "TCP"}});

  EXPECT_EQ(KindOf(Try("HTTP", 80, {{"default_pool_id", elsewhere}})), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(Try("HTTP", 80, {{"default_pool_id", tcp}})), ErrorKind::kInvalid);
}

TEST_F(ListenerRulesTest, TakeAPoolWithoutLoadBalancerOnlyIfItSuits) {
  const std::string shared = world_.SharedBalancer();
  const std::string pool = world_.Create(Resource::kPool, {{"protocol", "HTTP"},
                                                           {"lb_algorithm", "ROUND_ROBIN"},
                                                           {"slow_start", {{"enable", true}}},
                                                           {"type", "ip"}});

  EXPECT_FALSE(Try("HTTP", 80, {{"loadbalancer_id", shared}, {"default_pool_id", pool}}));
  EXPECT_TRUE(Try("HTTP", 80, {{"default_pool_id", pool}}));
  EXPECT_EQ(world_.Show(Resource::kPool, pool)["loadbalancers"],
            Json::array({{{"id", balancer_}}}));
}

TEST_F(ListenerRulesTest, AreNotDeletedWhileTheirPoolHasMembers) {
  const std::string pool = world_.Pool(balancer_);
  const std::string listener = world_.Listener(balancer_, 80, {{"default_pool_id", pool}});
  const std::string member = world_.Member(pool, "127.0.0.2");

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kListener, listener)), std::vector{member});
  EXPECT_TRUE(world_.Delete(Resource::kMember, member));
  EXPECT_TRUE(world_.Delete(Resource::kListener, listener));
  EXPECT_EQ(world_.Show(Resource::kPool, pool)["listeners"], Json::array());
}

TEST_F(ListenerRulesTest, TakeTheirPoolAlongWhenForced) {
  const std::string pool = world_.Pool(balancer_);
  const std::string listener = world_.Listener(balancer_, 80, {{"default_pool_id", pool}});
  const std::string member = world_.Member(pool, "127.0.0.2");
  world_.Monitor(pool);
  EXPECT_TRUE(world_.Update(Resource::kPool, pool, {{"member_deletion_protection_enable", true}}));
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kListener, listener, DeleteMode::kForce)),
            std::vector{pool});
  EXPECT_TRUE(world_.Update(Resource::kPool, pool, {{"member_deletion_protection_enable", false}}));

  EXPECT_TRUE(world_.Delete(Resource::kListener, listener, DeleteMode::kForce));

  const State& state = world_.control->state();
  EXPECT_EQ(state.pools.size() + state.members.size() + state.monitors.size(), 0U);
}

}  // namespace
}  // namespace elb::control
