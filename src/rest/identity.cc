#include "rest/identity.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;
using control::Accounts;
using control::Project;
using control::SignInAttempt;
using control::Token;
using control::User;

Response JsonResponse(int status, const Json& body) {
  return {.status = status, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

/// Errors in Keystone's shape (api-v3.md 4.2).
Response Fail(int status, std::string_view title, std::string_view message) {
  return JsonResponse(status,
                      {{"error", {{"code", status}, {"message", message}, {"title", title}}}});
}

Response Unauthorized() {
  return Fail(401, "Unauthorized", "The request you have made requires authentication.");
}

Response BadRequest(std::string_view what) { return Fail(400, "Bad Request", what); }

std::string TimeText(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
  return {text.data(), size};
}

/// The member of an object, or null.
const Json& At(const Json& object, const char* name) {
  static const Json null;
  if (!object.is_object()) {
    return null;
  }
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string TextAt(const Json& object, const char* name) {
  const Json& value = At(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

Json DomainJson() { return {{"id", Accounts::kDomainId}, {"name", Accounts::kDomainName}}; }

Json Endpoint(std::string_view type, std::string_view name, const std::string& region,
              const std::string& url) {
  return {{"id", fmt::format("{}-{}", type, name)},
          {"type", type},
          {"name", name},
          {"endpoints", Json::array({{{"id", fmt::format("{}-public", type)},
                                      {"interface", "public"},
                                      {"region", region},
                                      {"region_id", region},
                                      {"url", url}}})}};
}

Json Catalogue(const std::string& base, const std::string& region, const std::string& project) {
  Json list = Json::array();
  list.push_back(Endpoint("elb", "elb", region, base));
  list.push_back(Endpoint("identity", "keystone", region, base + "/v3"));
  list.push_back(Endpoint("network", "neutron", region, base + "/network"));
  list.push_back(Endpoint("image", "glance", region, base + "/image"));
  if (!project.empty()) {
    list.push_back(Endpoint("elbv3", "elbv3", region, base + "/v3/" + project));
    list.push_back(Endpoint("vpc", "vpc", region, base + "/network/v1/" + project));
    list.push_back(Endpoint("compute", "nova", region, base + "/compute/v2.1/" + project));
    list.push_back(Endpoint("elb-ext", "elb-ext", region, base + "/ext/v1/" + project));
  }
  return list;
}

/// What a request wants to prove.
struct Proof {
  const User* user = nullptr;
  std::vector<std::string> methods;
};

/// What the token is to be good for.
struct Scope {
  std::string kind;  ///< `project`, `domain`, or empty.
  std::string project_id;
};

Json TokenBody(const Token& token, const Accounts& accounts, const std::string& base,
               const std::string& region) {
  const User* user = accounts.FindUser(token.user_id);
  Json body{{"methods", token.methods},
            {"issued_at", TimeText(token.issued_at)},
            {"expires_at", TimeText(token.expires_at)},
            {"audit_ids", Json::array({"elb"})},
            {"user",
             {{"id", token.user_id},
              {"name", user != nullptr ? user->name : ""},
              {"domain", DomainJson()},
              {"password_expires_at", nullptr}}}};
  if (token.scope == "project") {
    const Project* project = accounts.FindProject(token.project_id);
    body["project"] = {{"id", token.project_id},
                       {"name", project != nullptr ? project->name : ""},
                       {"domain", DomainJson()}};
    body["is_domain"] = false;
  } else if (token.scope == "domain") {
    body["domain"] = DomainJson();
  }
  body["roles"] =
      Json::array({{{"id", "r1"}, {"name", "te_admin"}}, {{"id", "r2"}, {"name", "admin"}}});
  body["catalog"] = token.scope.empty() ? Json::array() : Catalogue(base, region, token.project_id);
  return {{"token", body}};
}

bool IsOurDomain(const Json& domain) {
  const std::string id = TextAt(domain, "id");
  const std::string name = TextAt(domain, "name");
  return (id.empty() && name.empty()) || id == Accounts::kDomainId ||
         name == Accounts::kDomainName || id == Accounts::kDomainName;
}

std::expected<Scope, Response> ReadScope(const Json& scope, const Accounts& accounts) {
  if (scope.is_null() || scope == "unscoped") {
    return Scope{};
  }
  if (const Json& project = At(scope, "project"); project.is_object()) {
    const std::string id = TextAt(project, "id");
    const Project* found = accounts.FindProject(id.empty() ? TextAt(project, "name") : id);
    if (found == nullptr || !IsOurDomain(At(project, "domain"))) {
      return std::unexpected(Unauthorized());
    }
    return Scope{.kind = "project", .project_id = found->id};
  }
  if (const Json& domain = At(scope, "domain"); domain.is_object()) {
    if (!IsOurDomain(domain)) {
      return std::unexpected(Unauthorized());
    }
    return Scope{.kind = "domain", .project_id = {}};
  }
  return std::unexpected(BadRequest("scope must name a project or a domain"));
}

std::expected<SignInAttempt, Response> ReadAttempt(const Json& identity, const Accounts& accounts,
                                                   const Request& request) {
  const Json& user = At(At(identity, "password"), "user");
  if (!user.is_object() || !At(user, "password").is_string()) {
    return std::unexpected(BadRequest("identity.password.user needs a name and a password"));
  }
  SignInAttempt attempt{.user = TextAt(user, "name"),
                        .password = TextAt(user, "password"),
                        .address = request.peer,
                        .verdict = request.verdict};
  if (const std::string id = TextAt(user, "id"); !id.empty()) {
    const User* known = accounts.FindUser(id);
    attempt.user = known != nullptr ? known->name : id;
  }
  if (attempt.user.empty()) {
    return std::unexpected(BadRequest("identity.password.user needs a name or an id"));
  }
  return attempt;
}

std::expected<Proof, Response> ProveByPassword(const Json& identity, Accounts& accounts,
                                               const Request& request) {
  const auto attempt = ReadAttempt(identity, accounts, request);
  if (!attempt) {
    return std::unexpected(attempt.error());
  }
  const auto signed_in = accounts.SignIn(*attempt);
  if (!signed_in) {
    if (signed_in.error().locked) {
      Response locked = Fail(429, "Too Many Requests", "Too many failed attempts.");
      locked.headers.emplace_back("Retry-After", std::to_string(signed_in.error().retry_after));
      return std::unexpected(std::move(locked));
    }
    return std::unexpected(Unauthorized());
  }
  return Proof{.user = *signed_in, .methods = {"password"}};
}

std::expected<Proof, Response> ProveByToken(const Json& identity, const Accounts& accounts) {
  const std::string text = TextAt(At(identity, "token"), "id");
  if (text.empty()) {
    return std::unexpected(BadRequest("identity.token.id is mandatory"));
  }
  const Token* token = accounts.Find(text);
  if (token == nullptr) {
    return std::unexpected(Unauthorized());
  }
  return Proof{.user = accounts.FindUser(token->user_id), .methods = {"token"}};
}

/// The first of the methods, which decides; empty: none is given.
std::string MethodOf(const Json& identity) {
  const Json& methods = At(identity, "methods");
  const bool given = methods.is_array() && !methods.empty() && methods.front().is_string();
  return given ? methods.front().get<std::string>() : std::string();
}

std::expected<Proof, Response> Prove(const Json& identity, Accounts& accounts,
                                     const Request& request) {
  const std::string method = MethodOf(identity);
  if (method.empty()) {
    return std::unexpected(BadRequest("identity.methods is mandatory"));
  }
  if (method == "password") {
    return ProveByPassword(identity, accounts, request);
  }
  if (method == "token") {
    return ProveByToken(identity, accounts);
  }
  return std::unexpected(Unauthorized());
}

Json Links(const std::string& self) {
  return {{"self", self}, {"next", nullptr}, {"previous", nullptr}};
}

}  // namespace

std::optional<control::PasswordCheck> Identity::CheckFor(const Request& request) const {
  const Json body = Json::parse(request.body, nullptr, false);
  const Json& identity = At(At(body, "auth"), "identity");
  if (MethodOf(identity) != "password") {
    return std::nullopt;
  }
  const auto attempt = ReadAttempt(identity, *accounts_, request);
  return attempt ? accounts_->CheckFor(*attempt) : std::nullopt;
}

Response Identity::IssueToken(const Request& request, const std::string& base_url) {
  const Json body = Json::parse(request.body, nullptr, false);
  const Json& auth = At(body, "auth");
  const Json& identity = At(auth, "identity");
  if (!identity.is_object()) {
    return BadRequest("auth.identity is mandatory");
  }
  const auto proof = Prove(identity, *accounts_, request);
  if (!proof) {
    return proof.error();
  }
  const auto scope = ReadScope(At(auth, "scope"), *accounts_);
  if (!scope) {
    return scope.error();
  }
  if (proof->user == nullptr) {
    return Unauthorized();
  }
  const Token wanted{.user_id = proof->user->id,
                     .scope = scope->kind,
                     .project_id = scope->project_id,
                     .methods = proof->methods};
  const Result<std::string> text = accounts_->Issue(wanted);
  if (!text) {
    return Fail(500, "Internal Server Error", text.error().message);
  }
  Response response =
      JsonResponse(201, TokenBody(*accounts_->Find(*text), *accounts_, base_url, region_));
  response.headers.emplace_back("X-Subject-Token", *text);
  return response;
}

Response Identity::RouteTokens(const Request& request, const std::string& base_url) {
  if (request.method == "POST") {
    return IssueToken(request, base_url);
  }
  if (accounts_->Find(request.Header("x-auth-token")) == nullptr) {
    return Unauthorized();
  }
  const std::string subject = request.Header("x-subject-token");
  const Token* token = accounts_->Find(subject);
  if (token == nullptr) {
    return Fail(404, "Not Found", "The token could not be found.");
  }
  if (request.method == "GET" || request.method == "HEAD") {
    Response response = JsonResponse(200, TokenBody(*token, *accounts_, base_url, region_));
    response.headers.emplace_back("X-Subject-Token", subject);
    return response;
  }
  if (request.method == "DELETE") {
    const Result<void> revoked = accounts_->Revoke(subject);
    return revoked ? Response{.status = 204, .body = {}}
                   : Fail(500, "Internal Server Error", revoked.error().message);
  }
  return Fail(405, "Method Not Allowed", "The method is not allowed here.");
}

Response Identity::RouteLists(const Request& request, const std::vector<std::string>& path,
                              const std::string& base_url) {
  const Token* token = accounts_->Find(request.Header("x-auth-token"));
  if (token == nullptr) {
    return Unauthorized();
  }
  const std::string self = base_url + request.path;
  const Query query(request.query);
  const auto name = query.First("name");
  if (path.back() == "catalog") {
    return JsonResponse(200, {{"catalog", Catalogue(base_url, region_, token->project_id)},
                              {"links", {{"self", self}}}});
  }
  if (path.back() == "domains") {
    Json domain = DomainJson();
    domain["enabled"] = true;
    domain["description"] = "";
    domain["links"] = Json::object();
    const bool wanted = !name || *name == Accounts::kDomainName;
    return JsonResponse(
        200, {{"domains", wanted ? Json::array({domain}) : Json::array()}, {"links", Links(self)}});
  }
  Json projects = Json::array();
  for (const Project& project : accounts_->projects()) {
    if (!name || *name == project.name) {
      projects.push_back({{"id", project.id},
                          {"name", project.name},
                          {"domain_id", Accounts::kDomainId},
                          {"enabled", true},
                          {"description", ""},
                          {"parent_id", Accounts::kDomainId},
                          {"is_domain", false},
                          {"links", {{"self", base_url + "/v3/projects/" + project.id}}}});
    }
  }
  return JsonResponse(200, {{"projects", projects}, {"links", Links(self)}});
}

std::optional<Response> Identity::Route(const Request& request,
                                        const std::vector<std::string>& path,
                                        const std::string& base_url) {
  if (path.empty() || path.front() != "v3") {
    return std::nullopt;
  }
  if (path.size() == 1) {
    return JsonResponse(
        200, {{"version",
               {{"id", "v3.14"},
                {"status", "stable"},
                {"updated", "2020-04-07T00:00:00Z"},
                {"links", Json::array({{{"rel", "self"}, {"href", base_url + "/v3/"}}})},
                {"media-types",
                 Json::array({{{"base", "application/json"},
                               {"type", "application/vnd.openstack.identity-v3+json"}}})}}}});
  }
  if (path.size() == 3 && path[1] == "auth" && path[2] == "tokens") {
    return RouteTokens(request, base_url);
  }
  const bool list = (path.size() == 3 && path[1] == "auth" &&
                     (path[2] == "catalog" || path[2] == "projects" || path[2] == "domains")) ||
                    (path.size() == 2 && path[1] == "projects");
  if (list && request.method == "GET") {
    return RouteLists(request, path, base_url);
  }
  return std::nullopt;
}

}  // namespace elb::rest
