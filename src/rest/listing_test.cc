// Pages and filters of lists (api-v3.md 1.8).
#include "rest/listing.h"

#include <gtest/gtest.h>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class PageTest : public testing::Test {
 protected:
  struct Got {
    std::vector<std::string> ids;
    Json info;
    friend bool operator==(const Got&, const Got&) = default;
  };
  /// The page of a list of five, `a` to `e`; `c` does not match while `hidden_` is set.
  Got Of(const std::string& query) {
    const Result<PageRange> range = ReadPageRange(Query(query));
    EXPECT_TRUE(range) << query;
    const Result<Page> page = CollectPage(
        {"a", "b", "c", "d", "e"}, *range, [&](const std::string& id) -> std::optional<Json> {
          ++shown_;
          return hidden_ && id == "c" ? std::nullopt : std::optional(Json{{"id", id}});
        });
    if (!page) {
      return {.ids = {"refused"}, .info = {}};
    }
    Got got{.ids = {}, .info = PageInfo(*page)};
    for (const Json& item : page->items) {
      got.ids.push_back(item["id"].get<std::string>());
    }
    return got;
  }
  bool hidden_ = false;
  int shown_ = 0;
};

TEST_F(PageTest, IsTheWholeListWithoutLimit) {
  EXPECT_EQ(Of(""), (Got{.ids = {"a", "b", "c", "d", "e"},
                         .info = {{"previous_marker", "a"}, {"current_count", 5}}}));
  EXPECT_EQ(Of("limit=0").ids.size(), 5U);
}

TEST_F(PageTest, GoesOnBehindTheMarker) {
  EXPECT_EQ(Of("limit=2"),
            (Got{.ids = {"a", "b"},
                 .info = {{"previous_marker", "a"}, {"next_marker", "b"}, {"current_count", 2}}}));
  EXPECT_EQ(Of("limit=2&marker=b").ids, (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(Of("limit=2&marker=d"),
            (Got{.ids = {"e"}, .info = {{"previous_marker", "e"}, {"current_count", 1}}}));
  EXPECT_EQ(Of("marker=e"), (Got{.ids = {}, .info = {{"current_count", 0}}}));
}

TEST_F(PageTest, HasNoNextMarkerWhenItEndsWithTheList) {
  EXPECT_FALSE(Of("limit=5").info.contains("next_marker"));
  EXPECT_TRUE(Of("limit=4").info.contains("next_marker"));
}

TEST_F(PageTest, GoesBackwardsBeforeTheMarker) {
  EXPECT_EQ(Of("limit=2&marker=d&page_reverse=True").ids, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(Of("limit=2&marker=a&page_reverse=true").ids, std::vector<std::string>{});
  EXPECT_EQ(Of("limit=2&page_reverse=true").ids, (std::vector<std::string>{"d", "e"}));
}

TEST_F(PageTest, CountsOnlyWhatMatches) {
  hidden_ = true;

  EXPECT_EQ(Of("limit=2&marker=a").ids, (std::vector<std::string>{"b", "d"}));
  EXPECT_EQ(Of("limit=2&marker=e&page_reverse=true").ids, (std::vector<std::string>{"b", "d"}));
  EXPECT_FALSE(Of("limit=4").info.contains("next_marker"));
}

TEST_F(PageTest, ShowsNoMoreThanItNeeds) {
  Of("limit=2");

  EXPECT_EQ(shown_, 3);  // The third one tells that there is more.
}

TEST_F(PageTest, RefusesMarkersThatAreNotInTheList) {
  EXPECT_EQ(Of("marker=x").ids, std::vector<std::string>{"refused"});
  EXPECT_EQ(Of("marker=").ids, std::vector<std::string>{"refused"});
}

TEST(PageRangeTest, RefusesWhatIsNoPage) {
  for (const char* query : {"limit=-1", "limit=2001", "limit=x", "limit=", "limit=1.5",
                            "page_reverse=maybe", "page_reverse="}) {
    EXPECT_FALSE(ReadPageRange(Query(query))) << query;
  }
  EXPECT_EQ(ReadPageRange(Query("limit=2000"))->limit, 2000U);
}

// --- filters ------------------------------------------------------------------------------------

class FilterTest : public testing::Test {
 protected:
  /// Names of the list's objects.
  std::vector<std::string> Names(const std::string& path) {
    const Answer answer = service_.Call("GET", path);
    EXPECT_EQ(answer.status, 200) << path << answer.body.dump();
    std::vector<std::string> names;
    for (const auto& [key, list] : answer.body.items()) {
      if (list.is_array()) {
        for (const Json& object : list) {
          names.push_back(object["name"].get<std::string>());
        }
      }
    }
    return names;
  }
  using Found = std::vector<std::string>;

  Service service_;
  control::World& world_ = service_.world;
};

TEST_F(FilterTest, MatchesExactlyOneOfSeveralValuesOfAllParameters) {
  const std::string balancer = world_.Balancer();
  world_.Pool(balancer, {{"name", "a"}, {"description", "x"}});
  world_.Pool(balancer, {{"name", "b"}, {"description", "x"}, {"protocol", "TCP"}});
  world_.Pool(balancer, {{"name", "c"}, {"description", "y"}});

  EXPECT_EQ(Names("pools?name=a&name=c"), (Found{"a", "c"}));
  EXPECT_EQ(Names("pools?description=x&protocol=HTTP"), Found{"a"});
  EXPECT_EQ(Names("pools?name=A"), Found{});
  EXPECT_EQ(Names("pools?protocol=http"), Found{});
  EXPECT_EQ(Names("pools?name=b&description=y"), Found{});
  EXPECT_EQ(Names("pools?sort_key=x&tenant_id=y&status=z"), (Found{"a", "b", "c"}));
  EXPECT_EQ(Names("pools?admin_state_up=True"), (Found{"a", "b", "c"}));
  EXPECT_EQ(Names("pools?admin_state_up=FALSE"), Found{});
  EXPECT_EQ(Names("pools?loadbalancer_id=" + balancer + "&loadbalancer_id=x"),
            (Found{"a", "b", "c"}));
  EXPECT_EQ(Names("pools?enterprise_project_id=0&limit=1"), Found{"a"});
}

TEST_F(FilterTest, TakesAnEmptyValueForNone) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer, {{"name", "a"}});
  world_.Create(
      Resource::kPool,
      {{"name", "free"}, {"protocol", "HTTP"}, {"lb_algorithm", "ROUND_ROBIN"}, {"type", "ip"}});
  world_.Monitor(pool);

  EXPECT_EQ(Names("pools?healthmonitor_id="), Found{"free"});
  EXPECT_EQ(Names("pools?loadbalancer_id="), Found{"free"});
  EXPECT_EQ(Names("pools?name="), Found{});
}

TEST_F(FilterTest, RefusesValuesOfTheWrongForm) {
  for (const char* path :
       {"pools?admin_state_up=yes", "pools?admin_state_up=", "listeners?protocol_port=http",
        "listeners?client_timeout=1.5", "loadbalancers?ip_version=v4", "flavors?shared=x"}) {
    EXPECT_EQ(service_.Call("GET", path).code(), "ELB.8902") << path;
  }
}

TEST_F(FilterTest, ComparesNumbersByValue) {
  world_.Listener(world_.Balancer(), 80, {{"name", "web"}});

  EXPECT_EQ(Names("listeners?protocol_port=080"), Found{"web"});
  EXPECT_EQ(Names("listeners?protocol_port=81"), Found{});
  EXPECT_EQ(Names("listeners?connection_limit=-1"), Found{"web"});
}

TEST_F(FilterTest, DecodesPercentAndPlus) {
  world_.Pool(world_.Balancer(), {{"name", "a b+c%"}});

  EXPECT_EQ(Names("pools?name=a+b%2Bc%25"), Found{"a b+c%"});
  EXPECT_EQ(Names("pools?name=a%20b%2bc%"), Found{"a b+c%"});
}

TEST_F(FilterTest, FindsWhatAMemberServes) {
  const std::string balancer = world_.Balancer({{"name", "with"}});
  world_.Balancer({{"name", "without"}});
  const std::string pool = world_.Pool(balancer, {{"name", "with"}});
  world_.Pool(balancer, {{"name", "without"}});
  world_.Listener(balancer, 80, {{"name", "with"}, {"default_pool_id", pool}});
  world_.Listener(balancer, 81, {{"name", "without"}});
  world_.Member(pool, "127.0.0.2");

  for (const std::string list : {"loadbalancers", "listeners", "pools"}) {
    EXPECT_EQ(Names(list + "?member_address=127.0.0.2"), Found{"with"});
    EXPECT_EQ(Names(list + "?member_address=127.0.0.3"), Found{});
    EXPECT_EQ(Names(list + "?member_device_id=x"), Found{});
  }
}

TEST_F(FilterTest, FindsLoadBalancersByTheirAddresses) {
  world_.Balancer({{"name", "private"}, {"vip_address", "127.20.7.7"}});
  world_.Balancer(
      {{"name", "public"},
       {"publicip",
        {{"network_type", "5_bgp"},
         {"bandwidth",
          {{"share_type", "PER"}, {"size", 5}, {"charge_mode", "traffic"}, {"name", "b"}}}}}});

  EXPECT_EQ(Names("loadbalancers?vip_address=127.20.7.7"), Found{"private"});
  EXPECT_EQ(Names("loadbalancers?eips=eip_address%3D127.30.0.10"), Found{"public"});
  EXPECT_EQ(Names("loadbalancers?publicips=publicip_address%3D127.30.0.10&publicips=x"),
            Found{"public"});
  EXPECT_EQ(Names("loadbalancers?eips=ip_version%3D4"), Found{"public"});
  EXPECT_EQ(Names("loadbalancers?ip_version=4"), (Found{"private", "public"}));
  EXPECT_EQ(Names("loadbalancers?ip_version=6"), Found{});
  EXPECT_EQ(Names("loadbalancers?availability_zone_list=eu-de-01"), (Found{"private", "public"}));
}

TEST_F(FilterTest, FindsCertificatesByOneOfTheirNames) {
  world_.Certificate(0, {{"name", "two"}, {"domain", "a.test,b.test"}});
  world_.Certificate(0, {{"name", "none"}});

  EXPECT_EQ(Names("certificates?domain=b.test"), Found{"two"});
  EXPECT_EQ(Names("certificates?domain=a.test,b.test"), Found{"two"});
  EXPECT_EQ(Names("certificates?domain=test"), Found{});
  EXPECT_EQ(Names("certificates?domain="), Found{"none"});
}

TEST_F(FilterTest, ShowsOfAMemberWhereItIsOnlyInTheListOfAll) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string other = world_.Pool(balancer);
  world_.Member(pool, "127.0.0.2", 80, {{"name", "m"}, {"weight", 3}});
  world_.Member(other, "127.0.0.3", 80, {{"name", "n"}});

  EXPECT_EQ(Names("members?pool_id=" + pool), Found{"m"});
  EXPECT_EQ(Names("members?loadbalancer_id=" + balancer), (Found{"m", "n"}));
  EXPECT_EQ(Names("pools/" + pool + "/members?weight=3"), Found{"m"});
  EXPECT_EQ(Names("pools/" + pool + "/members?pool_id=unknown"), Found{"m"});
  const Json everywhere = service_.Call("GET", "members?name=m").body["members"][0];
  const Json in_pool = service_.Call("GET", "pools/" + pool + "/members").body["members"][0];
  EXPECT_EQ(everywhere["pool_id"], pool);
  EXPECT_EQ(everywhere["loadbalancer_id"], balancer);
  EXPECT_EQ(everywhere["loadbalancers"], Json::array({{{"id", balancer}}}));
  EXPECT_FALSE(in_pool.contains("pool_id"));
}

// --- the catalogue (api-v3.md 2.11 to 2.13) -----------------------------------------------------

TEST_F(FilterTest, ListsFlavorsByName) {
  const std::vector<std::string> names = Names("flavors");

  EXPECT_EQ(names.size(), 14U);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(Names("flavors?type=L4_elastic_max&flavor_sold_out=false").size(), 1U);
  EXPECT_EQ(Names("flavors?shared=false"), Found{});
  EXPECT_EQ(Names("flavors?limit=2").size(), 2U);
  const Answer fixed = service_.Call("GET", "flavors/7628a037-c229-4c0c-820b-4ea862743aef");
  EXPECT_EQ(fixed.body["flavor"]["name"], "L7_flavor.elb.s2.small");
  EXPECT_EQ(fixed.body["flavor"]["info"], (Json{{"connection", 400000},
                                                {"cps", 4000},
                                                {"bandwidth", 100000},
                                                {"lcu", 20},
                                                {"qps", 8000},
                                                {"https_cps", 400}}));
  EXPECT_EQ(service_.Call("GET", "flavors/nothing").code(), "ELB.8904");
}

TEST_F(FilterTest, ListsZonesThatALoadBalancerCouldStillGet) {
  const std::string balancer = world_.Balancer();

  const Json all = service_.Call("GET", "availability-zones").body["availability_zones"];
  const Json rest = service_.Call("GET", "availability-zones?loadbalancer_id=" + balancer)
                        .body["availability_zones"];

  EXPECT_EQ(all[0].size(), 6U);
  EXPECT_EQ(all[0][0], (Json{{"code", "eu-de-01"},
                             {"state", "ACTIVE"},
                             {"protocol", {"L4", "L7"}},
                             {"public_border_group", "center"},
                             {"category", 0}}));
  EXPECT_EQ(rest[0].size(), 5U);
  EXPECT_EQ(service_.Call("GET", "availability-zones?loadbalancer_id=x").status, 404);
}

TEST_F(FilterTest, CountsWhatQuotasLimit) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  world_.Pool(balancer);
  world_.Member(pool, "127.0.0.2");
  world_.Member(pool, "127.0.0.3");

  const Json quota = service_.Call("GET", "quotas").body["quota"];
  const Json details =
      service_.Call("GET", "quotas/details?quota_key=pool&quota_key=members_per_pool")
          .body["quotas"];

  EXPECT_EQ(quota.size(), 21U);
  EXPECT_EQ(quota["healthmonitor"], -1);
  EXPECT_EQ(quota["project_id"], service_.project);
  EXPECT_EQ(
      details,
      Json::array({{{"quota_key", "pool"}, {"quota_limit", 500}, {"used", 2}, {"unit", "count"}},
                   {{"quota_key", "members_per_pool"},
                    {"quota_limit", 500},
                    {"used", 2},
                    {"unit", "count"}}}));
  EXPECT_EQ(service_.Call("GET", "quotas/details").body["quotas"].size(), 20U);
  EXPECT_EQ(service_.Call("GET", "quotas/details?quota_key=x").code(), "ELB.8902");
  EXPECT_EQ(service_.Call("GET", "quotas/x").status, 404);
}

TEST_F(FilterTest, ShowsTheNetworksOfTheConfiguration) {
  const Service::Headers known{{"x-auth-token", service_.token}};
  const std::string base = "/network/v1/" + service_.project + "/";
  const auto get = [&](const std::string& path) {
    return service_.Raw("GET", base + path, "", known);
  };
  const std::string network = world_.node.subnets.front().network_id;

  EXPECT_EQ(get("vpcs").body["vpcs"][0]["id"], world_.node.vpc_id);
  EXPECT_EQ(get("vpcs/" + world_.node.vpc_id).body["vpc"]["status"], "OK");
  EXPECT_EQ(get("subnets/" + network).body["subnet"]["neutron_subnet_id"],
            world_.node.subnets.front().subnet_id);
  EXPECT_EQ(get("subnets?vpc_id=other").body["subnets"], Json::array());
  EXPECT_EQ(get("subnets/other").body["code"], "VPC.0202");
  EXPECT_EQ(service_.Raw("POST", base + "vpcs", "{}", known).body["code"], "VPC.0007");
}

}  // namespace
}  // namespace elb::rest
