// Deletion of several objects, and of objects with what belongs to them (api-v3.md 2.18).
#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class DeletionTest : public testing::Test {
 protected:
  [[nodiscard]] Result<Json> DeleteEach(Resource resource, const std::vector<std::string>& ids) {
    Json list = Json::array();
    for (const std::string& id : ids) {
      list.push_back({{"id", id}});
    }
    return world_.control->DeleteEach(world_.caller, resource, list);
  }
  World world_;
  std::string balancer_ = world_.Balancer();
};

TEST_F(DeletionTest, TakesSeveralObjectsInOneRevision) {
  const std::string first = world_.Pool(balancer_);
  const std::string second = world_.Pool(balancer_);
  const std::uint64_t before = world_.revision();

  const auto done = DeleteEach(Resource::kPool, {first, "nothing", second});

  ASSERT_TRUE(done);
  EXPECT_EQ(*done, (Json::array({{{"id", first}, {"ret_status", "successful"}},
                                 {{"id", "nothing"}, {"ret_status", "not found"}},
                                 {{"id", second}, {"ret_status", "successful"}}})));
  EXPECT_EQ(world_.revision(), before + 1);
  EXPECT_EQ(world_.Show(Resource::kPool, first), Json());
}

TEST_F(DeletionTest, TakesNoneWhenOneIsRefused) {
  const std::string free = world_.Listener(balancer_, 80);
  const std::string pool = world_.Pool(balancer_);
  const std::string used = world_.Listener(balancer_, 81, {{"default_pool_id", pool}});
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::uint64_t before = world_.revision();

  const auto refused = DeleteEach(Resource::kListener, {free, used});

  EXPECT_EQ(KindOf(refused), ErrorKind::kConflict);
  EXPECT_EQ(refused.error().path, "listeners[1]");
  EXPECT_EQ(BlockersOf(refused), std::vector{member});
  EXPECT_NE(world_.ListenerInForce(free), nullptr);
  EXPECT_EQ(world_.revision(), before);
}

TEST_F(DeletionTest, HoldsEachToTheRulesOfTheSingleDeletion) {
  const std::string certificate = world_.Certificate();
  world_.HttpsListener(balancer_, 443, certificate);

  EXPECT_EQ(KindOf(DeleteEach(Resource::kCertificate, {certificate})), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(DeleteEach(Resource::kLoadBalancer, {balancer_})), ErrorKind::kConflict);
}

TEST_F(DeletionTest, LeavesOtherProjectsAlone) {
  const std::string pool = world_.Pool(balancer_);
  world_.caller.project = kOtherProject;

  const auto done = DeleteEach(Resource::kPool, {pool});

  ASSERT_TRUE(done);
  EXPECT_EQ((*done)[0]["ret_status"], "not found");
  world_.caller.project = kProject;
  EXPECT_NE(world_.Show(Resource::kPool, pool), Json());
}

TEST_F(DeletionTest, NamesAnElementWithoutAnId) {
  const std::string pool = world_.Pool(balancer_);

  const auto bad = world_.control->DeleteEach(world_.caller, Resource::kPool,
                                              Json::array({{{"id", pool}}, {{"name", "x"}}}));
  const auto none = world_.control->DeleteEach(world_.caller, Resource::kPool, Json::array());

  EXPECT_EQ(KindOf(bad), ErrorKind::kMissing);
  EXPECT_EQ(bad.error().path, "pools[1].id");
  EXPECT_EQ(KindOf(none), ErrorKind::kInvalid);
}

TEST_F(DeletionTest, OfAPoolWithItsServersUnbindsItsListener) {
  const std::string pool = world_.Pool(balancer_);
  const std::string listener = world_.Listener(balancer_, 80, {{"default_pool_id", pool}});
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::string monitor = world_.Monitor(pool);

  EXPECT_TRUE(world_.Delete(Resource::kPool, pool, DeleteMode::kForce));

  EXPECT_EQ(world_.Show(Resource::kListener, listener)["default_pool_id"], nullptr);
  EXPECT_EQ(world_.Show(Resource::kHealthMonitor, monitor), Json());
  EXPECT_EQ(world_.control->state().members.Find(member), nullptr);
  EXPECT_EQ(world_.PoolInForce(pool), nullptr);
}

TEST_F(DeletionTest, OfAPoolWithItsServersStopsAtProtectionAndPolicies) {
  const std::string guarded = world_.Pool(balancer_, {{"member_deletion_protection_enable", true}});
  world_.Member(guarded, "127.0.0.2");
  const std::string target = world_.Pool(balancer_);
  const std::string policy =
      world_.Create(Resource::kL7Policy, {{"listener_id", world_.Listener(balancer_, 80)},
                                          {"action", "REDIRECT_TO_POOL"},
                                          {"redirect_pool_id", target}});

  const auto by_protection = world_.Delete(Resource::kPool, guarded, DeleteMode::kForce);
  const auto by_policy = world_.Delete(Resource::kPool, target, DeleteMode::kForce);

  EXPECT_EQ(KindOf(by_protection), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(by_policy), ErrorKind::kConflict);
  EXPECT_EQ(BlockersOf(by_policy), std::vector{policy});
}

}  // namespace
}  // namespace elb::control
