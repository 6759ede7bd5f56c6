// Several members of one pool in one call (api-v3.md 2.18).
#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class MemberBatchTest : public testing::Test {
 protected:
  [[nodiscard]] Result<Json> Do(Action action, const Json& list) {
    return world_.Perform({.resource = Resource::kPool, .parent = {}, .id = pool_}, action, list);
  }
  [[nodiscard]] static Json At(const std::string& address) {
    return {{"address", address}, {"protocol_port", 80}};
  }
  World world_;
  std::string pool_ = world_.Pool(world_.Balancer());
};

TEST_F(MemberBatchTest, RegistersAllWithOneNumberAndInOneRevision) {
  const std::string early = world_.Member(pool_, "127.0.0.9");
  const std::uint64_t before = world_.revision();

  const auto added = Do(Action::kAddMembers, {At("127.0.0.2"), At("127.0.0.3")});

  ASSERT_TRUE(added);
  EXPECT_EQ(world_.revision(), before + 1);
  const auto& members = world_.PoolInForce(pool_)->members;
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[1].registration, members[2].registration);
  EXPECT_NE(members[0].registration, members[1].registration);
  EXPECT_EQ((*added)[0]["ret_status"], "successful");
  EXPECT_EQ((*added)[1]["id"], members[2].id.value());
}

TEST_F(MemberBatchTest, LeavesMembersThatAreThereAsTheyAre) {
  const std::string early = world_.Member(pool_, "127.0.0.2", 80, {{"weight", 7}});

  const auto added = Do(Action::kAddMembers, {At("127.0.0.2"), At("127.0.0.3"), At("127.0.0.3")});

  ASSERT_TRUE(added);
  EXPECT_EQ((*added)[0], (Json{{"id", early}, {"ret_status", "existed"}}));
  EXPECT_EQ((*added)[2], (Json{{"id", (*added)[1]["id"]}, {"ret_status", "existed"}}));
  EXPECT_EQ(world_.Show(Resource::kMember, early, pool_)["weight"], 7);
  EXPECT_EQ(world_.PoolInForce(pool_)->members.size(), 2U);
}

TEST_F(MemberBatchTest, AddsNoneWhenOneIsRefused) {
  const auto refused = Do(Action::kAddMembers, {At("127.0.0.2"), At("nowhere")});

  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().path, "members[1].address");
  EXPECT_TRUE(world_.PoolInForce(pool_)->members.empty());
}

TEST_F(MemberBatchTest, KeepsToTheQuotaOfThePool) {
  World world([] {
    NodeConfig node;
    node.quotas = {{"members_per_pool", 1}};
    return node;
  }());
  const std::string pool = world.Pool(world.Balancer());

  EXPECT_EQ(KindOf(world.Perform({.resource = Resource::kPool, .parent = {}, .id = pool},
                                 Action::kAddMembers, {At("127.0.0.2"), At("127.0.0.3")})),
            ErrorKind::kQuota);
  EXPECT_TRUE(world.PoolInForce(pool)->members.empty());
}

TEST_F(MemberBatchTest, ChangesSeveralAtOnce) {
  const std::string one = world_.Member(pool_, "127.0.0.2");
  const std::string two = world_.Member(pool_, "127.0.0.3");

  const auto updated = Do(Action::kUpdateMembers, {{{"id", one}, {"weight", 5}},
                                                   {{"id", "nothing"}, {"weight", 5}},
                                                   {{"id", two}, {"name", "x"}}});

  ASSERT_TRUE(updated);
  EXPECT_EQ((*updated)[1], (Json{{"id", "nothing"}, {"ret_status", "not found"}}));
  EXPECT_EQ(world_.PoolInForce(pool_)->members[0].weight, 5U);
  EXPECT_EQ(world_.Show(Resource::kMember, two, pool_)["name"], "x");
}

TEST_F(MemberBatchTest, BlamesTheElementOfTheList) {
  const std::string one = world_.Member(pool_, "127.0.0.2");

  const auto refused = Do(Action::kUpdateMembers, Json::array({{{"id", one}, {"weight", 101}}}));
  const auto nameless = Do(Action::kRemoveMembers, Json::array({Json::object()}));

  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().path, "members[0].weight");
  EXPECT_EQ(KindOf(nameless), ErrorKind::kMissing);
  EXPECT_EQ(nameless.error().path, "members[0].id");
}

TEST_F(MemberBatchTest, RemovesSeveralAtOnce) {
  const std::string one = world_.Member(pool_, "127.0.0.2");
  const std::string two = world_.Member(pool_, "127.0.0.3");
  const std::string elsewhere = world_.Member(world_.Pool(world_.Balancer()), "127.0.0.4");

  const auto removed = Do(Action::kRemoveMembers, {{{"id", one}}, {{"id", elsewhere}}});

  EXPECT_EQ(*removed, (Json{{{"id", one}, {"ret_status", "successful"}},
                            {{"id", elsewhere}, {"ret_status", "not found"}}}));
  ASSERT_EQ(world_.PoolInForce(pool_)->members.size(), 1U);
  EXPECT_EQ(world_.PoolInForce(pool_)->members[0].id, MemberId(two));
}

TEST_F(MemberBatchTest, RemovesNoneWhileRemovalProtectionIsOn) {
  const std::string one = world_.Member(pool_, "127.0.0.2");
  EXPECT_TRUE(world_.Update(Resource::kPool, pool_, {{"member_deletion_protection_enable", true}}));

  EXPECT_EQ(KindOf(Do(Action::kRemoveMembers, Json::array({{{"id", one}}}))), ErrorKind::kConflict);
}

}  // namespace
}  // namespace elb::control
