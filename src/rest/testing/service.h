#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "control/testing/world.h"
#include "rest/api.h"

namespace elb::rest {

using Json = nlohmann::ordered_json;
using control::Resource;

inline constexpr const char* kPassword = "correct horse battery";

/// A response as tests look at it.
struct Answer {
  int status = 0;
  Json body;
  std::map<std::string, std::string> headers;
  [[nodiscard]] std::string code() const { return body.value("error_code", std::string()); }
};

/// The API over the control plane of `control::World`, with a user who has signed in.
class Service {
 public:
  explicit Service(control::NodeConfig node = {}) : world(std::move(node)) {
    EXPECT_TRUE(control::Accounts::CreateAdministrator(world.store, world.random, "alice",
                                                       kPassword, "eu-de"));
    accounts.emplace(control::Accounts::Parts{
        .store = &world.store, .clock = &world.clock, .random = &world.random});
    EXPECT_TRUE(accounts->Load());
    project = accounts->projects().front().id;
    world.caller.project = project;
    api.emplace(*world.control, *accounts,
                Pages{.metrics = [] { return std::string("elb_up 1\n"); },
                      .not_ready = [this] { return world.control->degraded(); },
                      .openapi = "{}"});
    token = *accounts->Issue({.user_id = accounts->FindUserByName("alice")->id,
                              .scope = "project",
                              .project_id = project,
                              .methods = {"password"}});
  }

  using Headers = std::map<std::string, std::string, std::less<>>;
  /// A call of any path; `target` may have a query.
  Answer Raw(const std::string& method, const std::string& target, const std::string& body = {},
             Headers headers = {}) {
    const std::size_t mark = target.find('?');
    Request request{.method = method,
                    .path = target.substr(0, mark),
                    .query = mark == std::string::npos ? "" : target.substr(mark + 1),
                    .host = "elb.test:8080",
                    .body = body,
                    .peer = "192.0.2.7",
                    .headers = std::move(headers)};
    const Response response = api->Handle(request);
    Answer answer{.status = response.status,
                  .body = Json::parse(response.body, nullptr, false),
                  .headers = {}};
    for (const auto& [name, value] : response.headers) {
      answer.headers[name] = value;
    }
    return answer;
  }
  /// A call below `/v3/{project}/elb/` with the token.
  Answer Call(const std::string& method, const std::string& path, const Json& body = {},
              Headers headers = {}) {
    headers["x-auth-token"] = token;
    return Raw(method, "/v3/" + project + "/elb/" + path, body.is_null() ? "" : body.dump(),
               std::move(headers));
  }

  control::World world;
  std::optional<control::Accounts> accounts;
  std::optional<Api> api;
  std::string project;
  std::string token;
};

}  // namespace elb::rest
