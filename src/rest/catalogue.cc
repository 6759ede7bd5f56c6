#include "rest/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/rules.h"
#include "model/catalogue.h"
#include "rest/listing.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;

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

Response ShowFlavor(const Call& call) {
  const model::Flavor* flavor = model::FindFlavor(call.path[1]);
  if (flavor == nullptr) {
    return Fail(call, {.kind = ErrorKind::kNotFound,
                       .path = {},
                       .message = fmt::format("flavor {} could not be found", call.path[1])});
  }
  return JsonResponse(
      200, {{"flavor", FlavorJson(*flavor, call.caller.project)}, {"request_id", call.request_id}});
}

Response ListFlavors(const Call& call) {
  const Query query(call.request->query);
  const Result<Conditions> conditions = ReadConditions(FlavorParameters(), query);
  const Result<PageRange> range = ReadPageRange(query);
  if (!conditions || !range) {
    return Fail(call, !conditions ? conditions.error() : range.error());
  }
  std::map<std::string, Json> by_name;
  for (const model::Flavor& flavor : model::Flavors()) {
    by_name.emplace(flavor.name, FlavorJson(flavor, call.caller.project));
  }
  std::vector<std::string> ids;
  std::map<std::string, Json> by_id;
  for (auto& [name, flavor] : by_name) {
    ids.push_back(flavor["id"].get<std::string>());
    by_id.emplace(ids.back(), std::move(flavor));
  }
  const Result<Page> page = CollectPage(ids, *range, [&](const std::string& id) {
    const Json& flavor = by_id.at(id);
    return Matches(flavor, *conditions) ? std::optional(flavor) : std::nullopt;
  });
  if (!page) {
    return Fail(call, page.error());
  }
  return JsonResponse(
      200,
      {{"flavors", page->items}, {"page_info", PageInfo(*page)}, {"request_id", call.request_id}});
}

/// With `loadbalancer_id` the zones that it could still get (api-v3.md 2.12).
Response ListZones(const control::Control& control, const Call& call) {
  const Query query(call.request->query);
  std::vector<std::string> taken;
  if (const auto id = query.First("loadbalancer_id")) {
    const auto shown = control.Show(call.caller, control::Resource::kLoadBalancer, "", *id);
    if (!shown) {
      return Fail(call, shown.error());
    }
    taken = (*shown->object)["availability_zone_list"].get<std::vector<std::string>>();
  }
  Json set = Json::array();
  const auto group = query.First("public_border_group");
  for (const std::string& code : control.node().availability_zones) {
    if ((group && *group != "center") || std::ranges::find(taken, code) != taken.end()) {
      continue;
    }
    set.push_back({{"code", code},
                   {"state", "ACTIVE"},
                   {"protocol", Json::array({"L4", "L7"})},
                   {"public_border_group", "center"},
                   {"category", 0}});
  }
  return JsonResponse(
      200, {{"availability_zones", Json::array({set})}, {"request_id", call.request_id}});
}

Response ListSystemPolicies(const Call& call) {
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

Response ShowQuotas(const control::Control& control, const Call& call) {
  const auto limit_of = [&](const model::QuotaDefault& quota) {
    return control::QuotaOf(control.node(), quota.key);
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
    return Unknown(call);
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
                       {"used", control.Used(call.caller, key)},
                       {"unit", "count"}});
  }
  return JsonResponse(200, {{"quotas", details}, {"request_id", call.request_id}});
}

}  // namespace

std::optional<Response> RouteCatalogue(const control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;
  const bool quotas = path[0] == "quotas";
  const bool flavors = path[0] == "flavors";
  const bool zones = path[0] == "availability-zones";
  if (!quotas && !flavors && !zones && path[0] != "system-security-policies") {
    return std::nullopt;
  }
  const std::size_t segments_max = quotas || flavors ? 2 : 1;
  if (path.size() > segments_max) {
    return Unknown(call);
  }
  if (!call.reads()) {
    return NotAllowed(call, "GET, HEAD");
  }
  if (quotas) {
    return ShowQuotas(control, call);
  }
  if (flavors) {
    return path.size() == 2 ? ShowFlavor(call) : ListFlavors(call);
  }
  return zones ? ListZones(control, call) : ListSystemPolicies(call);
}

}  // namespace elb::rest
