#include "rest/network.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;

Json VpcsOf(const control::NodeConfig& node) {
  return Json::array({{{"id", node.vpc_id},
                       {"name", node.vpc_name},
                       {"description", ""},
                       {"cidr", node.subnets.empty() ? "" : node.subnets.front().cidr},
                       {"status", "OK"},
                       {"routes", Json::array()},
                       {"enable_shared_snat", false},
                       {"enterprise_project_id", "0"}}});
}

Json SubnetsOf(const control::NodeConfig& node, const Query& query) {
  Json list = Json::array();
  const auto vpc = query.First("vpc_id");
  for (const control::SubnetConfig& subnet : node.subnets) {
    if (vpc && *vpc != subnet.vpc_id) {
      continue;
    }
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
  return list;
}

/// Who has the address bound; null: nobody.
const model::LoadBalancer* OwnerOf(const control::State& state, const model::Eip& eip) {
  const control::Referrers& owners =
      state.By(control::kLoadBalancersOfPublicAddress, eip.identity.id);
  return owners.empty() ? nullptr : state.load_balancers.Find(owners.begin()->second);
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

/// The bandwidth that an address was allocated with. Addresses of old stores have none of their
/// own: it is named like the address.
model::Bandwidth BandwidthOf(const model::Eip& eip) {
  if (eip.asked && eip.asked->bandwidth) {
    return *eip.asked->bandwidth;
  }
  return {.id = eip.identity.id,
          .name = {},
          .size = std::nullopt,
          .share_type = "PER",
          .charge_mode = "traffic"};
}

std::string TypeOf(const model::Eip& eip) { return eip.asked ? eip.asked->network_type : "5_bgp"; }

Json EipJson(const control::State& state, const model::Eip& eip) {
  const model::LoadBalancer* owner = OwnerOf(state, eip);
  const model::Bandwidth bandwidth = BandwidthOf(eip);
  return {{"id", eip.identity.id},
          {"status", owner == nullptr ? "DOWN" : "ACTIVE"},
          {"type", TypeOf(eip)},
          {"public_ip_address", eip.address},
          {"private_ip_address", TextOrNull(owner == nullptr ? "" : owner->vip_address)},
          {"port_id", TextOrNull(owner == nullptr ? "" : owner->vip_port_id)},
          {"tenant_id", eip.identity.project_id},
          {"create_time", eip.identity.created_at},
          {"bandwidth_id", bandwidth.id},
          {"bandwidth_name", bandwidth.name},
          {"bandwidth_size", bandwidth.size.value_or(0)},
          {"bandwidth_share_type", bandwidth.share_type.empty() ? "WHOLE" : bandwidth.share_type},
          {"ip_version", 4},
          {"alias", ""},
          {"enterprise_project_id", "0"}};
}

Json EipsOf(const control::State& state, const std::string& project) {
  Json list = Json::array();
  for (const auto& [sequence, eip] : state.eips.In(project)) {
    list.push_back(EipJson(state, *eip));
  }
  return list;
}

Json BandwidthsOf(const control::State& state, const std::string& project) {
  std::map<std::string, Json> by_id;
  Json list = Json::array();
  for (const auto& [sequence, eip] : state.eips.In(project)) {
    const model::Bandwidth bandwidth = BandwidthOf(*eip);
    const bool shared = bandwidth.share_type != "PER";
    const auto [entry, added] =
        by_id.try_emplace(bandwidth.id, Json{{"id", bandwidth.id},
                                             {"name", bandwidth.name},
                                             {"size", bandwidth.size.value_or(0)},
                                             {"share_type", shared ? "WHOLE" : "PER"},
                                             {"charge_mode", bandwidth.charge_mode},
                                             {"bandwidth_type", shared ? "share" : "bgp"},
                                             {"publicip_info", Json::array()},
                                             {"tenant_id", project},
                                             {"status", "NORMAL"},
                                             {"billing_info", ""},
                                             {"enterprise_project_id", "0"}});
    entry->second["publicip_info"].push_back({{"publicip_id", eip->identity.id},
                                              {"publicip_address", eip->address},
                                              {"publicipv6_address", nullptr},
                                              {"ip_version", 4},
                                              {"publicip_type", TypeOf(*eip)}});
  }
  for (auto& [id, bandwidth] : by_id) {
    list.push_back(std::move(bandwidth));
  }
  return list;
}

Response NoSuchObject() {
  return JsonResponse(404, {{"code", "VPC.0202"}, {"message", "the object does not exist"}});
}

Response ReleaseEip(control::Control& control, const Call& call) {
  const Result<void> released = control.ReleaseEip(call.caller, call.path[4]);
  if (released) {
    return {.status = 204, .body = {}};
  }
  return released.error().kind == ErrorKind::kNotFound
             ? NoSuchObject()
             : JsonResponse(500, {{"code", "VPC.0014"}, {"message", released.error().message}});
}

/// The objects behind `marker`, at most `limit`: clients page until a page is empty.
Json PageOf(const Json& list, const Query& query) {
  const std::string marker = query.First("marker").value_or("");
  const std::string text = query.First("limit").value_or("");
  std::size_t limit = list.size();
  std::from_chars(text.data(), text.data() + text.size(), limit);
  Json page = Json::array();
  bool behind = marker.empty();
  for (const Json& object : list) {
    if (behind && page.size() < limit) {
      page.push_back(object);
    }
    behind = behind || object["id"] == marker;
  }
  return page;
}

/// Objects of one kind, and the word for one of them; empty: there is no such kind.
struct Kind {
  std::string singular;
  Json list;
};

Kind KindAt(const control::Control& control, const Call& call) {
  const std::string& name = call.path[3];
  if (name == "vpcs") {
    return {.singular = "vpc", .list = VpcsOf(control.node())};
  }
  if (name == "subnets") {
    return {.singular = "subnet", .list = SubnetsOf(control.node(), Query(call.request->query))};
  }
  if (name == "publicips") {
    return {.singular = "publicip", .list = EipsOf(control.state(), call.caller.project)};
  }
  if (name == "bandwidths") {
    return {.singular = "bandwidth", .list = BandwidthsOf(control.state(), call.caller.project)};
  }
  return {};
}

}  // namespace

Response RouteNetwork(control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;  // network v1 {project} kind [id]
  if (call.request->method == "DELETE" && path[3] == "publicips" && path.size() == 5) {
    return ReleaseEip(control, call);
  }
  const Kind kind = KindAt(control, call);
  if (kind.singular.empty() || path.size() > 5) {
    return NoSuchObject();
  }
  if (!call.reads()) {
    return JsonResponse(403, {{"code", "VPC.0007"}, {"message", "networks are configuration"}});
  }
  if (path.size() == 4) {
    return JsonResponse(200, {{path[3], PageOf(kind.list, Query(call.request->query))}});
  }
  for (const Json& object : kind.list) {
    if (object["id"] == path[4]) {
      return JsonResponse(200, {{kind.singular, object}});
    }
  }
  return NoSuchObject();
}

}  // namespace elb::rest
