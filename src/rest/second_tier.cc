#include "rest/second_tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/catalogue.h"
#include "rest/listing.h"
#include "rest/request_reading.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;
using control::DeleteMode;
using control::Place;
using control::Resource;

// --- what is not offered -------------------------------------------------------------------------

/// Calls that stand alone or below a load balancer or listener.
constexpr std::array<std::string_view, 7> kNotOffered = {
    "clone", "upgrade", "recycle-bin", "master-slave-pools", "dns", "local-ports", "topology"};

bool Is(const std::vector<std::string>& path, std::initializer_list<std::string_view> pattern) {
  return path.size() == pattern.size() &&
         std::ranges::equal(path, pattern, [](const std::string& segment, std::string_view wanted) {
           return wanted == "*" || segment == wanted;
         });
}

bool IsNotOffered(const std::vector<std::string>& path) {
  const auto listed = [](const std::string& segment) {
    return std::ranges::find(kNotOffered, segment) != kNotOffered.end();
  };
  if (listed(path[0])) {
    return true;
  }
  if (path.size() > 2 && (path[0] == "loadbalancers" || path[0] == "listeners") &&
      listed(path[2])) {
    return true;
  }
  return Is(path, {"pools", "*", "members", "*", "health-check"}) ||
         Is(path, {"certificates", "settings", "private-key-echo"}) ||
         Is(path, {"loadbalancers", "*", "availability-zone", "batch-add"}) ||
         Is(path, {"loadbalancers", "*", "availability-zone", "batch-remove"});
}

// --- deletion ------------------------------------------------------------------------------------

Response DeleteBatch(control::Control& control, const Call& call, Resource resource) {
  if (!call.request->Header("if-match").empty()) {
    return Fail(call, {.kind = ErrorKind::kBadOption,
                       .path = "If-Match",
                       .message = "If-Match does not go with several objects"});
  }
  const std::string plural(TableOf(resource).plural);
  const Result<Json> list = ReadListEnvelope(call.request->body, plural);
  if (!list) {
    return Fail(call, list.error());
  }
  const Result<Json> done = control.DeleteEach(call.caller, resource, *list);
  if (!done) {
    return Fail(call, done.error());
  }
  return JsonResponse(200, {{plural, *done}, {"request_id", call.request_id}});
}

/// `{"loadbalancer": {"unbounded_pool": true, "public_ip": false}}`. No backend server group can be
/// used outside its load balancer (api-v3.md 2.19.2), so `unbounded_pool` makes no difference.
Result<DeleteMode> ReadCascade(const Request& request) {
  ELB_ASSIGN_OR_RETURN(const Json body, ReadEnvelope(request.body, "loadbalancer"));
  for (const char* name : {"unbounded_pool", "public_ip"}) {
    const Json value = body.value(name, Json());
    if (!value.is_null() && !value.is_boolean()) {
      return Invalid(fmt::format("loadbalancer.{}", name),
                     fmt::format("{} must be true or false", name));
    }
  }
  return body.value("public_ip", Json()) == Json(true) ? DeleteMode::kForceAndRelease
                                                       : DeleteMode::kForce;
}

Response DeleteCascade(control::Control& control, const Call& call, Resource resource) {
  if (call.request->method != "POST") {
    return NotAllowed(call, "POST");
  }
  const Result<DeleteMode> mode =
      resource == Resource::kLoadBalancer ? ReadCascade(*call.request) : DeleteMode::kForce;
  const auto condition = ReadPrecondition(*call.request);
  if (!mode || !condition) {
    return Fail(call, !mode ? mode.error() : condition.error());
  }
  const Place place{.resource = resource, .parent = {}, .id = call.path[1]};
  const Result<void> deleted = control.Delete(call.caller, place, *mode, *condition);
  return deleted ? Response{.status = 204, .body = {}} : Fail(call, deleted.error());
}

/// `{kind}/batch-delete` and `{kind}/{id}/delete-cascade`.
std::optional<Response> RouteDeletion(control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;
  if (path.size() == 3 && path[2] == "delete-cascade") {
    if (path[0] == "loadbalancers") {
      return DeleteCascade(control, call, Resource::kLoadBalancer);
    }
    return path[0] == "pools" ? std::optional(DeleteCascade(control, call, Resource::kPool))
                              : std::nullopt;
  }
  // An object may have that name, for which clients look by GET.
  if (path.size() != 2 || path[1] != "batch-delete" || call.request->method != "POST") {
    return std::nullopt;
  }
  for (const Resource resource :
       {Resource::kLoadBalancer, Resource::kListener, Resource::kPool, Resource::kCertificate}) {
    if (path[0] == TableOf(resource).path) {
      return DeleteBatch(control, call, resource);
    }
  }
  return std::nullopt;
}

// --- reads ---------------------------------------------------------------------------------------

/// Addresses that a load balancer as described would take from its backend subnets: none, since
/// backend servers are reached from the node's own addresses. What is named must exist.
Response CountAddresses(const control::Control& control, const Call& call) {
  static constexpr std::array<Parameter, 2> kForms = {{
      {.name = "ip_target_enable", .place = {}, .compare = Compare::kFlag},
      {.name = "ip_version", .place = {}, .compare = Compare::kNumber},
  }};
  const Query query(call.request->query);
  const Result<Conditions> forms = ReadConditions(kForms, query);
  if (!forms) {
    return Fail(call, forms.error());
  }
  if (const auto id = query.First("loadbalancer_id")) {
    const auto shown = control.Show(call.caller, Resource::kLoadBalancer, "", *id);
    if (!shown) {
      return Fail(call, shown.error());
    }
  }
  for (const char* name : {"l4_flavor_id", "l7_flavor_id"}) {
    const auto id = query.First(name);
    if (id && model::FindFlavor(*id) == nullptr) {
      return Fail(call, {.kind = ErrorKind::kReferenceNotFound,
                         .path = name,
                         .message = fmt::format("flavor {} could not be found", *id)});
    }
  }
  return JsonResponse(200, {{"preoccupy_ip", {{"total", 0}}}, {"request_id", call.request_id}});
}

/// Every call is over when it is answered, so there are no jobs (api-v3.md 1.10).
Response ShowJobs(const Call& call) {
  if (call.path.size() > 1) {
    return Fail(call, {.kind = ErrorKind::kNotFound,
                       .path = {},
                       .message = fmt::format("job {} could not be found", call.path[1])});
  }
  return JsonResponse(200, {{"jobs", Json::array()},
                            {"page_info", {{"current_count", 0}}},
                            {"request_id", call.request_id}});
}

Json Feature(std::string_view name, std::string_view type, const std::string& value) {
  return {{"feature", name}, {"type", type}, {"value", value}};
}

Json Switch(std::string_view name, bool on) { return Feature(name, "BOOL", on ? "true" : "false"); }

/// What the node's configuration decides for every load balancer.
Response ListConfigs(const control::Control& control, const Call& call) {
  static constexpr std::array<Parameter, 3> kFilters = {{
      {.name = "feature", .place = "feature"},
      {.name = "type", .place = "type"},
      {.name = "value", .place = "value"},
  }};
  const Result<Conditions> conditions = ReadConditions(kFilters, Query(call.request->query));
  if (!conditions) {
    return Fail(call, conditions.error());
  }
  const control::NodeConfig& node = control.node();
  Json configs = Json::array();
  for (Json& config : std::vector{
           Switch("shared_loadbalancer", true),
           Feature("default_tls_ciphers_policy", "STRING", node.default_tls_ciphers_policy),
           Feature("connect_timeout", "INT", std::to_string(node.connect_timeout.count())),
           Feature("request_body_bytes_max", "INT", std::to_string(node.request_body_bytes_max))}) {
    if (Matches(config, *conditions)) {
      configs.push_back(std::move(config));
    }
  }
  return JsonResponse(200, {{"configs", configs}, {"request_id", call.request_id}});
}

/// What a load balancer can do, by its kind and flavors (api-v3.md 2.19.1).
Response ListFeatures(const control::Control& control, const Call& call) {
  const auto shown = control.Show(call.caller, Resource::kLoadBalancer, "", call.path[1]);
  if (!shown) {
    return Fail(call, shown.error());
  }
  const Json& balancer = *shown->object;
  const bool dedicated = balancer["guaranteed"].get<bool>();
  const bool l7 = !dedicated || balancer["l7_flavor_id"].is_string();
  const Json features = Json::array(
      {Switch("https_listener", l7), Switch("https_pool", dedicated && l7),
       Switch("custom_security_policy", dedicated && l7),
       Switch("advanced_forwarding", dedicated && l7), Switch("slow_start", dedicated && l7),
       Switch("app_cookie", !dedicated), Switch("https_healthmonitor", dedicated),
       Switch("member_deletion_protection", dedicated),
       Switch("ip_target", balancer["ip_target_enable"].get<bool>())});
  return JsonResponse(200, {{"features", features}, {"request_id", call.request_id}});
}

std::optional<Response> RouteReads(const control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;
  const bool addresses = Is(path, {"preoccupy-ip-num"});
  const bool jobs = Is(path, {"jobs"}) || Is(path, {"jobs", "*"});
  const bool configs = Is(path, {"feature", "configs"});
  if (!addresses && !jobs && !configs && !Is(path, {"loadbalancers", "*", "features"})) {
    return std::nullopt;
  }
  if (!call.reads()) {
    return NotAllowed(call, "GET, HEAD");
  }
  if (addresses) {
    return CountAddresses(control, call);
  }
  if (jobs) {
    return ShowJobs(call);
  }
  return configs ? ListConfigs(control, call) : ListFeatures(control, call);
}

}  // namespace

std::optional<Response> RouteSecondTier(control::Control& control, const Call& call) {
  if (IsNotOffered(call.path)) {
    return Fail(call, {.kind = ErrorKind::kUnsupported,
                       .path = {},
                       .message = call.request->path + " is not available on this node"});
  }
  if (auto deletion = RouteDeletion(control, call)) {
    return deletion;
  }
  return RouteReads(control, call);
}

}  // namespace elb::rest
