// Public addresses outlive their load balancers (api-v3.md 2.1).
#include <gtest/gtest.h>

#include "control/documents.h"
#include "control/testing/world.h"

namespace elb::control {
namespace {

Json NewAddress() {
  return {{"publicip",
           {{"network_type", "5_bgp"},
            {"bandwidth",
             {{"share_type", "PER"}, {"size", 5}, {"charge_mode", "traffic"}, {"name", "b"}}}}}};
}

class PublicAddressesTest : public testing::Test {
 protected:
  /// The public address of a load balancer as it is shown; null when it has none.
  [[nodiscard]] Json EipOf(const std::string& balancer) const {
    const Json eips = world_.Show(Resource::kLoadBalancer, balancer)["eips"];
    return eips.empty() ? Json() : eips[0];
  }
  [[nodiscard]] Result<Shown> TryBind(const std::string& eip) {
    return world_.TryCreate(Resource::kLoadBalancer, {{"availability_zone_list", {"eu-de-01"}},
                                                      {"vpc_id", world_.node.vpc_id},
                                                      {"publicip_ids", {eip}}});
  }
  World world_;
};

TEST_F(PublicAddressesTest, SurviveTheirLoadBalancerAndCanBeBoundAgain) {
  const std::string balancer = world_.Balancer(NewAddress());
  const Json eip = EipOf(balancer);
  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer));
  world_.Restart();

  const std::string other = world_.Balancer({{"publicip_ids", {eip["eip_id"]}}});

  EXPECT_EQ(EipOf(other), eip);
  const std::string listener = world_.Listener(other, 80);
  EXPECT_EQ(world_.ListenerInForce(listener)->load_balancer.eip,
            IpAddress::Parse(eip["eip_address"].get<std::string>()));
}

TEST_F(PublicAddressesTest, SurviveAForcedDeletion) {
  const std::string balancer = world_.Balancer(NewAddress());
  const std::string eip = EipOf(balancer)["eip_id"];

  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForce));

  EXPECT_TRUE(TryBind(eip));
}

TEST_F(PublicAddressesTest, AreBoundToOneLoadBalancerOnly) {
  const std::string balancer = world_.Balancer(NewAddress());
  const std::string eip = EipOf(balancer)["eip_id"];

  const auto taken = TryBind(eip);

  EXPECT_EQ(KindOf(taken), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(taken), std::vector{balancer});
  EXPECT_EQ(KindOf(TryBind("nothing")), ErrorKind::kReferenceNotFound);
}

TEST_F(PublicAddressesTest, AreInvisibleToOtherProjects) {
  const std::string balancer = world_.Balancer(NewAddress());
  const std::string eip = EipOf(balancer)["eip_id"];
  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer));
  world_.caller.project = kOtherProject;

  EXPECT_EQ(KindOf(TryBind(eip)), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(KindOf(world_.control->ReleaseEip(world_.caller, eip)), ErrorKind::kNotFound);
}

TEST_F(PublicAddressesTest, AreNotGivenOutTwice) {
  const std::string first = world_.Balancer(NewAddress());
  EXPECT_EQ(EipOf(first)["eip_address"], "127.30.0.10");
  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, first));
  world_.Restart();

  EXPECT_EQ(EipOf(world_.Balancer(NewAddress()))["eip_address"], "127.30.0.11");
  EXPECT_EQ(KindOf(world_.TryCreate(Resource::kLoadBalancer,
                                    {{"availability_zone_list", {"eu-de-01"}},
                                     {"vip_subnet_cidr_id", world_.node.subnets[0].subnet_id},
                                     {"vip_address", "127.30.0.10"}})),
            ErrorKind::kConflict);
}

TEST_F(PublicAddressesTest, AreUnboundBeforeTheyAreReleased) {
  const std::string balancer = world_.Balancer(NewAddress());
  const std::string eip = EipOf(balancer)["eip_id"];
  const std::string listener = world_.Listener(balancer, 80);

  EXPECT_TRUE(world_.control->ReleaseEip(world_.caller, eip));

  EXPECT_EQ(EipOf(balancer), Json());
  EXPECT_EQ(world_.ListenerInForce(listener)->load_balancer.eip, std::nullopt);
  EXPECT_EQ(KindOf(world_.control->ReleaseEip(world_.caller, eip)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(TryBind(eip)), ErrorKind::kReferenceNotFound);
}

TEST_F(PublicAddressesTest, MakeNoRevisions) {
  const std::string balancer = world_.Balancer(NewAddress());
  const Json changes = world_.Record(world_.revision())["changes"];
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0]["kind"], "loadbalancer");
  const std::uint64_t before = world_.revision();

  EXPECT_TRUE(world_.control->ReleaseEip(world_.caller, EipOf(balancer)["eip_id"]));

  EXPECT_EQ(world_.revision(), before);
  EXPECT_EQ(world_.Show(Resource::kLoadBalancer, balancer)["extensions"]["revision"], before);
  world_.Restart();
  EXPECT_EQ(world_.revision(), before);
  EXPECT_EQ(EipOf(balancer), Json());
}

TEST_F(PublicAddressesTest, GoWithACascadeOnRequest) {
  const std::string balancer = world_.Balancer(NewAddress());
  const std::string eip = EipOf(balancer)["eip_id"];

  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForceAndRelease));

  EXPECT_EQ(KindOf(TryBind(eip)), ErrorKind::kReferenceNotFound);
  world_.Restart();
  EXPECT_EQ(world_.control->state().eips.size(), 0U);
}

TEST_F(PublicAddressesTest, OfOldStoresGetAnObjectOfTheirOwn) {
  const std::string balancer = world_.Balancer(NewAddress());
  const std::string eip = EipOf(balancer)["eip_id"];
  ASSERT_TRUE(world_.store.Transact([&](store::Transaction& transaction) {
    return transaction.Delete({.project = kProject, .kind = "publicip", .id = eip});
  }));

  world_.Restart();
  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer));
  world_.Restart();

  EXPECT_TRUE(TryBind(eip));
}

}  // namespace
}  // namespace elb::control
