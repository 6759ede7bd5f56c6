// IP address groups, their bindings, and what they become in a snapshot (api-v3.md 2.2, 2.7).
#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class IpGroupTest : public testing::Test {
 protected:
  [[nodiscard]] Result<Json> Edit(const std::string& group, Action action, const Json& body) {
    return world_.Perform({.resource = Resource::kIpGroup, .parent = {}, .id = group}, action,
                          body);
  }
  [[nodiscard]] Json Entries(const std::string& group) const {
    return world_.Show(Resource::kIpGroup, group)["ip_list"];
  }
  [[nodiscard]] Json Binding(const std::string& listener) const {
    return world_.Show(Resource::kListener, listener)["ipgroup"];
  }
  [[nodiscard]] std::vector<IpPrefix> PrefixesInForce(const std::string& group) const {
    const auto& groups = world_.data_plane.current().ip_groups;
    const auto found = groups.find(IpGroupId(group));
    return found == groups.end() ? std::vector<IpPrefix>{} : found->second->prefixes;
  }
  World world_;
};

TEST_F(IpGroupTest, MergesEntriesOfTheSameNetwork) {
  const std::string group =
      world_.Create(Resource::kIpGroup, {{"ip_list",
                                          {{{"ip", "10.0.0.1"}, {"description", "first"}},
                                           {{"ip", "::1"}},
                                           {{"ip", "10.0.0.1/32"}, {"description", "last"}}}}});

  EXPECT_EQ(Entries(group), (Json{{{"ip", "10.0.0.1"}, {"description", "last"}},
                                  {{"ip", "::1"}, {"description", ""}}}));
}

TEST_F(IpGroupTest, IsEmptyWithoutAList) {
  EXPECT_EQ(Entries(world_.Create(Resource::kIpGroup, Json::object())), Json::array());
  EXPECT_EQ(Entries(world_.Create(Resource::kIpGroup, {{"ip_list", nullptr}})), Json::array());
}

TEST_F(IpGroupTest, RefusesWhatIsNoAddress) {
  const auto refused =
      world_.TryCreate(Resource::kIpGroup, {{"ip_list", {{{"ip", "10.0.0.1"}}, {{"ip", "x"}}}}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().path, "ipgroup.ip_list[1].ip");
}

TEST_F(IpGroupTest, AddsAndChangesEntriesInOneCall) {
  const std::string group = world_.IpGroup({"10.0.0.1", "10.0.0.2"});

  EXPECT_TRUE(
      Edit(group, Action::kAddIpEntries,
           {{"name", "office"},
            {"ip_list", {{{"ip", "10.0.0.3"}}, {{"ip", "10.0.0.2/32"}, {"description", "two"}}}}}));

  EXPECT_EQ(Entries(group), (Json{{{"ip", "10.0.0.1"}, {"description", ""}},
                                  {{"ip", "10.0.0.2"}, {"description", "two"}},
                                  {{"ip", "10.0.0.3"}, {"description", ""}}}));
  EXPECT_EQ(world_.Show(Resource::kIpGroup, group)["name"], "office");
  EXPECT_EQ(PrefixesInForce(group).size(), 3U);
}

TEST_F(IpGroupTest, RemovesEntriesAndOverlooksUnknownOnes) {
  const std::string group = world_.IpGroup({"10.0.0.1", "10.0.0.2"});

  EXPECT_TRUE(Edit(group, Action::kRemoveIpEntries,
                   {{"ip_list", {{{"ip", "10.0.0.1/32"}}, {{"ip", "192.0.2.1"}}}}}));

  EXPECT_EQ(Entries(group), (Json{{{"ip", "10.0.0.2"}, {"description", ""}}}));
  EXPECT_EQ(PrefixesInForce(group), std::vector{*IpPrefix::Parse("10.0.0.2")});
}

TEST_F(IpGroupTest, NeedsEntriesToAddOrRemove) {
  const std::string group = world_.IpGroup({"10.0.0.1"});

  EXPECT_EQ(KindOf(Edit(group, Action::kAddIpEntries, Json::object())), ErrorKind::kMissing);
  EXPECT_EQ(KindOf(Edit(group, Action::kRemoveIpEntries, {{"ip_list", {Json::object()}}})),
            ErrorKind::kMissing);
  EXPECT_EQ(KindOf(Edit("nothing", Action::kAddIpEntries, {{"ip_list", Json::array()}})),
            ErrorKind::kNotFound);
}

TEST_F(IpGroupTest, KeepsToItsQuotas) {
  World world([] {
    NodeConfig node;
    node.quotas = {{"ipgroup", 1}, {"ipgroup_max_length", 2}, {"ipgroup_bindings", 1}};
    return node;
  }());
  const std::string group = world.IpGroup({"10.0.0.1", "10.0.0.2"});
  const Json bind{{"ipgroup", {{"ipgroup_id", group}}}};
  const std::string balancer = world.Balancer();
  const std::string first = world.Listener(balancer, 80, bind);
  const std::string second = world.Listener(balancer, 81);

  EXPECT_EQ(KindOf(world.TryCreate(Resource::kIpGroup, Json::object())), ErrorKind::kQuota);
  EXPECT_EQ(KindOf(world.Perform({.resource = Resource::kIpGroup, .parent = {}, .id = group},
                                 Action::kAddIpEntries, {{"ip_list", {{{"ip", "10.0.0.3"}}}}})),
            ErrorKind::kQuota);
  EXPECT_EQ(KindOf(world.Update(Resource::kListener, second, bind)), ErrorKind::kQuota);
  EXPECT_TRUE(world.Update(Resource::kListener, first, bind));
  EXPECT_EQ(world.control->Used(world.caller, "ipgroup"), 1U);
  EXPECT_EQ(world.control->Used(world.caller, "ipgroup_max_length"), 2U);
  EXPECT_EQ(world.control->Used(world.caller, "ipgroup_bindings"), 1U);
}

TEST_F(IpGroupTest, BindsChangesAndUnbindsAListener) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string listener =
      world_.Listener(world_.Balancer(), 80, {{"ipgroup", {{"ipgroup_id", group}}}});
  EXPECT_EQ(Binding(listener),
            (Json{{"ipgroup_id", group}, {"enable_ipgroup", true}, {"type", "white"}}));
  EXPECT_EQ(world_.Show(Resource::kIpGroup, group)["listeners"],
            (Json::array({{{"id", listener}}})));
  EXPECT_EQ(world_.ListenerInForce(listener)->access_mode, contract::AccessMode::kWhite);
  EXPECT_EQ(world_.ListenerInForce(listener)->access_group, IpGroupId(group));

  EXPECT_TRUE(world_.Update(Resource::kListener, listener, {{"ipgroup", {{"type", "black"}}}}));
  EXPECT_EQ(world_.ListenerInForce(listener)->access_mode, contract::AccessMode::kBlack);

  EXPECT_TRUE(world_.Update(Resource::kListener, listener, {{"ipgroup", Json::object()}}));
  EXPECT_EQ(Binding(listener), nullptr);
  EXPECT_EQ(world_.ListenerInForce(listener)->access_mode, contract::AccessMode::kEveryone);
  EXPECT_EQ(world_.Show(Resource::kIpGroup, group)["listeners"], Json::array());
  EXPECT_EQ(
      KindOf(world_.Update(Resource::kListener, listener, {{"ipgroup", {{"type", "white"}}}})),
      ErrorKind::kMissing);
}

TEST_F(IpGroupTest, LetsEveryoneInWhileItsBindingIsOff) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string listener = world_.Listener(
      world_.Balancer(), 80, {{"ipgroup", {{"ipgroup_id", group}, {"enable_ipgroup", false}}}});

  EXPECT_EQ(world_.ListenerInForce(listener)->access_mode, contract::AccessMode::kEveryone);
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kIpGroup, group)), std::vector{listener});
}

TEST_F(IpGroupTest, GoesOnlyWhenNoListenerIsBound) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string listener =
      world_.Listener(world_.Balancer(), 80, {{"ipgroup", {{"ipgroup_id", group}}}});
  EXPECT_EQ(KindOf(world_.Delete(Resource::kIpGroup, group)), ErrorKind::kConflict);

  EXPECT_TRUE(world_.Delete(Resource::kListener, listener));

  EXPECT_TRUE(world_.Delete(Resource::kIpGroup, group));
  EXPECT_TRUE(world_.data_plane.current().ip_groups.empty());
}

TEST_F(IpGroupTest, MustExistInTheProjectToBeBound) {
  const std::string listener = world_.Listener(world_.Balancer(), 80);

  const auto refused =
      world_.Update(Resource::kListener, listener, {{"ipgroup", {{"ipgroup_id", "nothing"}}}});

  EXPECT_EQ(KindOf(refused), ErrorKind::kReferenceNotFound);
  EXPECT_EQ(refused.error().path, "listener.ipgroup.ipgroup_id");
}

TEST_F(IpGroupTest, ReachesItsListenersWithoutTouchingThem) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string balancer = world_.Balancer();
  const Json bind{{"ipgroup", {{"ipgroup_id", group}}}};
  const std::string one = world_.Listener(balancer, 80, bind);
  const std::string two = world_.Listener(balancer, 81, bind);
  const auto before = world_.data_plane.snapshot();

  EXPECT_TRUE(world_.Update(Resource::kIpGroup, group, {{"ip_list", {{{"ip", "192.0.2.0/24"}}}}}));

  const auto after = world_.data_plane.snapshot();
  EXPECT_EQ(after->generation, before->generation + 1);
  EXPECT_EQ(PrefixesInForce(group), std::vector{*IpPrefix::Parse("192.0.2.0/24")});
  for (const std::string& listener : {one, two}) {
    EXPECT_EQ(after->listeners.at(ListenerId(listener)),
              before->listeners.at(ListenerId(listener)));
  }
}

TEST_F(IpGroupTest, KeepsItsPartOfTheSnapshotWhenOnlyWordsChange) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const auto before = world_.data_plane.snapshot();

  EXPECT_TRUE(
      world_.Update(Resource::kIpGroup, group,
                    {{"name", "x"}, {"ip_list", {{{"ip", "10.0.0.1"}, {"description", "me"}}}}}));

  EXPECT_EQ(world_.data_plane.snapshot()->ip_groups.at(IpGroupId(group)),
            before->ip_groups.at(IpGroupId(group)));
}

TEST_F(IpGroupTest, IsThereAgainAfterARestart) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string listener =
      world_.Listener(world_.Balancer(), 80, {{"ipgroup", {{"ipgroup_id", group}}}});
  const Json before = world_.Show(Resource::kIpGroup, group);

  world_.Restart();

  EXPECT_EQ(world_.Show(Resource::kIpGroup, group), before);
  EXPECT_EQ(PrefixesInForce(group), std::vector{*IpPrefix::Parse("10.0.0.1")});
  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kIpGroup, group)), std::vector{listener});
}

}  // namespace
}  // namespace elb::control
