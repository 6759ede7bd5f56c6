// How a write goes through: validated, compiled, prepared, stored, applied, answered.
#include "control/control.h"

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class ControlTest : public testing::Test {
 protected:
  World world_;
};

TEST_F(ControlTest, PutsAWriteInForceBeforeItAnswers) {
  const std::string balancer = world_.Balancer();
  bool stored = false;
  world_.data_plane.on_apply = [&] {
    stored = !world_.store.Read([](store::Reader& reader) { return reader.ListAll("listener"); })
                  ->empty();
  };

  const std::string listener = world_.Listener(balancer, 80);

  EXPECT_TRUE(stored);
  ASSERT_NE(world_.ListenerInForce(listener), nullptr);
  EXPECT_EQ(world_.ListenerInForce(listener)->port, 80);
}

TEST_F(ControlTest, LeavesNothingBehindWhenTheDataPlaneRefuses) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::uint64_t before = world_.revision();
  world_.data_plane.refusal =
      Error{.kind = ErrorKind::kInvalid, .path = "listener.x", .message = "cannot work"};

  const auto refused = world_.TryCreate(Resource::kListener, {{"loadbalancer_id", balancer},
                                                              {"protocol", "HTTP"},
                                                              {"protocol_port", 80},
                                                              {"default_pool_id", pool}});

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().path, "listener.x");
  world_.data_plane.refusal.reset();
  EXPECT_EQ(world_.revision(), before);
  EXPECT_EQ(world_.control->state().listeners.size(), 0U);
  EXPECT_EQ(world_.Show(Resource::kLoadBalancer, balancer)["listeners"], Json::array());
  EXPECT_EQ(world_.Show(Resource::kPool, pool)["listeners"], Json::array());
  world_.Listener(balancer, 80, {{"default_pool_id", pool}});
}

TEST_F(ControlTest, LeavesNothingBehindWhenTheCommitFails) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer, {{"name", "old"}});
  const Json before = world_.Show(Resource::kPool, pool);
  const std::uint64_t revision = world_.revision();
  const int applied = world_.data_plane.applied();
  world_.store.fails = true;

  const auto changed = world_.Update(Resource::kPool, pool, {{"name", "new"}});
  const auto deleted = world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForce);

  EXPECT_EQ(KindOf(changed), ErrorKind::kStorage);
  EXPECT_EQ(KindOf(deleted), ErrorKind::kStorage);
  EXPECT_EQ(world_.revision(), revision);
  EXPECT_EQ(world_.Show(Resource::kPool, pool), before);
  EXPECT_EQ(world_.data_plane.applied(), applied);
}

TEST_F(ControlTest, NumbersTheNextWriteWithoutAGapAfterAFailedCommit) {
  const std::string balancer = world_.Balancer();
  const std::uint64_t revision = world_.revision();
  world_.store.fails = true;
  EXPECT_FALSE(world_.Update(Resource::kLoadBalancer, balancer, {{"name", "x"}}));
  world_.store.fails = false;

  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"name", "y"}}));

  EXPECT_EQ(world_.revision(), revision + 1);
}

TEST_F(ControlTest, KeepsAForcedDeletionWholeWhenItIsRefused) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::string monitor = world_.Monitor(pool);
  const std::string listener = world_.Listener(balancer, 80, {{"default_pool_id", pool}});
  world_.store.fails = true;

  EXPECT_FALSE(world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForce));

  const Json shown = world_.Show(Resource::kPool, pool);
  EXPECT_EQ(shown["members"], Json::array({{{"id", member}}}));
  EXPECT_EQ(shown["healthmonitor_id"], monitor);
  EXPECT_EQ(shown["listeners"], Json::array({{{"id", listener}}}));
  EXPECT_EQ(shown["loadbalancers"], Json::array({{{"id", balancer}}}));
}

TEST_F(ControlTest, AnswersAndSaysSoWhenAWorkerIsSilent) {
  world_.data_plane.acknowledges = false;

  const std::string balancer = world_.Balancer();

  EXPECT_FALSE(balancer.empty());
  EXPECT_NE(world_.control->degraded(), "");
  world_.data_plane.acknowledges = true;
  world_.Pool(balancer);
  EXPECT_EQ(world_.control->degraded(), "");
}

TEST_F(ControlTest, FindsEverythingAgainAfterARestart) {
  const std::string balancer = world_.Balancer(
      {{"publicip",
        {{"network_type", "5_bgp"},
         {"bandwidth",
          {{"share_type", "PER"}, {"size", 5}, {"charge_mode", "traffic"}, {"name", "b"}}}}}});
  const std::string pool = world_.Pool(balancer);
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::string certificate = world_.Certificate();
  const std::string listener =
      world_.HttpsListener(balancer, 443, certificate, {{"default_pool_id", pool}});
  const auto all = [&] {
    return std::vector{world_.Show(Resource::kLoadBalancer, balancer),
                       world_.Show(Resource::kPool, pool), world_.Show(Resource::kMember, member),
                       world_.Show(Resource::kCertificate, certificate),
                       world_.Show(Resource::kListener, listener)};
  };
  const std::vector<Json> before = all();
  const auto listener_before = *world_.ListenerInForce(listener);
  const auto pool_before = *world_.PoolInForce(pool);
  const std::uint64_t revision = world_.revision();

  world_.Restart();

  EXPECT_EQ(all(), before);
  EXPECT_EQ(*world_.ListenerInForce(listener), listener_before);
  EXPECT_EQ(*world_.PoolInForce(pool), pool_before);
  EXPECT_EQ(world_.revision(), revision);
}

TEST_F(ControlTest, NeverLendsThePlaceOfADeletedObject) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string first = world_.Member(pool, "127.0.0.2");
  const auto registration = world_.PoolInForce(pool)->members.front().registration;
  EXPECT_TRUE(world_.Delete(Resource::kMember, first));

  world_.Restart();
  world_.Member(pool, "127.0.0.3");

  EXPECT_GT(world_.PoolInForce(pool)->members.front().registration, registration);
}

TEST_F(ControlTest, KnowsTheRevisionOfAProjectWithoutObjects) {
  store::Document project;
  project.kind = "project";
  project.id = kProject;
  project.json = R"({"name":"p"})";
  ASSERT_TRUE(world_.store.Transact(
      [&](store::Transaction& transaction) { return transaction.Put(project); }));
  const std::string balancer = world_.Balancer();
  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer));

  world_.Restart();

  EXPECT_EQ(world_.revision(), 2U);
}

TEST_F(ControlTest, GivesEachMemberTheNumberOfItsRegistration) {
  const std::string pool = world_.Pool(world_.Balancer());
  world_.Member(pool, "127.0.0.2");
  const std::string second = world_.Member(pool, "127.0.0.3");
  const auto& members = world_.PoolInForce(pool)->members;
  EXPECT_LT(members[0].registration, members[1].registration);
  const std::uint64_t number = members[1].registration;

  EXPECT_TRUE(world_.Update(Resource::kMember, second, {{"weight", 7}}));

  EXPECT_EQ(world_.PoolInForce(pool)->members[1].registration, number);
  EXPECT_EQ(world_.PoolInForce(pool)->members[1].weight, 7U);
}

TEST_F(ControlTest, RemembersWhetherSlowStartWasOnWhenAMemberCame) {
  const std::string pool = world_.Pool(world_.Balancer());
  world_.Member(pool, "127.0.0.2");
  EXPECT_TRUE(world_.Update(Resource::kPool, pool, {{"slow_start", {{"enable", true}}}}));
  world_.Member(pool, "127.0.0.3");

  const auto& members = world_.PoolInForce(pool)->members;
  EXPECT_FALSE(members[0].slow_start_at_registration);
  EXPECT_TRUE(members[1].slow_start_at_registration);
}

// --- revisions (api-extensions.md 4.1, 4.4) -----------------------------------------------------

TEST_F(ControlTest, MakesOneRevisionPerWriteAndNoneWithoutAChange) {
  const std::string balancer = world_.Balancer();
  EXPECT_EQ(world_.revision(), 1U);

  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, Json::object()));
  EXPECT_EQ(world_.revision(), 1U);
  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"name", "n"}}));

  EXPECT_EQ(world_.revision(), 2U);
  EXPECT_EQ(world_.Show(Resource::kLoadBalancer, balancer)["extensions"]["revision"], 2);
}

TEST_F(ControlTest, TakesAnObjectSentBackAsItIsShownForNoChange) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string listener = world_.Listener(balancer, 80, {{"default_pool_id", pool}});
  const std::string certificate = world_.Certificate();
  const std::string monitor = world_.Monitor(pool);
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::uint64_t revision = world_.revision();
  for (const auto& [resource, id] :
       {std::pair{Resource::kLoadBalancer, balancer}, std::pair{Resource::kListener, listener},
        std::pair{Resource::kPool, pool}, std::pair{Resource::kCertificate, certificate},
        std::pair{Resource::kHealthMonitor, monitor}, std::pair{Resource::kMember, member}}) {
    EXPECT_TRUE(world_.Update(resource, id, world_.Show(resource, id))) << id;
  }

  EXPECT_EQ(world_.revision(), revision);
}

TEST_F(ControlTest, NumbersOnlyObjectsWhoseOwnFieldsChanged) {
  const std::string balancer = world_.Balancer();
  const std::string listener = world_.Listener(balancer, 80);

  const std::string pool = world_.Pool(balancer, {{"listener_id", listener}});

  EXPECT_EQ(world_.Show(Resource::kLoadBalancer, balancer)["extensions"]["revision"], 1);
  EXPECT_EQ(world_.Show(Resource::kListener, listener)["extensions"]["revision"], 3);
  EXPECT_EQ(world_.Show(Resource::kPool, pool)["extensions"]["revision"], 3);
}

TEST_F(ControlTest, RecordsWhoDidWhatInTheWritesTransaction) {
  world_.caller.comment = "goes live";
  const std::string balancer = world_.Balancer({{"name", "web"}});

  const Json record = world_.Record(1);

  EXPECT_EQ(record["number"], 1);
  EXPECT_EQ(record["created_at"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(record["author"], (Json{{"user_id", "u1"},
                                    {"user_name", "alice"},
                                    {"method", "token"},
                                    {"access_key", nullptr}}));
  EXPECT_EQ(record["address"], "192.0.2.7");
  EXPECT_EQ(record["user_agent"], "test");
  EXPECT_EQ(record["origin"], "call");
  EXPECT_EQ(record["comment"], "goes live");
  ASSERT_EQ(record["changes"].size(), 1U);
  EXPECT_EQ(record["changes"][0]["action"], "create");
  EXPECT_EQ(record["changes"][0]["kind"], "loadbalancer");
  EXPECT_EQ(record["changes"][0]["id"], balancer);
  EXPECT_EQ(record["changes"][0]["name"], "web");
}

TEST_F(ControlTest, RecordsFromAndToOfAChange) {
  const std::string balancer = world_.Balancer({{"name", "a"}});
  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"name", "b"}}));

  const Json fields = world_.Record(2)["changes"][0]["fields"];

  EXPECT_EQ(fields, Json::array({{{"path", "name"}, {"from", "a"}, {"to", "b"}}}));
}

TEST_F(ControlTest, RecordsOnlyWhatDiffersFromTheDefaultsOfANewObject) {
  const std::string pool = world_.Pool(world_.Balancer());

  std::vector<std::string> paths;
  for (const Json& field : world_.Record(2)["changes"][0]["fields"]) {
    paths.push_back(field["path"].get<std::string>());
    EXPECT_FALSE(field.contains("from"));
  }

  EXPECT_EQ(paths, (std::vector<std::string>{"loadbalancer_id", "protocol", "lb_algorithm"}));
}

TEST_F(ControlTest, RecordsListsByWhatCameWentAndMoved) {
  const std::string balancer = world_.Balancer();
  std::vector<std::string> certificates;
  for (const char* domain : {"a.test", "b.test", "c.test"}) {
    certificates.push_back(world_.Certificate(0, {{"domain", domain}}));
  }
  const std::string listener = world_.HttpsListener(
      balancer, 443, certificates[0], {{"sni_container_refs", {certificates[0], certificates[1]}}});
  EXPECT_TRUE(world_.Update(Resource::kListener, listener,
                            {{"sni_container_refs", {certificates[1], certificates[2]}}}));
  EXPECT_TRUE(world_.Update(Resource::kListener, listener,
                            {{"sni_container_refs", {certificates[2], certificates[1]}}}));

  const Json changed = world_.Record(world_.revision() - 1)["changes"][0]["fields"][0];
  const Json moved = world_.Record(world_.revision())["changes"][0]["fields"][0];

  EXPECT_EQ(changed, (Json{{"path", "sni_container_refs"},
                           {"added", Json::array({certificates[2]})},
                           {"removed", Json::array({certificates[0]})}}));
  EXPECT_EQ(moved["reordered"], true);
}

TEST_F(ControlTest, RecordsNoSecretAndNoLongText) {
  world_.Certificate();

  const std::string text = world_.Record(1).dump();

  EXPECT_EQ(text.find("PRIVATE KEY"), std::string::npos);
  EXPECT_NE(text.find("<secret>"), std::string::npos);
}

TEST_F(ControlTest, RefusesAWriteWhoseTagIsOldAndSaysWhoChangedIt) {
  const std::string balancer = world_.Balancer();
  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"name", "n"}}));

  const auto refused = world_.control->Update(
      world_.caller, {.resource = Resource::kLoadBalancer, .parent = {}, .id = balancer},
      {{"name", "m"}}, Precondition{.any = false, .revisions = {1}});

  ASSERT_EQ(KindOf(refused), ErrorKind::kPrecondition);
  const ErrorDetail& detail = refused.error().details.front();
  EXPECT_EQ(detail.path, "If-Match");
  const std::vector<std::pair<std::string, std::string>> facts{
      {"current", "\"r2\""}, {"changed_by", "alice"}, {"changed_at", "2023-11-14T22:13:20.000Z"}};
  EXPECT_EQ(detail.facts, facts);
}

// --- projects -----------------------------------------------------------------------------------

TEST_F(ControlTest, HidesObjectsOfOtherProjects) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  world_.caller.project = kOtherProject;

  EXPECT_TRUE(world_.Show(Resource::kPool, pool).is_null());
  EXPECT_EQ(KindOf(world_.Update(Resource::kPool, pool, {{"name", "x"}})), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(world_.Delete(Resource::kPool, pool)), ErrorKind::kNotFound);
  EXPECT_EQ(world_.control->Select(world_.caller, Resource::kPool, "", {})->size(), 0U);
  EXPECT_EQ(
      world_.control->Select(world_.caller, Resource::kPool, "", {.owners = {balancer}})->size(),
      0U);
  const auto made = world_.TryCreate(
      Resource::kPool,
      {{"loadbalancer_id", balancer}, {"protocol", "HTTP"}, {"lb_algorithm", "ROUND_ROBIN"}});
  EXPECT_EQ(KindOf(made), ErrorKind::kReferenceNotFound);
}

TEST_F(ControlTest, CountsRevisionsAndQuotasPerProject) {
  world_.Balancer();
  world_.caller.project = kOtherProject;

  world_.Balancer();

  EXPECT_EQ(world_.control->RevisionOf(kOtherProject), 1U);
  EXPECT_EQ(world_.control->Used(world_.caller, "loadbalancer"), 1U);
}

}  // namespace
}  // namespace elb::control
