// Calls that only Huawei's SDKs know (api-v3.md 2.18).
#include "rest/second_tier.h"

#include <gtest/gtest.h>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class SecondTierTest : public testing::Test {
 protected:
  Service service_;
  control::World& world_ = service_.world;
};

TEST_F(SecondTierTest, DeletesObjectsInBatches) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string listener = world_.Listener(balancer, 80);
  const std::string certificate = world_.Certificate();
  for (const auto& [kind, id] :
       {std::pair{"pools", pool}, std::pair{"listeners", listener},
        std::pair{"certificates", certificate}, std::pair{"loadbalancers", balancer}}) {
    const Answer answer = service_.Call("POST", std::string(kind) + "/batch-delete",
                                        {{kind, {{{"id", id}}, {{"id", "nothing"}}}}});
    EXPECT_EQ(answer.status, 200) << kind;
    EXPECT_EQ(answer.body[kind], (Json::array({{{"id", id}, {"ret_status", "successful"}},
                                               {{"id", "nothing"}, {"ret_status", "not found"}}})));
    EXPECT_EQ(service_.Call("GET", std::string(kind) + "/" + id).status, 404);
  }
}

TEST_F(SecondTierTest, RefusesABatchAsAWhole) {
  const std::string free = world_.Balancer();
  const std::string used = world_.Balancer();
  world_.Pool(used);

  const Answer answer = service_.Call("POST", "loadbalancers/batch-delete",
                                      {{"loadbalancers", {{{"id", free}}, {{"id", used}}}}});

  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "ELB.8907");
  EXPECT_EQ(service_.Call("GET", "loadbalancers/" + free).status, 200);
}

TEST_F(SecondTierTest, ReadsBatchesStrictly) {
  EXPECT_EQ(service_.Call("POST", "pools/batch-delete").code(), "ELB.0002");
  EXPECT_EQ(service_.Call("POST", "pools/batch-delete", {{"pools", Json::array()}}).code(),
            "ELB.8902");
  EXPECT_EQ(service_.Call("POST", "pools/batch-delete", {{"pools", {{{"id", 7}}}}}).code(),
            "ELB.8902");
  EXPECT_EQ(
      service_.Call("POST", "pools/batch-delete", {{"pools", {{{"id", "x"}}}}}, {{"if-match", "*"}})
          .code(),
      "ELB.9702");
  EXPECT_EQ(service_.Call("GET", "pools/batch-delete").status, 404);  // A name, to some clients.
}

TEST_F(SecondTierTest, DeletesALoadBalancerWithItsTree) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  world_.Listener(balancer, 80, {{"default_pool_id", pool}});
  world_.Member(pool, "127.0.0.2");
  const std::string path = "loadbalancers/" + balancer + "/delete-cascade";

  EXPECT_EQ(service_.Call("GET", path).status, 405);
  EXPECT_EQ(service_.Call("POST", path).code(), "ELB.0002");
  EXPECT_EQ(service_.Call("POST", path, {{"loadbalancer", {{"public_ip", "yes"}}}}).code(),
            "ELB.8902");
  EXPECT_EQ(service_.Call("POST", path, {{"loadbalancer", Json::object()}}).status, 204);
  EXPECT_EQ(service_.Call("POST", path, {{"loadbalancer", Json::object()}}).status, 404);
  EXPECT_EQ(service_.Call("GET", "pools/" + pool).status, 404);
}

TEST_F(SecondTierTest, LeavesAProtectedTreeUntouched) {
  const std::string balancer = world_.Balancer({{"deletion_protection_enable", true}});
  const std::string listener = world_.Listener(balancer, 80);

  const Answer answer = service_.Call("POST", "loadbalancers/" + balancer + "/delete-cascade",
                                      {{"loadbalancer", {{"unbounded_pool", true}}}});

  EXPECT_EQ(answer.code(), "ELB.8907");
  EXPECT_EQ(service_.Call("GET", "listeners/" + listener).status, 200);
}

TEST_F(SecondTierTest, DeletesAPoolWithItsServers) {
  const std::string pool = world_.Pool(world_.Balancer());
  world_.Member(pool, "127.0.0.2");
  world_.Monitor(pool);

  EXPECT_EQ(service_.Call("POST", "pools/" + pool + "/delete-cascade").status, 204);
  EXPECT_EQ(service_.Call("POST", "pools/" + pool + "/delete-cascade").code(), "ELB.8904");
}

TEST_F(SecondTierTest, HoldsCascadesToThePrecondition) {
  const std::string pool = world_.Pool(world_.Balancer());
  const std::string path = "pools/" + pool + "/delete-cascade";

  EXPECT_EQ(service_.Call("POST", path, {}, {{"if-match", "\"r1\""}}).status, 412);
  EXPECT_EQ(service_.Call("POST", path, {}, {{"if-match", "\"r2\""}}).status, 204);
}

TEST_F(SecondTierTest, SaysWhatIsNotAvailable) {
  for (const auto& [method, path] :
       {std::pair{"POST", "pools/a/members/b/health-check"},
        std::pair{"POST", "certificates/settings/private-key-echo"},
        std::pair{"POST", "loadbalancers/a/availability-zone/batch-add"},
        std::pair{"POST", "loadbalancers/a/availability-zone/batch-remove"},
        std::pair{"POST", "loadbalancers/a/clone"}, std::pair{"POST", "listeners/a/clone"},
        std::pair{"POST", "loadbalancers/a/upgrade"}, std::pair{"GET", "recycle-bin"},
        std::pair{"PUT", "recycle-bin/loadbalancers/a"}, std::pair{"GET", "master-slave-pools"},
        std::pair{"DELETE", "master-slave-pools/a"}, std::pair{"GET", "loadbalancers/a/dns"},
        std::pair{"GET", "loadbalancers/a/local-ports"},
        std::pair{"GET", "loadbalancers/a/topology"}}) {
    const Answer answer = service_.Call(method, path);
    EXPECT_EQ(answer.status, 403) << path;
    EXPECT_EQ(answer.code(), "ELB.8962") << path;
  }
}

TEST_F(SecondTierTest, HasNoJobs) {
  const Answer list = service_.Call("GET", "jobs");

  EXPECT_EQ(list.body["jobs"], Json::array());
  EXPECT_EQ(list.body["page_info"], (Json{{"current_count", 0}}));
  EXPECT_EQ(service_.Call("GET", "jobs/a").code(), "ELB.8904");
  EXPECT_EQ(service_.Call("POST", "jobs").status, 405);
}

TEST_F(SecondTierTest, CountsNoAddressesOfBackendSubnets) {
  const std::string balancer = world_.Balancer();

  EXPECT_EQ(service_.Call("GET", "preoccupy-ip-num?ip_target_enable=True&ip_version=4")
                .body["preoccupy_ip"],
            (Json{{"total", 0}}));
  EXPECT_EQ(service_.Call("GET", "preoccupy-ip-num?loadbalancer_id=" + balancer).status, 200);
  EXPECT_EQ(service_.Call("GET", "preoccupy-ip-num?loadbalancer_id=a").status, 404);
  EXPECT_EQ(service_.Call("GET", "preoccupy-ip-num?l7_flavor_id=a").status, 404);
  EXPECT_EQ(service_.Call("GET", "preoccupy-ip-num?ip_target_enable=perhaps").code(), "ELB.8902");
}

TEST_F(SecondTierTest, ListsFeaturesByKind) {
  const auto value = [&](const std::string& balancer, const std::string& feature) {
    const Json features =
        service_.Call("GET", "loadbalancers/" + balancer + "/features").body["features"];
    for (const Json& each : features) {
      if (each["feature"] == feature) {
        EXPECT_EQ(each["type"], "BOOL");
        return each["value"].get<std::string>();
      }
    }
    return std::string();
  };
  const std::string dedicated = world_.Balancer();
  const std::string shared = world_.SharedBalancer();

  EXPECT_EQ(value(dedicated, "slow_start"), "true");
  EXPECT_EQ(value(shared, "slow_start"), "false");
  EXPECT_EQ(value(shared, "app_cookie"), "true");
  EXPECT_EQ(value(dedicated, "ip_target"), "true");
  EXPECT_EQ(service_.Call("GET", "loadbalancers/a/features").status, 404);
}

TEST_F(SecondTierTest, ListsTheConfigurationOfTheNode) {
  EXPECT_EQ(service_.Call("GET", "feature/configs?feature=connect_timeout").body["configs"],
            (Json::array({{{"feature", "connect_timeout"}, {"type", "INT"}, {"value", "5"}}})));
  EXPECT_EQ(service_.Call("GET", "feature/configs").body["configs"].size(), 4U);
}

}  // namespace
}  // namespace elb::rest
