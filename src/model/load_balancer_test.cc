#include "model/load_balancer.h"

#include <gtest/gtest.h>

#include <string>

#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;

std::string Created(const std::string& body) {
  LoadBalancer balancer;
  return CreateProblem(LoadBalancerSchema(), body, &balancer);
}

LoadBalancer Dedicated() {
  return {.vip_subnet_cidr_id = "s", .availability_zone_list = {"z"}, .l7_flavor_id = "f"};
}

LoadBalancer Shared() { return {.guaranteed = false, .vip_subnet_cidr_id = "s"}; }

PublicAddress Address() {
  return {.network_type = "5_bgp",
          .bandwidth =
              Bandwidth{.name = "b", .size = 10, .share_type = "PER", .charge_mode = "traffic"}};
}

std::string AddressProblem(const PublicAddress& address) {
  LoadBalancer balancer = Dedicated();
  balancer.publicip = address;
  return PathOf(CheckLoadBalancer(balancer, nullptr));
}

TEST(LoadBalancerTest, BoundsTextsInCodePoints) {
  EXPECT_EQ(Created(R"({"name":")" + std::string(255, 'x') + "\"}"), "");
  EXPECT_EQ(Created(R"({"name":")" + std::string(256, 'x') + "\"}"), "loadbalancer.name");
  EXPECT_EQ(Created(R"({"protection_reason":"a<b"})"), "loadbalancer.protection_reason");
}

TEST(LoadBalancerTest, NamesFieldsOfAWrongTypeOrWord) {
  EXPECT_EQ(Created(R"({"guaranteed":"true"})"), "loadbalancer.guaranteed");
  EXPECT_EQ(Created(R"({"provider":"other"})"), "loadbalancer.provider");
  EXPECT_EQ(Created(R"({"availability_zone_list":"z"})"), "loadbalancer.availability_zone_list");
  EXPECT_EQ(Created(R"({"availability_zone_list":["z","z"]})"),
            "loadbalancer.availability_zone_list[1]");
  EXPECT_EQ(Created(R"({"tags":[{"value":"v"}]})"), "loadbalancer.tags[0].key");
  EXPECT_EQ(Created(R"({"tags":[{"key":"k","value":")" + std::string(44, 'x') + "\"}]}"),
            "loadbalancer.tags[0].value");
  EXPECT_EQ(Created(R"({"ipv6_bandwidth":{}})"), "loadbalancer.ipv6_bandwidth.id");
  EXPECT_EQ(Created(R"({"publicip":{"bandwidth":{}}})"), "loadbalancer.publicip.network_type");
  EXPECT_EQ(Created(R"({"publicip":{"network_type":"5_bgp","bandwidth":{"size":2001}}})"),
            "loadbalancer.publicip.bandwidth.size");
}

TEST(LoadBalancerTest, TakesUnknownFields) {
  EXPECT_EQ(Created(R"({"billing_info":"","publicip":{"network_type":"5_bgp","billing_info":"",
                        "description":"","bandwidth":{"id":"b"}}})"),
            "");
}

TEST(LoadBalancerTest, ReleasesAddressesOnNullAndEmptyText) {
  for (const char* none : {"null", "\"\""}) {
    LoadBalancer balancer{.vip_subnet_cidr_id = "s", .ipv6_vip_virsubnet_id = "n"};
    EXPECT_EQ(UpdateProblem(LoadBalancerSchema(),
                            std::string(R"({"vip_subnet_cidr_id":)") + none +
                                R"(,"ipv6_vip_virsubnet_id":)" + none + "}",
                            &balancer),
              "");
    EXPECT_EQ(balancer.vip_subnet_cidr_id, "");
    EXPECT_EQ(balancer.ipv6_vip_virsubnet_id, "");
  }
}

TEST(LoadBalancerTest, RefusesNullElsewhere) {
  LoadBalancer balancer;
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"ip_target_enable":null})", &balancer),
            "loadbalancer.ip_target_enable");
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"name":null,"description":null})", &balancer),
            "");
}

TEST(LoadBalancerTest, KeepsWhatIsFixed) {
  LoadBalancer balancer = Dedicated();
  balancer.vpc_id = "v";
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"vpc_id":"v","guaranteed":true})", &balancer),
            "");
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"vpc_id":"w"})", &balancer),
            "loadbalancer.vpc_id");
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"guaranteed":false})", &balancer),
            "loadbalancer.guaranteed");
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"availability_zone_list":["y"]})", &balancer),
            "loadbalancer.availability_zone_list");
  EXPECT_EQ(UpdateProblem(LoadBalancerSchema(), R"({"tags":[{"key":"k"}]})", &balancer),
            "loadbalancer.tags");
}

TEST(LoadBalancerTest, NeedsZonesWhenDedicatedAndASubnetWhenShared) {
  EXPECT_EQ(PathOf(CheckLoadBalancer(Dedicated(), nullptr)), "");
  EXPECT_EQ(PathOf(CheckLoadBalancer(Shared(), nullptr)), "");
  EXPECT_EQ(PathOf(CheckLoadBalancer({.vip_subnet_cidr_id = "s"}, nullptr)),
            "loadbalancer.availability_zone_list");
  EXPECT_EQ(PathOf(CheckLoadBalancer({.guaranteed = false, .vpc_id = "v"}, nullptr)),
            "loadbalancer.vip_subnet_cidr_id");
  EXPECT_EQ(PathOf(CheckLoadBalancer({.availability_zone_list = {"z"}}, nullptr)),
            "loadbalancer.vpc_id");
}

TEST(LoadBalancerTest, RefusesAnAddressWithoutSubnet) {
  EXPECT_EQ(
      PathOf(CheckLoadBalancer(
          {.vpc_id = "v", .vip_address = "10.0.0.5", .availability_zone_list = {"z"}}, nullptr)),
      "loadbalancer.vip_address");
}

TEST(LoadBalancerTest, IsAlwaysUp) {
  LoadBalancer balancer = Dedicated();
  balancer.admin_state_up = false;
  EXPECT_EQ(PathOf(CheckLoadBalancer(balancer, nullptr)), "loadbalancer.admin_state_up");
}

TEST(LoadBalancerTest, RestrictsIpTargetsToDedicatedOnesAndKeepsThemOn) {
  LoadBalancer shared = Shared();
  shared.ip_target_enable = true;
  const auto checked = CheckLoadBalancer(shared, nullptr);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kRestricted);

  LoadBalancer before = Dedicated();
  before.ip_target_enable = true;
  EXPECT_EQ(PathOf(CheckLoadBalancer(Dedicated(), &before)), "loadbalancer.ip_target_enable");
}

TEST(LoadBalancerTest, NeitherAddsNorRemovesFlavors) {
  const LoadBalancer before = Dedicated();
  LoadBalancer after = before;
  after.l7_flavor_id = "g";
  EXPECT_TRUE(CheckLoadBalancer(after, &before));
  after.l7_flavor_id.clear();
  EXPECT_EQ(PathOf(CheckLoadBalancer(after, &before)), "loadbalancer.l7_flavor_id");
  after = before;
  after.l4_flavor_id = "g";
  const auto added = CheckLoadBalancer(after, &before);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().path, "loadbalancer.l4_flavor_id");
  EXPECT_EQ(added.error().kind, ErrorKind::kFlavorChange);
}

TEST(LoadBalancerTest, NeverMovesASharedOne) {
  const LoadBalancer before = Shared();
  LoadBalancer after = before;
  after.vip_subnet_cidr_id = "t";
  const auto moved = CheckLoadBalancer(after, &before);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().path, "loadbalancer.vip_subnet_cidr_id");
  EXPECT_EQ(moved.error().kind, ErrorKind::kImmutable);
}

TEST(LoadBalancerTest, RefusesATagKeyTwice) {
  LoadBalancer balancer = Dedicated();
  balancer.tags = {{.key = "a"}, {.key = "b"}, {.key = "a"}};
  EXPECT_EQ(PathOf(CheckLoadBalancer(balancer, nullptr)), "loadbalancer.tags[2].key");
}

TEST(LoadBalancerTest, NeedsAnIpv6SubnetForAnIpv6Bandwidth) {
  LoadBalancer balancer = Dedicated();
  balancer.ipv6_bandwidth = BandwidthReference{.id = "b"};
  EXPECT_EQ(PathOf(CheckLoadBalancer(balancer, nullptr)), "loadbalancer.ipv6_bandwidth");
  balancer.ipv6_vip_virsubnet_id = "n";
  EXPECT_EQ(PathOf(CheckLoadBalancer(balancer, nullptr)), "");
}

TEST(PublicAddressTest, NeedsAWholeBandwidthOrItsId) {
  EXPECT_EQ(AddressProblem(Address()), "");
  PublicAddress address = Address();
  address.bandwidth = Bandwidth{.id = "b"};
  EXPECT_EQ(AddressProblem(address), "");
  address = Address();
  address.bandwidth->size.reset();
  EXPECT_EQ(AddressProblem(address), "loadbalancer.publicip.bandwidth.size");
  address = Address();
  address.bandwidth->name.clear();
  EXPECT_EQ(AddressProblem(address), "loadbalancer.publicip.bandwidth.name");
  address = Address();
  address.bandwidth->share_type = "WHOLE";
  EXPECT_EQ(AddressProblem(address), "loadbalancer.publicip.bandwidth.id");
}

TEST(PublicAddressTest, SharesNoBandwidthWithIpv6) {
  PublicAddress address = Address();
  address.ip_version = 6;
  address.bandwidth = Bandwidth{.id = "b", .share_type = "WHOLE"};
  EXPECT_EQ(AddressProblem(address), "loadbalancer.publicip.bandwidth.share_type");
  address.ip_version = 5;
  EXPECT_EQ(AddressProblem(address), "loadbalancer.publicip.ip_version");
}

TEST(PublicAddressTest, ExcludesExistingAddresses) {
  LoadBalancer balancer = Dedicated();
  balancer.publicip = Address();
  balancer.publicip_ids = {"e"};
  EXPECT_EQ(PathOf(CheckLoadBalancer(balancer, nullptr)), "loadbalancer.publicip");
}

}  // namespace
}  // namespace elb::model
