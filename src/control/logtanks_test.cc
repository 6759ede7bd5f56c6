// Logs of load balancers (api-v3.md 2.14).
#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class LogtankTest : public testing::Test {
 protected:
  [[nodiscard]] Json Body() const {
    return {{"loadbalancer_id", balancer_}, {"log_group_id", "g"}, {"log_topic_id", "t"}};
  }
  [[nodiscard]] std::string Topic(const std::string& listener) const {
    return world_.ListenerInForce(listener)->load_balancer.log_topic_id;
  }
  World world_;
  std::string balancer_ = world_.Balancer();
};

TEST_F(LogtankTest, GivesItsLoadBalancerALog) {
  const std::string listener = world_.Listener(balancer_, 80);
  EXPECT_EQ(Topic(listener), "");

  const std::string logtank = world_.Create(Resource::kLogtank, Body());

  EXPECT_EQ(Topic(listener), "t");
  const Json balancer = world_.Show(Resource::kLoadBalancer, balancer_);
  EXPECT_EQ(balancer["log_group_id"], "g");
  EXPECT_EQ(balancer["log_topic_id"], "t");
  EXPECT_TRUE(world_.Update(Resource::kLogtank, logtank, {{"log_topic_id", "u"}}));
  EXPECT_EQ(Topic(listener), "u");
  EXPECT_TRUE(world_.Delete(Resource::kLogtank, logtank));
  EXPECT_EQ(Topic(listener), "");
  EXPECT_EQ(world_.Show(Resource::kLoadBalancer, balancer_)["log_topic_id"], nullptr);
}

TEST_F(LogtankTest, IsTheOnlyOneOfItsLoadBalancer) {
  const std::string first = world_.Create(Resource::kLogtank, Body());

  const auto refused = world_.TryCreate(Resource::kLogtank, Body());

  EXPECT_EQ(KindOf(refused), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(refused), std::vector{first});
}

TEST_F(LogtankTest, StaysWithItsLoadBalancer) {
  const std::string logtank = world_.Create(Resource::kLogtank, Body());

  EXPECT_EQ(
      KindOf(world_.Update(Resource::kLogtank, logtank, {{"loadbalancer_id", world_.Balancer()}})),
      ErrorKind::kImmutable);
  Json body = Body();
  body["loadbalancer_id"] = "nothing";
  EXPECT_EQ(KindOf(world_.TryCreate(Resource::kLogtank, body)), ErrorKind::kReferenceNotFound);
}

TEST_F(LogtankTest, GoesWithItsLoadBalancer) {
  const std::string logtank = world_.Create(Resource::kLogtank, Body());

  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer_));

  EXPECT_EQ(world_.Show(Resource::kLogtank, logtank), Json());
}

TEST_F(LogtankTest, LetsListenersLogHeaderFields) {
  const std::string listener = world_.Listener(balancer_, 80);
  const Json log{
      {"access_log_customized_headers_config", {{"enable", true}, {"include_headers", {"x-a"}}}}};
  EXPECT_EQ(KindOf(world_.Update(Resource::kListener, listener, log)), ErrorKind::kInvalid);
  const std::string logtank = world_.Create(Resource::kLogtank, Body());
  EXPECT_TRUE(world_.Update(Resource::kListener, listener, log));

  EXPECT_TRUE(world_.Delete(Resource::kLogtank, logtank));

  EXPECT_TRUE(world_.Update(Resource::kListener, listener, {{"name", "x"}}));
  EXPECT_EQ(world_.ListenerInForce(listener)->log_headers, std::vector<std::string>{"x-a"});
}

TEST_F(LogtankTest, IsThereAgainAfterARestart) {
  const std::string listener = world_.Listener(balancer_, 80);
  const std::string logtank = world_.Create(Resource::kLogtank, Body());

  world_.Restart();

  EXPECT_EQ(world_.Show(Resource::kLogtank, logtank)["log_group_id"], "g");
  EXPECT_EQ(Topic(listener), "t");
}

}  // namespace
}  // namespace elb::control
