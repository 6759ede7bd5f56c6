// The identity faces and the service catalogue (api-v3.md 4.1 to 4.3).
#include "rest/identity.h"

#include <gtest/gtest.h>

#include "rest/testing/service.h"

namespace elb::rest {
namespace {

class IdentityTest : public testing::Test {
 protected:
  /// Asks for a token by password.
  Answer SignIn(const std::string& password, const Json& scope = {}) {
    Json auth{
        {"identity",
         {{"methods", {"password"}},
          {"password",
           {{"user",
             {{"name", "alice"}, {"password", password}, {"domain", {{"name", "default"}}}}}}}}}};
    if (!scope.is_null()) {
      auth["scope"] = scope;
    }
    return service_.Raw("POST", "/v3/auth/tokens", Json{{"auth", auth}}.dump());
  }
  static std::vector<std::string> Types(const Json& catalog) {
    std::vector<std::string> types;
    for (const Json& entry : catalog) {
      types.push_back(entry["type"].get<std::string>());
    }
    return types;
  }
  Service service_;
};

TEST_F(IdentityTest, IssuesATokenForAProject) {
  const Answer issued = SignIn(kPassword, {{"project", {{"name", "eu-de"}}}});

  ASSERT_EQ(issued.status, 201);
  const std::string text = issued.headers.at("X-Subject-Token");
  const Json& token = issued.body["token"];
  EXPECT_EQ(token["project"]["id"], service_.project);
  EXPECT_EQ(token["user"]["name"], "alice");
  EXPECT_EQ(token["is_domain"], false);
  EXPECT_EQ(token["issued_at"], "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(token["expires_at"], "2023-11-15T22:13:20.000000Z");
  EXPECT_EQ(Types(token["catalog"]),
            (std::vector<std::string>{"elb", "identity", "network", "image", "elbv3", "vpc",
                                      "compute", "elb-ext"}));
  EXPECT_EQ(token["catalog"][4]["endpoints"][0]["url"],
            "http://elb.test:8080/v3/" + service_.project);
  EXPECT_EQ(
      service_.Raw("GET", "/v3/" + service_.project + "/elb/pools", "", {{"x-auth-token", text}})
          .status,
      200);
}

TEST_F(IdentityTest, ScopesATokenAsAsked) {
  const Json domain = SignIn(kPassword, {{"domain", {{"name", "default"}}}}).body["token"];
  const Json unscoped = SignIn(kPassword, "unscoped").body["token"];

  EXPECT_EQ(domain["domain"]["name"], "default");
  EXPECT_EQ(Types(domain["catalog"]),
            (std::vector<std::string>{"elb", "identity", "network", "image"}));
  EXPECT_FALSE(unscoped.contains("project") || unscoped.contains("domain"));
  EXPECT_EQ(unscoped["catalog"], Json::array());
  EXPECT_EQ(SignIn(kPassword, {{"project", {{"name", "other"}}}}).status, 401);
}

TEST_F(IdentityTest, TurnsOneTokenIntoAnother) {
  const Json body{{"auth",
                   {{"identity", {{"methods", {"token"}}, {"token", {{"id", service_.token}}}}},
                    {"scope", {{"project", {{"id", service_.project}}}}}}}};

  const Answer issued = service_.Raw("POST", "/v3/auth/tokens", body.dump());

  EXPECT_EQ(issued.status, 201);
  EXPECT_EQ(issued.body["token"]["methods"], Json::array({"token"}));
}

TEST_F(IdentityTest, RefusesWrongProofsInItsOwnShape) {
  EXPECT_EQ(SignIn("wrong password").body["error"],
            (Json{{"code", 401},
                  {"message", "The request you have made requires authentication."},
                  {"title", "Unauthorized"}}));
  for (const char* body : {"", "{", "[]", "{}", R"({"auth":{"identity":{"methods":[]}}})",
                           R"({"auth":{"identity":{"methods":["password"]}}})"}) {
    const Answer answer = service_.Raw("POST", "/v3/auth/tokens", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.body["error"]["code"], 400);
  }
}

TEST_F(IdentityTest, LocksAfterFiveWrongPasswordsForAWhile) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(SignIn("wrong password").status, 401);
  }

  const Answer locked = SignIn(kPassword);

  EXPECT_EQ(locked.status, 429);
  EXPECT_EQ(locked.headers.at("Retry-After"), "30");
  service_.world.clock.Advance(std::chrono::seconds{31});
  EXPECT_EQ(SignIn(kPassword).status, 201);
}

TEST_F(IdentityTest, ShowsAndEndsTokens) {
  const std::string text = SignIn(kPassword).headers.at("X-Subject-Token");
  const Service::Headers both{{"x-auth-token", service_.token}, {"x-subject-token", text}};

  const Answer shown = service_.Raw("GET", "/v3/auth/tokens", "", both);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.headers.at("X-Subject-Token"), text);
  EXPECT_EQ(service_.Raw("HEAD", "/v3/auth/tokens", "", both).status, 200);
  EXPECT_EQ(service_.Raw("DELETE", "/v3/auth/tokens", "", both).status, 204);
  EXPECT_EQ(service_.Raw("GET", "/v3/auth/tokens", "", both).status, 404);
  EXPECT_EQ(service_.Raw("GET", "/v3/auth/tokens", "", {{"x-subject-token", text}}).status, 401);
}

TEST_F(IdentityTest, KeepsTokensOverARestart) {
  control::Accounts again({.store = &service_.world.store,
                           .clock = &service_.world.clock,
                           .random = &service_.world.random});
  ASSERT_TRUE(again.Load());

  EXPECT_NE(again.Find(service_.token), nullptr);
}

TEST_F(IdentityTest, ListsProjectsDomainsAndCatalogue) {
  const Service::Headers known{{"x-auth-token", service_.token}};
  const auto get = [&](const std::string& path) { return service_.Raw("GET", path, "", known); };

  EXPECT_EQ(get("/v3/projects?name=eu-de").body["projects"][0]["id"], service_.project);
  EXPECT_EQ(get("/v3/projects?name=x").body["projects"], Json::array());
  EXPECT_EQ(get("/v3/auth/projects").body["projects"].size(), 1U);
  EXPECT_EQ(get("/v3/auth/domains?name=default").body["domains"].size(), 1U);
  EXPECT_EQ(get("/v3/auth/catalog").body["catalog"].size(), 8U);
  EXPECT_EQ(service_.Raw("GET", "/v3/projects").status, 401);
}

TEST_F(IdentityTest, DescribesItsVersions) {
  EXPECT_EQ(service_.Raw("GET", "/v3").body["version"]["id"], "v3.14");
  EXPECT_EQ(service_.Raw("GET", "/v3/").body["version"]["links"][0]["href"],
            "http://elb.test:8080/v3/");
  EXPECT_EQ(service_.Raw("GET", "/network/").body["versions"][0]["id"], "v2.0");
  EXPECT_EQ(service_.Raw("GET", "/network/v2.0/").body, (Json{{"resources", Json::array()}}));
  EXPECT_EQ(service_.Raw("GET", "/compute/v2.1/" + service_.project).body["version"]["id"], "v2.1");
  EXPECT_EQ(service_.Raw("GET", "/image/").status, 300);
}

}  // namespace
}  // namespace elb::rest
