// Public addresses and bandwidths in the VPC API's words (api-v3.md 4.5).
#include "rest/network.h"

#include <gtest/gtest.h>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class NetworkTest : public testing::Test {
 protected:
  Answer Call(const std::string& method, const std::string& path) {
    return service_.Raw(method, "/network/v1/" + service_.project + "/" + path, "",
                        {{"x-auth-token", service_.token}});
  }
  /// Id of a new load balancer.
  std::string Balancer() {
    return world_.Balancer(
        {{"publicip",
          {{"network_type", "5_bgp"},
           {"bandwidth",
            {{"share_type", "PER"}, {"size", 5}, {"charge_mode", "traffic"}, {"name", "b"}}}}}});
  }
  std::string EipOf(const std::string& balancer) {
    return world_.Show(Resource::kLoadBalancer, balancer)["publicips"][0]["publicip_id"];
  }
  Service service_;
  control::World& world_ = service_.world;
};

TEST_F(NetworkTest, ShowsPublicAddressesBoundAndUnbound) {
  const std::string balancer = Balancer();
  const std::string id = EipOf(balancer);

  Json shown = Call("GET", "publicips/" + id).body["publicip"];
  EXPECT_EQ(shown["status"], "ACTIVE");
  EXPECT_EQ(shown["public_ip_address"], "127.30.0.10");
  EXPECT_EQ(shown["bandwidth_size"], 5);
  EXPECT_EQ(shown["port_id"], world_.Show(Resource::kLoadBalancer, balancer)["vip_port_id"]);

  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer));
  shown = Call("GET", "publicips/" + id).body["publicip"];
  EXPECT_EQ(shown["status"], "DOWN");
  EXPECT_EQ(shown["port_id"], nullptr);
}

TEST_F(NetworkTest, ResolvesTheBandwidthOfAPublicAddress) {
  const std::string id = EipOf(Balancer());
  const std::string bandwidth = Call("GET", "publicips/" + id).body["publicip"]["bandwidth_id"];

  const Json shown = Call("GET", "bandwidths/" + bandwidth).body["bandwidth"];

  EXPECT_EQ(shown["size"], 5);
  EXPECT_EQ(shown["share_type"], "PER");
  EXPECT_EQ(shown["publicip_info"][0]["publicip_id"], id);
}

TEST_F(NetworkTest, PagesPublicAddressesByMarker) {
  const std::string first = EipOf(Balancer());
  const std::string second = EipOf(Balancer());
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> found;
    for (const Json& eip : Call("GET", "publicips" + query).body["publicips"]) {
      found.push_back(eip["id"]);
    }
    return found;
  };

  EXPECT_EQ(ids(""), (std::vector{first, second}));
  EXPECT_EQ(ids("?limit=1"), std::vector{first});
  EXPECT_EQ(ids("?limit=1&marker=" + first), std::vector{second});
  EXPECT_EQ(ids("?limit=1&marker=" + second), std::vector<std::string>{});
}

TEST_F(NetworkTest, ReleasesPublicAddresses) {
  const std::string id = EipOf(Balancer());

  EXPECT_EQ(Call("DELETE", "publicips/" + id).status, 204);

  EXPECT_EQ(Call("DELETE", "publicips/" + id).status, 404);
  EXPECT_EQ(Call("GET", "publicips").body["publicips"], Json::array());
  EXPECT_EQ(Call("POST", "publicips").status, 403);
}

}  // namespace
}  // namespace elb::rest
