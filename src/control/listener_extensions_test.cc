// Request ids and front proxies of listeners: references and what a snapshot says of them
// (api-extensions.md 10.2, 10.3).
#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class ListenerExtensionsTest : public testing::Test {
 protected:
  Json FrontProxy(const std::string& group) const {
    return {{"extensions",
             {{"front_proxy", {{"mode", "proxy_protocol"}, {"trusted_ipgroup_id", group}}}}}};
  }
  Json RequestId(const std::string& group) const {
    return {{"extensions", {{"request_id", {{"mode", "trusted"}, {"trusted_ipgroup_id", group}}}}}};
  }

  World world_;
  std::string balancer_ = world_.Balancer();
};

TEST_F(ListenerExtensionsTest, ReachTheSnapshot) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string listener = world_.Listener(
      balancer_, 80,
      {{"extensions",
        {{"request_id",
          {{"mode", "always"}, {"header", "X-Trace"}, {"format", "uuid"}, {"response", false}}},
         {"front_proxy",
          {{"mode", "forwarded"}, {"trusted_ipgroup_id", group}, {"others", "direct"}}}}}});

  EXPECT_EQ(world_.ListenerInForce(listener)->request_id,
            (contract::RequestIdConfig{.mode = contract::RequestIdMode::kAlways,
                                       .header = "X-Trace",
                                       .uuid_format = true,
                                       .in_response = false,
                                       .trusted = IpGroupId()}));
  EXPECT_EQ(world_.ListenerInForce(listener)->front_proxy,
            (contract::FrontProxyConfig{.mode = contract::FrontProxyMode::kForwarded,
                                        .trusted = IpGroupId(group),
                                        .others_direct = true}));

  ASSERT_TRUE(world_.Update(Resource::kListener, listener, {{"extensions", nullptr}}));
  EXPECT_EQ(world_.ListenerInForce(listener)->request_id, contract::RequestIdConfig{});
  EXPECT_EQ(world_.ListenerInForce(listener)->front_proxy, contract::FrontProxyConfig{});
}

TEST_F(ListenerExtensionsTest, NameEveryMode) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  const std::string listener = world_.Listener(balancer_, 80);

  ASSERT_TRUE(world_.Update(Resource::kListener, listener, RequestId(group)));
  EXPECT_EQ(world_.ListenerInForce(listener)->request_id.mode, contract::RequestIdMode::kTrusted);
  EXPECT_EQ(world_.ListenerInForce(listener)->request_id.trusted, IpGroupId(group));
  ASSERT_TRUE(world_.Update(Resource::kListener, listener, FrontProxy(group)));
  EXPECT_EQ(world_.ListenerInForce(listener)->front_proxy.mode,
            contract::FrontProxyMode::kProxyProtocol);
  ASSERT_TRUE(world_.Update(Resource::kListener, listener,
                            {{"extensions", {{"front_proxy", {{"mode", "x_forwarded_for"}}}}}}));
  EXPECT_EQ(world_.ListenerInForce(listener)->front_proxy.mode,
            contract::FrontProxyMode::kXForwardedFor);
}

TEST_F(ListenerExtensionsTest, NeedGroupsOfTheProject) {
  const std::string listener = world_.Listener(balancer_, 80);
  world_.caller.project = kOtherProject;
  const std::string foreign = world_.IpGroup({"10.0.0.1"});
  world_.caller.project = kProject;

  for (const std::string& group : {std::string("nothing"), foreign}) {
    const auto refused = world_.Update(Resource::kListener, listener, FrontProxy(group));
    EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
    EXPECT_EQ(refused.error().path, "listener.extensions.front_proxy.trusted_ipgroup_id");
    EXPECT_EQ(world_.Update(Resource::kListener, listener, RequestId(group)).error().path,
              "listener.extensions.request_id.trusted_ipgroup_id");
  }
}

TEST_F(ListenerExtensionsTest, UseTheirGroupsWithoutBindingThem) {
  world_.node.quotas = {{"ipgroup_bindings", 0}};
  world_.Restart();
  for (const bool front : {true, false}) {
    const std::string group = world_.IpGroup({"10.0.0.1"});
    const std::string listener =
        world_.Listener(balancer_, front ? 80 : 81, front ? FrontProxy(group) : RequestId(group));

    EXPECT_EQ(BlockersOf(world_.Delete(Resource::kIpGroup, group)), std::vector{listener});
    EXPECT_EQ(KindOf(world_.Delete(Resource::kIpGroup, group)), ErrorKind::kConflict);
    EXPECT_EQ(world_.Show(Resource::kIpGroup, group)["listeners"], Json::array());
    EXPECT_EQ(world_.control->Used(world_.caller, "ipgroup_bindings"), 0U);

    ASSERT_TRUE(world_.Update(Resource::kListener, listener, {{"extensions", nullptr}}));
    EXPECT_TRUE(world_.Delete(Resource::kIpGroup, group));
  }
}

TEST_F(ListenerExtensionsTest, NameAListenerOnceThatUsesAGroupTwice) {
  const std::string group = world_.IpGroup({"10.0.0.1"});
  Json both = FrontProxy(group);
  both["extensions"].update(RequestId(group)["extensions"]);
  both["ipgroup"] = {{"ipgroup_id", group}};
  const std::string listener = world_.Listener(balancer_, 80, both);

  EXPECT_EQ(BlockersOf(world_.Delete(Resource::kIpGroup, group)), std::vector{listener});
}

}  // namespace
}  // namespace elb::control
