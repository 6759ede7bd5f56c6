// Tags of load balancers and listeners (api-v3.md 2.15).
#include "rest/tags.h"

#include <gtest/gtest.h>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class TagsTest : public testing::Test {
 protected:
  Answer Call(const std::string& method, const std::string& path, const Json& body = {},
              const std::string& version = "v2.0") {
    return service_.Raw(method, "/" + version + "/" + service_.project + "/" + path,
                        body.is_null() ? "" : body.dump(), {{"x-auth-token", service_.token}});
  }
  [[nodiscard]] static Json Edit(const std::string& action, const Json& tags) {
    return {{"action", action}, {"tags", tags}};
  }
  [[nodiscard]] Json TagsOf(const std::string& balancer) const {
    return world_.Show(Resource::kLoadBalancer, balancer)["tags"];
  }
  Service service_;
  control::World& world_ = service_.world;
};

TEST_F(TagsTest, AddsAndOverwritesInPlace) {
  const std::string balancer =
      world_.Balancer({{"tags", {{{"key", "a"}, {"value", "1"}}, {{"key", "b"}, {"value", "2"}}}}});
  const std::string path = "loadbalancers/" + balancer + "/tags";

  EXPECT_EQ(Call("POST", path + "/action",
                 Edit("create", {{{"key", "a"}, {"value", "3"}}, {{"key", "c"}}}))
                .status,
            204);

  const Json expected{{{"key", "a"}, {"value", "3"}},
                      {{"key", "b"}, {"value", "2"}},
                      {{"key", "c"}, {"value", ""}}};
  EXPECT_EQ(TagsOf(balancer), expected);
  EXPECT_EQ(Call("GET", path).body, (Json{{"tags", expected}}));
}

TEST_F(TagsTest, RemovesByKeyAndOverlooksUnknownOnes) {
  const std::string balancer = world_.Balancer({{"tags", {{{"key", "a"}, {"value", "1"}}}}});
  const std::string path = "loadbalancers/" + balancer + "/tags/action";

  EXPECT_EQ(Call("POST", path, Edit("delete", {{{"key", "a"}}, {{"key", "z"}}})).status, 204);

  EXPECT_EQ(TagsOf(balancer), Json::array());
}

TEST_F(TagsTest, ServesListenersUnderBothVersions) {
  const std::string listener = world_.Listener(world_.Balancer(), 80);
  const std::string path = "listeners/" + listener + "/tags";

  EXPECT_EQ(Call("POST", path, {{"tag", {{"key", "a b"}, {"value", "1"}}}}, "v3").status, 204);
  EXPECT_EQ(world_.Show(Resource::kListener, listener)["tags"][0]["key"], "a b");
  EXPECT_EQ(Call("DELETE", path + "/a%20b", {}, "v3").status, 204);
  EXPECT_EQ(Call("DELETE", path + "/a%20b", {}, "v3").status, 404);
}

TEST_F(TagsTest, RefusesInTheFormOfTheVpcService) {
  const std::string balancer = world_.Balancer();
  const std::string path = "loadbalancers/" + balancer + "/tags/action";

  EXPECT_EQ(Call("POST", path, Edit("nothing", {{{"key", "a"}}})).body["code"], "VPC.1801");
  EXPECT_EQ(Call("POST", path, Edit("create", {{{"key", ""}}})).status, 400);
  EXPECT_EQ(Call("POST", path, Edit("create", {{{"key", std::string(129, 'k')}}})).status, 400);
  EXPECT_EQ(Call("POST", path, Edit("create", Json::array())).status, 400);
  const Answer missing =
      Call("POST", "loadbalancers/nothing/tags/action", Edit("create", {{{"key", "a"}}}));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body["code"], "VPC.1801");
  EXPECT_EQ(Call("GET", path).status, 405);
}

TEST_F(TagsTest, AsksForATokenOfTheProject) {
  const std::string path = "/loadbalancers/x/tags";
  const Answer anonymous = service_.Raw("GET", "/v2.0/" + service_.project + path);
  EXPECT_EQ(anonymous.status, 401);
  EXPECT_EQ(anonymous.body["code"], "VPC.0008");

  const Answer foreign = service_.Raw("GET", "/v2.0/" + std::string(control::kOtherProject) + path,
                                      "", {{"x-auth-token", service_.token}});

  EXPECT_EQ(foreign.status, 403);
  EXPECT_EQ(foreign.body["code"], "VPC.0007");
}

TEST_F(TagsTest, AllowsTwentyPerObject) {
  const std::string balancer = world_.Balancer();
  Json tags = Json::array();
  for (int i = 0; i < 20; ++i) {
    tags.push_back({{"key", std::to_string(i)}});
  }
  const std::string path = "loadbalancers/" + balancer + "/tags/action";
  EXPECT_EQ(Call("POST", path, Edit("create", tags)).status, 204);

  EXPECT_EQ(Call("POST", path, Edit("create", {{{"key", "more"}}})).status, 400);
  EXPECT_EQ(TagsOf(balancer).size(), 20U);
}

TEST_F(TagsTest, ListsKeysWithTheirValues) {
  world_.Balancer({{"tags", {{{"key", "a"}, {"value", "1"}}, {{"key", "b"}, {"value", "x"}}}}});
  world_.Balancer({{"tags", {{{"key", "a"}, {"value", "2"}}}}});

  EXPECT_EQ(Call("GET", "loadbalancers/tags").body,
            (Json{{"tags",
                   {{{"key", "a"}, {"values", {"1", "2"}}},
                    {{"key", "b"}, {"values", Json::array({"x"})}}}}}));
}

TEST_F(TagsTest, FindsAndCountsByTags) {
  const std::string one =
      world_.Balancer({{"name", "one"}, {"tags", {{{"key", "a"}, {"value", "prod-1"}}}}});
  const std::string two =
      world_.Balancer({{"name", "two"}, {"tags", {{{"key", "a"}, {"value", "test"}}}}});
  world_.Balancer();
  const auto find = [&](Json body) {
    body["action"] = "filter";
    std::vector<std::string> ids;
    const Answer answer = Call("POST", "loadbalancers/resource_instances/action", body);
    for (const Json& found : answer.body["resources"]) {
      ids.push_back(found["resource_id"].get<std::string>());
    }
    return ids;
  };
  const auto tagged = [](const std::string& value) {
    return Json{{"tags", Json::array({{{"key", "a"}, {"values", Json::array({value})}}})}};
  };

  EXPECT_EQ(find(tagged("test")), std::vector{two});
  EXPECT_EQ(find(tagged("*prod")), std::vector{one});
  EXPECT_EQ(find(tagged("prod")), std::vector<std::string>{});
  EXPECT_EQ(find({{"tags", Json::array({{{"key", "a"}}})}}), (std::vector{one, two}));
  EXPECT_EQ(find({{"limit", "1"}, {"offset", "1"}}), std::vector{two});
  EXPECT_EQ(find({{"matches", Json::array({{{"key", "resource_name"}, {"value", "one"}}})}}),
            std::vector{one});
  EXPECT_EQ(Call("POST", "loadbalancers/resource_instances/action", {{"action", "count"}}).body,
            (Json{{"total_count", 3}}));
  EXPECT_EQ(Call("POST", "loadbalancers/resource_instances/action",
                 {{"action", "filter"}, {"limit", "1001"}})
                .body["code"],
            "VPC.1801");
}

}  // namespace
}  // namespace elb::rest
