// Paths, methods, envelopes, headers and options of the management API (api-v3.md 1).
#include "rest/api.h"

#include <gtest/gtest.h>

#include <set>

#include "model/resources.h"
#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class ApiTest : public testing::Test {
 protected:
  Service service_;
  control::World& world_ = service_.world;
};

TEST_F(ApiTest, AnswersHealthAndVersionsWithoutAToken) {
  EXPECT_EQ(service_.Raw("GET", "/healthz").status, 200);
  EXPECT_EQ(service_.Raw("GET", "/readyz").status, 200);
  EXPECT_EQ(service_.Raw("GET", "/metrics").status, 200);
  EXPECT_EQ(service_.Raw("GET", "/openapi.json").status, 200);
  EXPECT_EQ(service_.Raw("GET", "/versions").body["versions"][0],
            (Json{{"id", "v3"}, {"status", "CURRENT"}}));
  EXPECT_EQ(service_.Raw("GET", "/ext").body,
            (Json{{"versions", Json::array({{{"id", "v1"}, {"status", "CURRENT"}}})}}));
  EXPECT_EQ(service_.Raw("GET", "/").status, 300);
  EXPECT_EQ(service_.Raw("GET", "/").body["versions"]["values"][0]["links"][0]["href"],
            "http://elb.test:8080/v3/");
}

TEST_F(ApiTest, IsNotReadyWhileAWorkerIsSilent) {
  world_.data_plane.acknowledges = false;
  world_.Balancer();

  EXPECT_EQ(service_.Raw("GET", "/readyz").status, 503);
}

TEST_F(ApiTest, AsksForATokenOfTheProject) {
  const std::string path = "/v3/" + service_.project + "/elb/pools";
  EXPECT_EQ(service_.Raw("GET", path).code(), "SYS.0401");
  EXPECT_EQ(service_.Raw("GET", path, "", {{"x-auth-token", "nonsense"}}).status, 401);
  const Service::Headers known{{"x-auth-token", service_.token}};

  const Answer foreign =
      service_.Raw("GET", "/v3/" + std::string(control::kOtherProject) + "/elb/pools", "", known);

  EXPECT_EQ(foreign.status, 403);
  EXPECT_EQ(foreign.code(), "SYS.0403");
}

TEST_F(ApiTest, EndsATokenAfterItsLife) {
  world_.clock.Advance(std::chrono::hours{25});

  EXPECT_EQ(service_.Call("GET", "pools").status, 401);
}

TEST_F(ApiTest, TellsUnknownPathsFromWrongMethods) {
  const std::string balancer = world_.Balancer();

  EXPECT_EQ(service_.Call("GET", "nothings").code(), "ELB.8904");
  EXPECT_EQ(service_.Call("GET", "loadbalancers/" + balancer + "/nothing").status, 404);
  EXPECT_EQ(service_.Call("GET", "pools/a/members/b/c").status, 404);
  for (const auto& [method, path, allow] :
       {std::tuple{"PUT", std::string("pools"), "GET, HEAD, POST"},
        std::tuple{"POST", std::string("members"), "GET, HEAD"},
        std::tuple{"POST", "loadbalancers/" + balancer, "GET, HEAD, PUT, DELETE"},
        std::tuple{"GET", "loadbalancers/" + balancer + "/force-elb", "DELETE"},
        std::tuple{"POST", "loadbalancers/" + balancer + "/statuses", "GET, HEAD"},
        std::tuple{"POST", std::string("quotas"), "GET, HEAD"}}) {
    const Answer answer = service_.Call(method, path);
    EXPECT_EQ(answer.status, 405) << path;
    EXPECT_EQ(answer.code(), "ELB.8902");
    EXPECT_EQ(answer.headers.at("Allow"), allow);
  }
}

TEST_F(ApiTest, NamesTheRequestInHeadersAndBody) {
  const Answer answer = service_.Call("GET", "pools");

  EXPECT_EQ(answer.body["request_id"], answer.headers.at("X-Request-Id"));
  EXPECT_EQ(answer.headers.at("X-Openstack-Request-Id"), answer.headers.at("X-Request-Id"));
  EXPECT_NE(service_.Call("GET", "pools").body["request_id"], answer.body["request_id"]);
}

TEST_F(ApiTest, GivesOneObjectInItsEnvelope) {
  const Answer made = service_.Call("POST", "pools",
                                    {{"pool",
                                      {{"loadbalancer_id", world_.Balancer()},
                                       {"protocol", "HTTP"},
                                       {"lb_algorithm", "ROUND_ROBIN"}}}});
  ASSERT_EQ(made.status, 201);
  const auto id = made.body["pool"]["id"].get<std::string>();

  const Answer shown = service_.Call("GET", "pools/" + id);
  const Answer listed = service_.Call("GET", "pools");

  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body["pool"], made.body["pool"]);
  EXPECT_EQ(shown.body.size(), 2U);
  EXPECT_EQ(listed.body["pools"], Json::array({made.body["pool"]}));
  EXPECT_EQ(listed.body.size(), 3U);
  EXPECT_EQ(service_.Call("DELETE", "pools/" + id).status, 204);
  EXPECT_EQ(service_.Call("DELETE", "pools/" + id).code(), "ELB.8904");
}

TEST_F(ApiTest, TellsEmptyBodiesFromUnreadableOnes) {
  const std::string path = "/v3/" + service_.project + "/elb/pools";
  const Service::Headers known{{"x-auth-token", service_.token}};
  const auto code = [&](const std::string& body) {
    return service_.Raw("POST", path, body, known).code();
  };

  for (const char* body : {"", " ", "null", "{}", R"({"pool":null})", R"({"x":{}})"}) {
    EXPECT_EQ(code(body), "ELB.0002") << body;
  }
  const std::string deep =
      R"({"pool":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  for (const std::string body :
       {"{", "[]", R"({"pool":[]})", R"({"pool":1})", "{\"pool\":\"\xff\"}"}) {
    EXPECT_EQ(code(body), "ELB.8902") << body;
  }
  EXPECT_EQ(code(deep), "ELB.8902");
}

TEST_F(ApiTest, FindsMembersOnlyInTheirPool) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string other = world_.Pool(balancer);
  const std::string member = world_.Member(pool, "127.0.0.2");

  EXPECT_EQ(service_.Call("GET", "pools/" + pool + "/members/" + member).status, 200);
  EXPECT_EQ(service_.Call("GET", "pools/" + other + "/members/" + member).status, 404);
  EXPECT_EQ(service_.Call("PUT", "pools/" + other + "/members/" + member, {{"member", {{"x", 1}}}})
                .status,
            404);
  EXPECT_EQ(service_.Call("DELETE", "pools/" + other + "/members/" + member).status, 404);
  EXPECT_EQ(service_.Call("GET", "pools/nothing/members").status, 404);
}

TEST_F(ApiTest, ShowsTheTreeInItsEnvelope) {
  const std::string balancer = world_.Balancer();

  const Answer tree = service_.Call("GET", "loadbalancers/" + balancer + "/statuses");

  EXPECT_EQ(tree.body["statuses"]["loadbalancer"]["id"], balancer);
}

TEST_F(ApiTest, ForcesDeletions) {
  const std::string balancer = world_.Balancer();
  const std::string listener = world_.Listener(balancer, 80);

  EXPECT_EQ(service_.Call("DELETE", "listeners/" + listener + "/force").status, 204);
  EXPECT_EQ(service_.Call("DELETE", "loadbalancers/" + balancer + "/force-elb").status, 204);
  EXPECT_EQ(service_.Call("DELETE", "loadbalancers/" + balancer + "/force-elb").status, 404);
}

// --- concurrency and options (api-extensions.md 1.1, 4.4) ---------------------------------------

TEST_F(ApiTest, TagsEachObjectWithItsRevision) {
  const std::string pool = world_.Pool(world_.Balancer());

  const Answer shown = service_.Call("GET", "pools/" + pool);

  EXPECT_EQ(shown.headers.at("ETag"), "\"r2\"");
  EXPECT_EQ(shown.body["pool"]["extensions"]["revision"], 2);
  EXPECT_EQ(shown.headers.at("X-Elb-Revision"), "2");
  EXPECT_EQ(service_.Call("GET", "pools").headers.at("X-Elb-Revision"), "2");
}

TEST_F(ApiTest, LetsOnlyMatchingTagsWrite) {
  const std::string pool = world_.Pool(world_.Balancer());
  const auto put = [&](const std::string& condition) {
    return service_.Call("PUT", "pools/" + pool, {{"pool", {{"name", "x"}}}},
                         {{"if-match", condition}});
  };

  for (const char* other : {"\"r1\"", "W/\"r2\"", "\"r2x\"", "\"2\"", "\"r\"", "\"r1\", \"r3\""}) {
    const Answer refused = put(other);
    EXPECT_EQ(refused.status, 412) << other;
    EXPECT_EQ(refused.code(), "ELB.9710");
    EXPECT_EQ(refused.body["details"][0]["current"], "\"r2\"");
  }
  for (const char* malformed : {"r2", "\"r2", "\"r2\" \"r3\"", "*, \"r2\""}) {
    EXPECT_EQ(put(malformed).code(), "ELB.9702") << malformed;
  }
  EXPECT_EQ(put("\"r1\" ,\"r2\"").status, 200);
  EXPECT_EQ(put("*").status, 200);
}

TEST_F(ApiTest, ChecksTagsOfForcedDeletionsToo) {
  const std::string balancer = world_.Balancer();
  const std::string path = "loadbalancers/" + balancer + "/force-elb";

  EXPECT_EQ(service_.Call("DELETE", path, {}, {{"if-match", "\"r9\""}}).status, 412);
  EXPECT_EQ(service_.Call("DELETE", path, {}, {{"if-match", "\"r1\""}}).status, 204);
}

TEST_F(ApiTest, RefusesOptionsThatACallDoesNotHave) {
  const std::string balancer = world_.Balancer();
  const Json body{
      {"pool",
       {{"loadbalancer_id", balancer}, {"protocol", "HTTP"}, {"lb_algorithm", "ROUND_ROBIN"}}}};

  EXPECT_EQ(service_.Call("POST", "pools", body, {{"if-match", "*"}}).code(), "ELB.9702");
  EXPECT_EQ(service_.Call("POST", "pools?dry_run=true", body).code(), "ELB.9702");
  EXPECT_EQ(service_.Call("POST", "pools?rehearse=5", body).code(), "ELB.9702");
  EXPECT_EQ(service_.Call("POST", "pools", body, {{"idempotency-key", "k"}}).code(), "ELB.9702");
  EXPECT_EQ(service_.Call("POST", "pools", body, {{"x-elb-comment", std::string(256, 'x')}}).code(),
            "ELB.9702");
  EXPECT_EQ(world_.control->state().pools.size(), 0U);
  EXPECT_EQ(service_.Call("GET", "pools?dry_run=true").status, 200);
  EXPECT_EQ(service_.Call("POST", "pools", body, {{"x-elb-comment", "why"}}).status, 201);
}

TEST_F(ApiTest, SaysWhichExtensionsItHas) {
  const Service::Headers known{{"x-auth-token", service_.token}};
  EXPECT_EQ(service_.Raw("GET", "/ext/v1/features").status, 401);

  const Answer features = service_.Raw("GET", "/ext/v1/features", "", known);

  EXPECT_EQ(features.body["features"].size(), 20U);
  const std::string mine = "/ext/v1/" + service_.project + "/";
  EXPECT_EQ(service_.Raw("GET", mine + "revisions", "", known).code(), "ELB.8962");
  EXPECT_EQ(service_.Raw("GET", mine + "nothing", "", known).status, 404);
  const std::string other = std::string("/ext/v1/") + control::kOtherProject + "/revisions";
  EXPECT_EQ(service_.Raw("GET", other, "", known).code(), "SYS.0403");
}

TEST_F(ApiTest, KnowsTheKeysInsideExtensions) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string listener = world_.Listener(balancer, 80);

  const Answer of_pool =
      service_.Call("PUT", "pools/" + pool, {{"pool", {{"extensions", {{"revisoin", 1}}}}}});
  const Answer of_listener =
      service_.Call("PUT", "listeners/" + listener,
                    {{"listener", {{"extensions", {{"request_id", {{"modee", "always"}}}}}}}});

  EXPECT_EQ(of_pool.body["details"][0]["path"], "pool.extensions.revisoin");
  EXPECT_EQ(of_listener.body["details"][0]["path"], "listener.extensions.request_id.modee");
  EXPECT_EQ(service_.Call("PUT", "pools/" + pool, {{"pool", {{"other", 1}}}}).status, 200);
}

// --- representations ----------------------------------------------------------------------------

TEST_F(ApiTest, ShowsExactlyTheFieldsOfTheTables) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  const std::string member = world_.Member(pool, "127.0.0.2");
  const std::string certificate = world_.Certificate();
  const std::vector<std::pair<std::string, std::string>> paths{
      {"loadbalancer", "loadbalancers/" + balancer},
      {"listener", "listeners/" + world_.HttpsListener(balancer, 443, certificate)},
      {"pool", "pools/" + pool},
      {"member", "pools/" + pool + "/members/" + member},
      {"healthmonitor", "healthmonitors/" + world_.Monitor(pool)},
      {"certificate", "certificates/" + certificate}};
  for (const auto& [name, path] : paths) {
    const Json shown = service_.Call("GET", path).body[name];
    std::set<std::string> keys;
    for (const auto& [key, value] : shown.items()) {
      keys.insert(key);
    }
    std::set<std::string> expected;
    for (const model::FieldSpec& field : model::FindResource(name)->schema().fields()) {
      if (field.life == model::Life::kKept || field.life == model::Life::kDerived) {
        expected.insert(field.name);
      }
    }
    EXPECT_EQ(keys, expected) << name;
  }
}

}  // namespace
}  // namespace elb::rest
