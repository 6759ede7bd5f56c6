#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "control/rules.h"
#include "control/services.h"
#include "model/catalogue.h"

namespace elb::control {
namespace {

using model::LoadBalancer;

IpAddress NextAddress(const IpAddress& address) {
  auto bytes = address.bytes();
  for (std::size_t i = 4; i-- > 0;) {
    if (++bytes[i] != 0) {
      break;
    }
  }
  return IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

/// Network, broadcast and gateway addresses are nobody's.
bool IsReserved(const IpAddress& address, const SubnetConfig& subnet) {
  const auto& last = address.bytes()[3];
  return last == 0 || last == 255 || address.ToString() == subnet.gateway;
}

Result<std::string> FreeAddress(const State& state, const NodeConfig& node,
                                const SubnetConfig& subnet) {
  const auto prefix = IpPrefix::Parse(subnet.cidr);
  auto candidate = IpAddress::Parse(node.first_vip);
  if (!prefix) {
    return Internal("the subnet's range cannot be read");
  }
  if (!candidate || !prefix->Contains(*candidate)) {
    candidate = NextAddress(prefix->address);
  }
  for (int tries = 0; tries < 1'000'000 && prefix->Contains(*candidate); ++tries) {
    const std::string text = candidate->ToString();
    if (!IsReserved(*candidate, subnet) && state.By(kLoadBalancersOfAddress, text).empty()) {
      return text;
    }
    candidate = NextAddress(*candidate);
  }
  return Invalid("loadbalancer.vip_subnet_cidr_id", "the subnet has no free address left");
}

Result<void> AssignAddress(const State& state, const UseCase& use, LoadBalancer& balancer,
                           const LoadBalancer* before) {
  const bool moved = before == nullptr || before->vip_subnet_cidr_id != balancer.vip_subnet_cidr_id;
  if (balancer.vip_subnet_cidr_id.empty()) {
    if (!balancer.vip_address.empty() && before == nullptr) {
      return Invalid("loadbalancer.vip_address", "vip_address needs vip_subnet_cidr_id");
    }
    balancer.vip_address.clear();
    balancer.vip_port_id.clear();
    return {};
  }
  const SubnetConfig* subnet = FindSubnet(*use.node, balancer.vip_subnet_cidr_id);
  if (subnet == nullptr) {
    return Failure(ErrorKind::kReferenceNotFound, "loadbalancer.vip_subnet_cidr_id",
                   fmt::format("subnet {} could not be found", balancer.vip_subnet_cidr_id));
  }
  if (!balancer.vpc_id.empty() && balancer.vpc_id != subnet->vpc_id) {
    return Invalid("loadbalancer.vip_subnet_cidr_id", "the subnet lies in another VPC");
  }
  balancer.vpc_id = subnet->vpc_id;
  const bool asked = !balancer.vip_address.empty() &&
                     (before == nullptr || before->vip_address != balancer.vip_address);
  if (asked) {
    const auto address = IpAddress::Parse(balancer.vip_address);
    const auto prefix = IpPrefix::Parse(subnet->cidr);
    if (!address || address->family() != IpFamily::kV4 || !prefix->Contains(*address) ||
        IsReserved(*address, *subnet)) {
      return Invalid("loadbalancer.vip_address",
                     fmt::format("vip_address must be a usable IPv4 address of {}", subnet->cidr));
    }
    if (!state.By(kLoadBalancersOfAddress, address->ToString()).empty()) {
      return Conflict("loadbalancer.vip_address",
                      fmt::format("address {} is in use", balancer.vip_address));
    }
    balancer.vip_address = address->ToString();
  } else if (moved || balancer.vip_address.empty()) {
    ELB_ASSIGN_OR_RETURN(balancer.vip_address, FreeAddress(state, *use.node, *subnet));
  }
  return {};
}

Result<void> CheckFlavor(const std::string& id, std::string_view layer, const std::string& path) {
  if (id.empty()) {
    return {};
  }
  const model::Flavor* flavor = model::FindFlavor(id);
  if (flavor == nullptr) {
    return Failure(ErrorKind::kReferenceNotFound, path,
                   fmt::format("flavor {} could not be found", id));
  }
  if (!flavor->type.starts_with(layer)) {
    return Invalid(path, fmt::format("flavor {} is not of type {}", flavor->name, layer));
  }
  return {};
}

std::string FlavorId(std::string_view name) {
  const auto all = model::Flavors();
  const auto found = std::ranges::find(all, name, &model::Flavor::name);
  return found == all.end() ? std::string() : std::string(found->id);
}

Result<void> ChooseFlavors(LoadBalancer& balancer) {
  if (!balancer.guaranteed) {
    balancer.l4_flavor_id.clear();
    balancer.l7_flavor_id.clear();
    return {};
  }
  ELB_RETURN_IF_ERROR(CheckFlavor(balancer.l4_flavor_id, "L4", "loadbalancer.l4_flavor_id"));
  ELB_RETURN_IF_ERROR(CheckFlavor(balancer.l7_flavor_id, "L7", "loadbalancer.l7_flavor_id"));
  if (balancer.l4_flavor_id.empty() && balancer.l7_flavor_id.empty()) {
    balancer.l4_flavor_id = FlavorId(model::kDefaultL4Flavor);
    balancer.l7_flavor_id = FlavorId(model::kDefaultL7Flavor);
  }
  return {};
}

Result<void> CheckZones(const NodeConfig& node, const LoadBalancer& balancer) {
  const std::string path = "loadbalancer.availability_zone_list";
  for (const std::string& zone : balancer.availability_zone_list) {
    if (std::ranges::find(node.availability_zones, zone) == node.availability_zones.end()) {
      return Invalid(path, fmt::format("availability zone {} does not exist", zone));
    }
  }
  return {};
}

/// The public address that `publicip_ids` names cannot be bound: all there are belong to load
/// balancers.
Result<void> RefusePublicAddress(const State& state, const UseCase& use, const std::string& id) {
  const std::string path = "loadbalancer.publicip_ids[0]";
  for (const auto& [sequence, other] : state.load_balancers.in_order()) {
    if (other->eip_id == id && other->identity.project_id == use.caller->project) {
      return Conflict(path, fmt::format("public address {} is bound already", id));
    }
  }
  return Failure(ErrorKind::kReferenceNotFound, path,
                 fmt::format("public address {} could not be found", id));
}

/// Allocates or binds a public address (api-v3.md 2.1, `publicip`, `publicip_ids`).
Result<void> BindPublicAddress(Draft& draft, const UseCase& use, LoadBalancer& balancer) {
  if (!balancer.publicip_ids.empty()) {
    return RefusePublicAddress(draft.state(), use, balancer.publicip_ids.front());
  }
  if (!balancer.publicip) {
    return {};
  }
  std::set<std::string> used;
  for (const auto& [sequence, other] : draft.state().load_balancers.in_order()) {
    used.insert(other->eip_address);
  }
  auto candidate = IpAddress::Parse(use.node->first_eip);
  while (candidate && used.contains(candidate->ToString())) {
    candidate = NextAddress(*candidate);
  }
  if (!candidate) {
    return Internal("the node has no public addresses");
  }
  balancer.eip_address = candidate->ToString();
  balancer.eip_id = NewUuid(draft.random());
  balancer.publicip.reset();
  return {};
}

void ChooseSubnets(const NodeConfig& node, LoadBalancer& balancer) {
  if (!balancer.elb_virsubnet_ids.empty()) {
    return;
  }
  const SubnetConfig* subnet = FindSubnet(node, balancer.vip_subnet_cidr_id);
  if (subnet == nullptr && !node.subnets.empty()) {
    subnet = &node.subnets.front();
  }
  if (subnet != nullptr) {
    balancer.elb_virsubnet_ids = {subnet->network_id};
  }
}

std::vector<Blocker> Users(const State& state, const LoadBalancer& balancer) {
  std::vector<Blocker> blockers;
  for (const auto& [sequence, id] : state.By(kListenersOfLoadBalancer, balancer.identity.id)) {
    blockers.push_back({.kind = "listener", .id = id, .name = state.listeners.Find(id)->name});
  }
  for (const auto& [sequence, id] : state.By(kPoolsOfLoadBalancer, balancer.identity.id)) {
    blockers.push_back({.kind = "pool", .id = id, .name = state.pools.Find(id)->name});
  }
  return blockers;
}

}  // namespace

Result<std::string> CreateLoadBalancer(Draft& draft, UseCase& use, const Json& body) {
  LoadBalancer balancer;
  use.shared = body.is_object() && body.value("guaranteed", Json(true)) == Json(false);
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::LoadBalancerSchema(), body, &balancer));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "loadbalancer"));
  ELB_RETURN_IF_ERROR(CheckQuota(*use.node, "loadbalancer",
                                 CountIn(draft.state().load_balancers, use.caller->project)));
  ELB_RETURN_IF_ERROR(CheckLoadBalancer(balancer, nullptr));
  ELB_RETURN_IF_ERROR(CheckZones(*use.node, balancer));
  if (!balancer.vpc_id.empty() && balancer.vpc_id != use.node->vpc_id) {
    return Failure(ErrorKind::kReferenceNotFound, "loadbalancer.vpc_id",
                   fmt::format("VPC {} could not be found", balancer.vpc_id));
  }
  ELB_RETURN_IF_ERROR(ChooseFlavors(balancer));
  ELB_RETURN_IF_ERROR(AssignAddress(draft.state(), use, balancer, nullptr));
  ELB_RETURN_IF_ERROR(BindPublicAddress(draft, use, balancer));
  ChooseSubnets(*use.node, balancer);
  balancer.identity.id = NewUuid(draft.random());
  balancer.identity.project_id = use.caller->project;
  if (!balancer.vip_address.empty()) {
    balancer.vip_port_id = NewUuid(draft.random());
  }
  std::string id = balancer.identity.id;
  draft.Create(std::move(balancer));
  return id;
}

Result<void> UpdateLoadBalancer(Draft& draft, UseCase& use, const std::string& id,
                                const Json& body) {
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<LoadBalancer>(draft.state(), use, id, "", ErrorKind::kNotFound));
  use.shared = !before->guaranteed;
  LoadBalancer after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::LoadBalancerSchema(), body, &after));
  static_cast<void>(given);
  if (use.shared) {
    after.l4_flavor_id.clear();
    after.l7_flavor_id.clear();
  }
  ELB_RETURN_IF_ERROR(CheckLoadBalancer(after, before.get()));
  ELB_RETURN_IF_ERROR(CheckFlavor(after.l4_flavor_id, "L4", "loadbalancer.l4_flavor_id"));
  ELB_RETURN_IF_ERROR(CheckFlavor(after.l7_flavor_id, "L7", "loadbalancer.l7_flavor_id"));
  if (after.protection_status == "nonProtection") {
    after.protection_reason.clear();
  }
  ELB_RETURN_IF_ERROR(AssignAddress(draft.state(), use, after, before.get()));
  if (!after.vip_address.empty() && after.vip_port_id.empty()) {
    after.vip_port_id = NewUuid(draft.random());
  }
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteLoadBalancer(Draft& draft, UseCase& use, const std::string& id) {
  ELB_ASSIGN_OR_RETURN(const auto balancer,
                       Require<LoadBalancer>(draft.state(), use, id, "", ErrorKind::kNotFound));
  use.shared = !balancer->guaranteed;
  if (balancer->deletion_protection_enable) {
    return Conflict("", "deletion protection is on");
  }
  std::vector<Blocker> users = Users(draft.state(), *balancer);
  if (!users.empty()) {
    return Blocked("the load balancer still has listeners or backend server groups",
                   std::move(users));
  }
  draft.Delete<LoadBalancer>(id);
  return {};
}

Result<void> ForceDeleteLoadBalancer(Draft& draft, UseCase& use, const std::string& id) {
  ELB_ASSIGN_OR_RETURN(const auto balancer,
                       Require<LoadBalancer>(draft.state(), use, id, "", ErrorKind::kNotFound));
  use.shared = !balancer->guaranteed;
  const State& state = draft.state();
  if (balancer->deletion_protection_enable) {
    return Conflict("", "deletion protection is on");
  }
  const Referrers pools = state.By(kPoolsOfLoadBalancer, id);
  for (const auto& [sequence, pool_id] : pools) {
    const model::Pool* pool = state.pools.Find(pool_id);
    if (pool->member_deletion_protection_enable) {
      return Blocked("removal protection of a backend server group is on",
                     {{.kind = "pool", .id = pool_id, .name = pool->name}});
    }
  }
  const Referrers listeners = state.By(kListenersOfLoadBalancer, id);
  for (const auto& [sequence, listener] : listeners) {
    draft.Delete<model::Listener>(listener);
  }
  for (const auto& [sequence, pool_id] : pools) {
    const Referrers members = state.By(kMembersOfPool, pool_id);
    for (const auto& [order, member] : members) {
      draft.Delete<model::Member>(member);
    }
    const Referrers monitors = state.By(kMonitorsOfPool, pool_id);
    for (const auto& [order, monitor] : monitors) {
      draft.Delete<model::HealthMonitor>(monitor);
    }
    draft.Delete<model::Pool>(pool_id);
  }
  draft.Delete<LoadBalancer>(id);
  return {};
}

Json ShowLoadBalancer(const State& state, const LoadBalancer& balancer) {
  Json shown = ShownFields(balancer);
  shown["provisioning_status"] = "ACTIVE";
  shown["operating_status"] = "ONLINE";
  shown["ipv6_vip_address"] = nullptr;
  shown["ipv6_vip_port_id"] = nullptr;
  shown["listeners"] = IdList(state.By(kListenersOfLoadBalancer, balancer.identity.id));
  shown["pools"] = IdList(state.By(kPoolsOfLoadBalancer, balancer.identity.id));
  shown["eips"] = Json::array();
  shown["publicips"] = Json::array();
  if (!balancer.eip_address.empty()) {
    shown["eips"].push_back(
        {{"eip_id", balancer.eip_id}, {"eip_address", balancer.eip_address}, {"ip_version", 4}});
    shown["publicips"].push_back({{"publicip_id", balancer.eip_id},
                                  {"publicip_address", balancer.eip_address},
                                  {"ip_version", 4}});
  }
  shown["elb_virsubnet_type"] = "ipv4";
  for (const char* field : {"l4_scale_flavor_id", "l7_scale_flavor_id", "frozen_scene",
                            "billing_info", "log_group_id", "log_topic_id"}) {
    shown[field] = nullptr;
  }
  shown["public_border_group"] = "center";
  shown["enterprise_project_id"] = "0";
  AddIdentity(balancer.identity, shown);
  return shown;
}

}  // namespace elb::control
