// Calls below an object that do something to it (api-v3.md 2.7, 2.18).
#include "rest/actions.h"

#include <gtest/gtest.h>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class ActionsTest : public testing::Test {
 protected:
  Service service_;
  control::World& world_ = service_.world;
};

TEST_F(ActionsTest, EditEntriesOfAnIpGroup) {
  const Answer made = service_.Call("POST", "ipgroups", {{"ipgroup", {{"name", "g"}}}});
  ASSERT_EQ(made.status, 201);
  const std::string path = "ipgroups/" + made.body["ipgroup"]["id"].get<std::string>();

  const Answer added = service_.Call("POST", path + "/iplist/create-or-update",
                                     {{"ipgroup", {{"ip_list", {{{"ip", "192.0.2.1"}}}}}}});
  EXPECT_EQ(added.status, 200);
  EXPECT_EQ(added.body["ipgroup"]["ip_list"], (Json{{{"ip", "192.0.2.1"}, {"description", ""}}}));
  EXPECT_EQ(added.headers.at("ETag"), "\"r2\"");

  const Answer removed = service_.Call("POST", path + "/iplist/batch-delete",
                                       {{"ipgroup", {{"ip_list", {{{"ip", "192.0.2.1"}}}}}}});
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.body["ipgroup"]["ip_list"], Json::array());
  EXPECT_EQ(removed.body["ipgroup"]["extensions"]["revision"], 3);
}

TEST_F(ActionsTest, HoldEditsOfEntriesToThePrecondition) {
  const std::string path = "ipgroups/" + world_.IpGroup({"192.0.2.1"}) + "/iplist/batch-delete";
  const Json body{{"ipgroup", {{"ip_list", {{{"ip", "192.0.2.1"}}}}}}};

  EXPECT_EQ(service_.Call("POST", path, body, {{"if-match", "\"r7\""}}).status, 412);
  EXPECT_EQ(service_.Call("POST", path, body, {{"if-match", "\"r1\""}}).status, 200);
}

TEST_F(ActionsTest, KnowTheirMethodsAndPaths) {
  const std::string path = "ipgroups/" + world_.IpGroup({"192.0.2.1"});

  EXPECT_EQ(service_.Call("GET", path + "/iplist/batch-delete").status, 405);
  EXPECT_EQ(service_.Call("POST", path + "/related-listeners").status, 405);
  EXPECT_EQ(service_.Call("POST", path + "/iplist/nothing", Json::object()).status, 404);
  EXPECT_EQ(service_.Call("POST", path + "/iplist/batch-delete").code(), "ELB.0002");
  EXPECT_EQ(service_.Call("GET", "ipgroups/nothing/related-listeners").code(), "ELB.8904");
}

TEST_F(ActionsTest, NameTheListenersOfAnIpGroup) {
  const std::string group = world_.IpGroup({"192.0.2.1"});
  const std::string balancer = world_.Balancer();
  const std::string listener =
      world_.Listener(balancer, 80, {{"name", "web"}, {"ipgroup", {{"ipgroup_id", group}}}});

  EXPECT_EQ(service_.Call("GET", "ipgroups/" + group + "/related-listeners").body["listeners"],
            (Json::array({{{"id", listener},
                           {"name", "web"},
                           {"protocol", "HTTP"},
                           {"protocol_port", 80},
                           {"loadbalancers", Json::array({{{"id", balancer}}})}}})));
}

TEST_F(ActionsTest, EditSeveralMembersOfAPool) {
  const std::string path = "pools/" + world_.Pool(world_.Balancer()) + "/members/";
  const Json one{{"address", "127.0.0.2"}, {"protocol_port", 80}};

  const Answer added =
      service_.Call("POST", path + "batch-add", {{"members", Json::array({one, one})}});
  ASSERT_EQ(added.status, 201);
  const Json& members = added.body["members"];
  EXPECT_EQ(members[0]["address"], "127.0.0.2");
  EXPECT_EQ(members[0]["ret_status"], "successful");
  EXPECT_EQ(members[1]["ret_status"], "existed");

  const Json id = members[0]["id"];
  const Answer updated = service_.Call("POST", path + "batch-update",
                                       {{"members", Json::array({{{"id", id}, {"weight", 9}}})}});
  EXPECT_EQ(updated.status, 200);
  EXPECT_EQ(updated.body["members"][0]["weight"], 9);

  const Answer removed =
      service_.Call("POST", path + "batch-delete", {{"members", Json::array({{{"id", id}}})}});
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.body["members"], (Json::array({{{"id", id}, {"ret_status", "successful"}}})));
  EXPECT_EQ(service_.Call("GET", path + "batch-add").status, 405);
  EXPECT_EQ(service_.Call("POST", path + "batch-add", Json::object()).code(), "ELB.0002");
}

TEST_F(ActionsTest, FindGroupsByTheAddressesTheyContain) {
  const std::string one = world_.IpGroup({"192.0.2.1", "2001:db8::1"});
  const std::string two = world_.IpGroup({"10.0.0.0/8"});
  const auto found = [&](const std::string& list) {
    std::vector<std::string> ids;
    for (const Json& group : service_.Call("GET", "ipgroups?ip_list=" + list).body["ipgroups"]) {
      ids.push_back(group["id"].get<std::string>());
    }
    return ids;
  };

  EXPECT_EQ(found("192.0.2.1/32"), std::vector{one});
  EXPECT_EQ(found("198.51.100.1,2001:db8:0::1"), std::vector{one});
  EXPECT_EQ(found("10.0.0.0/8,192.0.2.1"), (std::vector{one, two}));
  EXPECT_EQ(found("10.0.0.1"), std::vector{two});
  EXPECT_EQ(found("10.1.0.0/16"), std::vector{two});
  EXPECT_EQ(found("10.0.0.0/7,192.0.2.0/24,::1"), std::vector<std::string>{});
}

TEST_F(ActionsTest, FindSecurityPoliciesByWhatTheyHold) {
  const Json both{{"protocols", {"TLSv1.3", "TLSv1.2"}}, {"ciphers", {"AES256-GCM-SHA384"}}};
  EXPECT_EQ(service_.Call("POST", "security-policies", {{"security_policy", both}}).status, 201);

  const auto count = [&](const std::string& query) {
    return service_.Call("GET", "security-policies?" + query).body["security_policies"].size();
  };
  EXPECT_EQ(count("protocols=TLSv1.2"), 1U);
  EXPECT_EQ(count("protocols=TLSv1.1"), 0U);
  EXPECT_EQ(count("ciphers=AES256-GCM-SHA384"), 1U);
  EXPECT_EQ(count("ciphers=AES128-SHA"), 0U);
}

}  // namespace
}  // namespace elb::rest
