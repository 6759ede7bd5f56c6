#include "rest/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/catalogue.h"
#include "rest/error_codes.h"
#include "rest/identity.h"
#include "rest/listing.h"

namespace elb::rest {

using Json = nlohmann::ordered_json;
using control::Resource;
using control::Shown;

/// One call on its way through the router.
struct Api::Call {
  const Request* request = nullptr;
  std::string request_id;
  std::string base_url;
  std::vector<std::string> path;  ///< Segments; from RouteElb on, those behind `elb`.
  control::Caller caller;
  bool update = false;
};

namespace {

struct Words {
  std::string_view path;
  std::string_view singular;
  std::string_view plural;
};

Words WordsOf(Resource resource) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return {"loadbalancers", "loadbalancer", "loadbalancers"};
    case Resource::kListener:
      return {"listeners", "listener", "listeners"};
    case Resource::kPool:
      return {"pools", "pool", "pools"};
    case Resource::kMember:
      return {"members", "member", "members"};
    case Resource::kHealthMonitor:
      return {"healthmonitors", "healthmonitor", "healthmonitors"};
    case Resource::kCertificate:
      break;
  }
  return {"certificates", "certificate", "certificates"};
}

std::optional<Resource> ResourceAt(std::string_view segment) {
  for (const Resource resource :
       {Resource::kLoadBalancer, Resource::kListener, Resource::kPool, Resource::kMember,
        Resource::kHealthMonitor, Resource::kCertificate}) {
    if (WordsOf(resource).path == segment) {
      return resource;
    }
  }
  return std::nullopt;
}

Response JsonResponse(int status, const Json& body) {
  return {.status = status, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Response TextResponse(int status, std::string body) {
  return {.status = status, .body = std::move(body), .content_type = "text/plain; version=0.0.4"};
}

Error Unknown(const std::string& path) {
  return {.kind = ErrorKind::kNotFound, .path = {}, .message = path + " does not exist"};
}

/// Deep bodies would exhaust the parser's stack.
bool TooDeep(std::string_view text) {
  constexpr int kDepthMax = 64;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      i += letter == '\\' ? 1 : 0;
      quoted = letter != '"';
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == '[' || letter == '{') {
      if (++depth > kDepthMax) {
        return true;
      }
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return false;
}

/// The object inside a request's envelope (api-v3.md 1.6).
Result<Json> ReadEnvelope(const std::string& body, std::string_view name) {
  const auto empty = [&] {
    return Failure(ErrorKind::kEmptyBody, std::string(name),
                   fmt::format("the body needs an object '{}'", name));
  };
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) {
    return empty();
  }
  if (TooDeep(body)) {
    return Invalid("body", "the body is nested too deeply");
  }
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) {
    return Invalid("body", "the body is not valid JSON");
  }
  if (json.is_null()) {
    return empty();
  }
  if (!json.is_object()) {
    return Invalid("body", "the body must be a JSON object");
  }
  const auto found = json.find(std::string(name));
  if (found == json.end() || found->is_null()) {
    return empty();
  }
  if (!found->is_object()) {
    return Invalid(std::string(name), fmt::format("{} must be an object", name));
  }
  return std::move(*found);
}

/// Keys inside `extensions` are known or refused (api-extensions.md 1.2); listeners check their
/// own.
Result<void> CheckExtensions(const Json& object, std::string_view name) {
  const auto found = object.find("extensions");
  if (name == "listener" || found == object.end() || found->is_null()) {
    return {};
  }
  if (!found->is_object()) {
    return Invalid(fmt::format("{}.extensions", name), "extensions must be an object");
  }
  for (const auto& [key, value] : found->items()) {
    if (key != "revision" && key != "managed_by") {
      const std::string path = fmt::format("{}.extensions.{}", name, key);
      return Invalid(path, fmt::format("{} is not known", path));
    }
  }
  return {};
}

/// `If-Match` (api-extensions.md 4.4).
Result<std::optional<control::Precondition>> ReadPrecondition(const Request& request) {
  const std::string text = request.Header("if-match");
  if (text.empty()) {
    return std::nullopt;
  }
  control::Precondition condition;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view tag = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    while (tag.starts_with(' ')) {
      tag.remove_prefix(1);
    }
    while (tag.ends_with(' ')) {
      tag.remove_suffix(1);
    }
    if (tag == "*") {
      condition.any = true;
      continue;
    }
    std::uint64_t number = 0;
    if (tag.starts_with("\"r") && tag.ends_with('"') &&
        std::from_chars(tag.data() + 2, tag.data() + tag.size() - 1, number).ec == std::errc{}) {
      condition.revisions.push_back(number);
    }
  }
  return condition;
}

Json FlavorJson(const model::Flavor& flavor, const std::string& project) {
  Json info{{"connection", flavor.connection},
            {"cps", flavor.cps},
            {"bandwidth", flavor.bandwidth},
            {"lcu", flavor.lcu}};
  if (flavor.qps > 0) {
    info["qps"] = flavor.qps;
    info["https_cps"] = flavor.https_cps;
  }
  return {{"id", flavor.id}, {"name", flavor.name},   {"type", flavor.type},
          {"shared", true},  {"project_id", project}, {"flavor_sold_out", false},
          {"info", info}};
}

}  // namespace

Api::Api(control::Control& control, control::Accounts& accounts, Pages pages)
    : control_(control), accounts_(accounts), pages_(std::move(pages)) {}

Response Api::Handle(const Request& request) {
  Call call{.request = &request,
            .request_id = NewUuid(control_.random()),
            .base_url = control_.node().api_base_url.empty() ? "http://" + request.host
                                                             : control_.node().api_base_url,
            .path = SplitPath(request.path)};
  call.update = request.method == "PUT";
  Response response = Route(call);
  response.headers.emplace_back("X-Request-Id", call.request_id);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

Response Api::Fail(const Call& call, const Error& error) const {
  return ErrorResponse(error, call.update, call.request_id);
}

Response Api::Route(Call& call) {
  if (auto open = RouteOpen(call)) {
    return *std::move(open);
  }
  Identity identity(accounts_, control_.node().region);
  if (auto answered = identity.Route(*call.request, call.path, call.base_url)) {
    return *std::move(answered);
  }
  if (const Result<void> known = Authenticate(call); !known) {
    return Fail(call, known.error());
  }
  const std::vector<std::string>& path = call.path;
  const bool elb = path.size() >= 4 && path[0] == "v3" && path[2] == "elb";
  const bool network = path.size() >= 4 && path[0] == "network" && path[1] == "v1";
  if (!elb && !network) {
    return Fail(call, Unknown(call.request->path));
  }
  const std::string& project = elb ? path[1] : path[2];
  if (call.caller.project.empty() || project != call.caller.project) {
    return Fail(call, {.kind = ErrorKind::kForbiddenProject,
                       .path = {},
                       .message = "the token is not for this project"});
  }
  return elb ? RouteElb(call) : RouteNetwork(call);
}

/// Paths that need no authentication (api-v3.md 1.1, 4.3).
std::optional<Response> Api::RouteOpen(Call& call) {
  const std::string& path = call.request->path;
  if (path == "/healthz") {
    return TextResponse(200, "ok\n");
  }
  if (path == "/readyz") {
    const std::string why = pages_.not_ready();
    return TextResponse(why.empty() ? 200 : 503, why.empty() ? "ready\n" : why + "\n");
  }
  if (path == "/metrics") {
    return TextResponse(200, pages_.metrics());
  }
  if (path == "/openapi.json") {
    return Response{.status = 200, .body = pages_.openapi};
  }
  if (path == "/versions") {
    return JsonResponse(200, {{"versions", Json::array({{{"id", "v3"}, {"status", "CURRENT"}},
                                                        {{"id", "v2"}, {"status", "STABLE"}},
                                                        {{"id", "v2.0"}, {"status", "STABLE"}}})}});
  }
  if (path == "/ext") {
    return JsonResponse(200, {{"versions", Json::array({{{"id", "v1"}, {"status", "CURRENT"}}})}});
  }
  const auto link = [&](const std::string& to) {
    return Json::array({{{"rel", "self"}, {"href", call.base_url + to}}});
  };
  if (path == "/") {
    return JsonResponse(
        300,
        {{"versions",
          {{"values",
            Json::array({{{"id", "v3.14"}, {"status", "stable"}, {"links", link("/v3/")}}})}}}});
  }
  if (path == "/network/" || path == "/network") {
    return JsonResponse(
        200, {{"versions",
               Json::array(
                   {{{"id", "v2.0"}, {"status", "CURRENT"}, {"links", link("/network/v2.0/")}}})}});
  }
  if (path == "/network/v2.0/" || path == "/network/v2.0") {
    return JsonResponse(200, {{"resources", Json::array()}});
  }
  if (path.starts_with("/compute/v2.1")) {
    return JsonResponse(200, {{"version",
                               {{"id", "v2.1"},
                                {"status", "CURRENT"},
                                {"version", "2.79"},
                                {"min_version", "2.1"},
                                {"links", link("/compute/v2.1/")}}}});
  }
  if (path == "/image/" || path == "/image") {
    return JsonResponse(
        300,
        {{"versions",
          Json::array({{{"id", "v2.9"}, {"status", "CURRENT"}, {"links", link("/image/v2/")}}})}});
  }
  return std::nullopt;
}

Result<void> Api::Authenticate(Call& call) const {
  const control::Token* token = accounts_.Find(call.request->Header("x-auth-token"));
  const control::User* user = token == nullptr ? nullptr : accounts_.FindUser(token->user_id);
  if (user == nullptr) {
    return Failure(ErrorKind::kUnauthenticated, "", "a valid token is needed in X-Auth-Token");
  }
  call.caller = {.project = token->project_id,
                 .user_id = user->id,
                 .user_name = user->name,
                 .method = "token",
                 .address = call.request->peer,
                 .sees_private_keys = true};
  return {};
}

Response Api::RouteElb(Call& call) {
  call.path.erase(call.path.begin(), call.path.begin() + 3);
  const std::vector<std::string>& path = call.path;
  if (auto catalogue = RouteCatalogue(call)) {
    return *std::move(catalogue);
  }
  const auto resource = ResourceAt(path[0]);
  if (!resource) {
    return Fail(call, Unknown(call.request->path));
  }
  if (path.size() == 1) {
    return RouteCollection(call, *resource, "");
  }
  if (path.size() == 2 && *resource != Resource::kMember) {
    return RouteObject(call, *resource, "", path[1]);
  }
  return RouteBelow(call);
}

/// Paths below an object: members, status tree, forced deletion.
Response Api::RouteBelow(Call& call) {
  const std::vector<std::string>& path = call.path;
  const std::string& method = call.request->method;
  if (path[0] == "pools" && path.size() >= 3 && path[2] == "members") {
    if (path.size() == 3) {
      return RouteCollection(call, Resource::kMember, path[1]);
    }
    if (path.size() == 4) {
      return RouteObject(call, Resource::kMember, path[1], path[3]);
    }
  }
  if (path.size() != 3) {
    return Fail(call, Unknown(call.request->path));
  }
  if (path[0] == "loadbalancers" && path[2] == "statuses" && method == "GET") {
    Result<Json> tree = control_.StatusTree(call.caller, path[1]);
    if (!tree) {
      return Fail(call, tree.error());
    }
    return JsonResponse(
        200, {{"statuses", {{"loadbalancer", *std::move(tree)}}}, {"request_id", call.request_id}});
  }
  const bool force = (path[0] == "loadbalancers" && path[2] == "force-elb") ||
                     (path[0] == "listeners" && path[2] == "force");
  if (force && method == "DELETE") {
    const Result<void> deleted = control_.Delete(call.caller, *ResourceAt(path[0]), "", path[1],
                                                 control::DeleteMode::kForce, std::nullopt);
    return deleted ? Response{.status = 204, .body = {}} : Fail(call, deleted.error());
  }
  return Fail(call, Unknown(call.request->path));
}

namespace {

Response NotAllowed(const std::string& request_id) {
  return JsonResponse(405, {{"error_code", "ELB.8902"},
                            {"error_msg", "the method is not allowed here"},
                            {"request_id", request_id}});
}

}  // namespace

Response Api::RouteCollection(Call& call, Resource resource, const std::string& parent) {
  const std::string& method = call.request->method;
  if (method == "GET" || method == "HEAD") {
    return List(call, resource, parent);
  }
  if (method == "POST" && (resource != Resource::kMember || !parent.empty())) {
    return Create(call, resource, parent);
  }
  return NotAllowed(call.request_id);
}

Response Api::Create(Call& call, Resource resource, const std::string& parent) {
  const std::string_view name = WordsOf(resource).singular;
  if (!call.request->Header("if-match").empty()) {
    return Fail(call, {.kind = ErrorKind::kBadOption,
                       .path = "If-Match",
                       .message = "If-Match does not go with creating"});
  }
  Result<Json> body = ReadEnvelope(call.request->body, name);
  if (!body) {
    return Fail(call, body.error());
  }
  if (const Result<void> extensions = CheckExtensions(*body, name); !extensions) {
    return Fail(call, extensions.error());
  }
  const Result<Shown> made = control_.Create(call.caller, resource, parent, *body);
  return made ? Show(call, *made, resource, 201) : Fail(call, made.error());
}

Response Api::Show(const Call& call, const Shown& shown, Resource resource, int status) const {
  Json body = Json::object();
  body[std::string(WordsOf(resource).singular)] = *shown.object;
  body["request_id"] = call.request_id;
  Response response = JsonResponse(status, body);
  response.headers.emplace_back("ETag", fmt::format("\"r{}\"", shown.revision));
  response.headers.emplace_back("X-Elb-Revision",
                                std::to_string(control_.RevisionOf(call.caller.project)));
  return response;
}

Response Api::List(Call& call, Resource resource, const std::string& parent) {
  const Query query(call.request->query);
  Result<std::vector<Json>> all = control_.List(call.caller, resource, parent);
  if (!all) {
    return Fail(call, all.error());
  }
  Result<std::vector<Json>> matching = Filter(*std::move(all), query, resource);
  if (!matching) {
    return Fail(call, matching.error());
  }
  const Result<Page> page = Paginate(*std::move(matching), query);
  if (!page) {
    return Fail(call, page.error());
  }
  Json body = Json::object();
  body[std::string(WordsOf(resource).plural)] = page->items;
  body["page_info"] = PageInfo(*page);
  body["request_id"] = call.request_id;
  return JsonResponse(200, body);
}

Response Api::RouteObject(Call& call, Resource resource, const std::string& parent,
                          const std::string& id) {
  const std::string& method = call.request->method;
  if (method == "GET" || method == "HEAD") {
    const Result<Shown> shown = control_.Show(call.caller, resource, parent, id);
    return shown ? Show(call, *shown, resource, 200) : Fail(call, shown.error());
  }
  const auto condition = ReadPrecondition(*call.request);
  if (!condition) {
    return Fail(call, condition.error());
  }
  if (method == "DELETE") {
    const Result<void> deleted =
        control_.Delete(call.caller, resource, parent, id, control::DeleteMode::kPlain, *condition);
    return deleted ? Response{.status = 204, .body = {}} : Fail(call, deleted.error());
  }
  if (method != "PUT") {
    return NotAllowed(call.request_id);
  }
  const std::string_view name = WordsOf(resource).singular;
  Result<Json> body = ReadEnvelope(call.request->body, name);
  if (!body) {
    return Fail(call, body.error());
  }
  if (const Result<void> extensions = CheckExtensions(*body, name); !extensions) {
    return Fail(call, extensions.error());
  }
  const Result<Shown> changed =
      control_.Update(call.caller, resource, parent, id, *body, *condition);
  return changed ? Show(call, *changed, resource, 200) : Fail(call, changed.error());
}

/// Read-only parts: flavors, zones, quotas, system policies (api-v3.md 2.8, 2.11 to 2.13).
std::optional<Response> Api::RouteCatalogue(Call& call) {
  const std::vector<std::string>& path = call.path;
  const bool read = call.request->method == "GET" || call.request->method == "HEAD";
  const bool mine = path[0] == "flavors" || path[0] == "availability-zones" ||
                    path[0] == "quotas" || path[0] == "system-security-policies";
  if (!mine) {
    return std::nullopt;
  }
  if (!read) {
    return NotAllowed(call.request_id);
  }
  if (path[0] == "quotas") {
    return RouteQuotas(call);
  }
  const Query query(call.request->query);
  if (path[0] == "flavors" && path.size() == 2) {
    const model::Flavor* flavor = model::FindFlavor(path[1]);
    if (flavor == nullptr) {
      return Fail(call, Unknown("flavor " + path[1]));
    }
    return JsonResponse(200, {{"flavor", FlavorJson(*flavor, call.caller.project)},
                              {"request_id", call.request_id}});
  }
  if (path[0] == "flavors") {
    std::vector<Json> all;
    for (const model::Flavor& flavor : model::Flavors()) {
      Json shown = FlavorJson(flavor, call.caller.project);
      const bool wanted = std::ranges::all_of(
          std::initializer_list<const char*>{"id", "name", "type"}, [&](const char* name) {
            const auto values = query.All(name);
            return values.empty() ||
                   std::ranges::find(values, shown[name].get<std::string>()) != values.end();
          });
      if (wanted) {
        all.push_back(std::move(shown));
      }
    }
    std::ranges::sort(all, {},
                      [](const Json& flavor) { return flavor["name"].get<std::string>(); });
    const Result<Page> page = Paginate(std::move(all), query);
    if (!page) {
      return Fail(call, page.error());
    }
    return JsonResponse(200, {{"flavors", page->items},
                              {"page_info", PageInfo(*page)},
                              {"request_id", call.request_id}});
  }
  if (path[0] == "availability-zones") {
    Json set = Json::array();
    for (const std::string& code : control_.node().availability_zones) {
      set.push_back({{"code", code},
                     {"state", "ACTIVE"},
                     {"protocol", Json::array({"L4", "L7"})},
                     {"public_border_group", "center"},
                     {"category", 0}});
    }
    return JsonResponse(
        200, {{"availability_zones", Json::array({set})}, {"request_id", call.request_id}});
  }
  Json policies = Json::array();
  for (const model::SystemPolicy& policy : model::SystemPolicies()) {
    policies.push_back({{"name", policy.name},
                        {"project_id", call.caller.project},
                        {"protocols", fmt::format("{}", fmt::join(policy.protocols, " "))},
                        {"ciphers", fmt::format("{}", fmt::join(policy.ciphers, ":"))}});
  }
  return JsonResponse(200,
                      {{"system_security_policies", policies}, {"request_id", call.request_id}});
}

Response Api::RouteQuotas(Call& call) {
  const auto limit_of = [&](const model::QuotaDefault& quota) {
    const auto& own = control_.node().quotas;
    const auto found = own.find(std::string(quota.key));
    return found == own.end() ? quota.limit : found->second;
  };
  const auto all = model::QuotaDefaults();
  if (call.path.size() == 1) {
    Json quota = Json::object();
    for (const model::QuotaDefault& entry : all) {
      quota[std::string(entry.key)] = limit_of(entry);
    }
    quota["project_id"] = call.caller.project;
    return JsonResponse(200, {{"quota", quota}, {"request_id", call.request_id}});
  }
  if (call.path.size() != 2 || call.path[1] != "details") {
    return Fail(call, Unknown(call.request->path));
  }
  std::vector<std::string> keys = Query(call.request->query).All("quota_key");
  if (keys.empty()) {
    for (const model::QuotaDefault& entry : all) {
      keys.emplace_back(entry.key);
    }
  }
  Json details = Json::array();
  for (const std::string& key : keys) {
    const auto known = std::ranges::find(all, key, &model::QuotaDefault::key);
    if (known == all.end()) {
      return Fail(call, {.kind = ErrorKind::kInvalid,
                         .path = "quota_key",
                         .message = fmt::format("quota {} does not exist", key)});
    }
    details.push_back({{"quota_key", key},
                       {"quota_limit", limit_of(*known)},
                       {"used", control_.Used(call.caller, key)},
                       {"unit", "count"}});
  }
  return JsonResponse(200, {{"quotas", details}, {"request_id", call.request_id}});
}

/// The part of the VPC API that creating a load balancer needs (api-v3.md 4.5).
Response Api::RouteNetwork(Call& call) {
  const std::vector<std::string>& path = call.path;  // network v1 {project} kind [id]
  const control::NodeConfig& node = control_.node();
  const auto unknown = [&] {
    return JsonResponse(404, {{"code", "VPC.0202"}, {"message", "the object does not exist"}});
  };
  Json list = Json::array();
  std::string singular;
  if (path[3] == "vpcs") {
    singular = "vpc";
    list.push_back({{"id", node.vpc_id},
                    {"name", node.vpc_name},
                    {"description", ""},
                    {"cidr", node.subnets.empty() ? "" : node.subnets.front().cidr},
                    {"status", "OK"},
                    {"routes", Json::array()},
                    {"enable_shared_snat", false},
                    {"enterprise_project_id", "0"}});
  } else if (path[3] == "subnets") {
    singular = "subnet";
    for (const control::SubnetConfig& subnet : node.subnets) {
      list.push_back({{"id", subnet.network_id},
                      {"name", subnet.name},
                      {"description", ""},
                      {"cidr", subnet.cidr},
                      {"gateway_ip", subnet.gateway},
                      {"dhcp_enable", true},
                      {"primary_dns", ""},
                      {"secondary_dns", ""},
                      {"dnsList", Json::array()},
                      {"availability_zone", ""},
                      {"vpc_id", subnet.vpc_id},
                      {"status", "ACTIVE"},
                      {"neutron_network_id", subnet.network_id},
                      {"neutron_subnet_id", subnet.subnet_id},
                      {"ipv6_enable", false},
                      {"cidr_v6", nullptr},
                      {"gateway_ip_v6", nullptr},
                      {"extra_dhcp_opts", Json::array()}});
    }
  } else {
    return unknown();
  }
  if (call.request->method != "GET") {
    return JsonResponse(403, {{"code", "VPC.0007"}, {"message", "networks are configuration"}});
  }
  if (path.size() == 4) {
    return JsonResponse(200, {{path[3], list}});
  }
  for (const Json& object : list) {
    if (object["id"] == path[4]) {
      return JsonResponse(200, {{singular, object}});
    }
  }
  return unknown();
}

}  // namespace elb::rest
