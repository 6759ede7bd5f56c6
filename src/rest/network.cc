#include "rest/network.h"

#include <nlohmann/json.hpp>

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

Response NoSuchObject() {
  return JsonResponse(404, {{"code", "VPC.0202"}, {"message", "the object does not exist"}});
}

}  // namespace

Response RouteNetwork(const control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;  // network v1 {project} kind [id]
  const bool vpcs = path[3] == "vpcs";
  if ((!vpcs && path[3] != "subnets") || path.size() > 5) {
    return NoSuchObject();
  }
  if (!call.reads()) {
    return JsonResponse(403, {{"code", "VPC.0007"}, {"message", "networks are configuration"}});
  }
  const Json list =
      vpcs ? VpcsOf(control.node()) : SubnetsOf(control.node(), Query(call.request->query));
  if (path.size() == 4) {
    return JsonResponse(200, {{path[3], list}});
  }
  for (const Json& object : list) {
    if (object["id"] == path[4]) {
      return JsonResponse(200, {{vpcs ? "vpc" : "subnet", object}});
    }
  }
  return NoSuchObject();
}

}  // namespace elb::rest
