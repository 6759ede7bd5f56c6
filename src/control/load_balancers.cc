#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/addresses.h"
#include "control/rules.h"
#include "control/services.h"
#include "model/catalogue.h"

namespace elb::control {
namespace {

using model::LoadBalancer;

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

/// Downstream subnets: known, of the load balancer's VPC, and still there when members need them.
Result<void> CheckSubnets(const State& state, const UseCase& use, const LoadBalancer& balancer,
                          const LoadBalancer* before) {
  for (std::size_t i = 0; i < balancer.elb_virsubnet_ids.size(); ++i) {
    const std::string path = fmt::format("loadbalancer.elb_virsubnet_ids[{}]", i);
    const std::string& id = balancer.elb_virsubnet_ids[i];
    const SubnetConfig* subnet = FindSubnet(*use.node, id);
    if (subnet == nullptr) {
      return Failure(ErrorKind::kReferenceNotFound, path,
                     fmt::format("subnet {} could not be found", id));
    }
    if (subnet->vpc_id != balancer.vpc_id) {
      return Invalid(path, "the subnet lies in another VPC");
    }
  }
  const auto names = [&](const LoadBalancer& lister, const SubnetConfig* subnet) {
    return std::ranges::any_of(lister.elb_virsubnet_ids, [&](const std::string& id) {
      return FindSubnet(*use.node, id) == subnet;
    });
  };
  const auto listed = [&](const SubnetConfig* subnet) {
    return subnet == nullptr || names(balancer, subnet);
  };
  const SubnetConfig* own = FindSubnet(*use.node, balancer.vip_subnet_cidr_id);
  if (before != nullptr && names(*before, own) && !listed(own)) {
    return Conflict("loadbalancer.elb_virsubnet_ids",
                    "the subnet of the load balancer's own address cannot be dropped");
  }
  std::vector<Blocker> members;
  for (const auto& [sequence, pool] : state.By(kPoolsOfLoadBalancer, balancer.identity.id)) {
    for (const auto& [order, id] : state.By(kMembersOfPool, pool)) {
      const model::Member* member = state.members.Find(id);
      if (!member->subnet_cidr_id.empty() &&
          !listed(FindSubnet(*use.node, member->subnet_cidr_id))) {
        members.push_back({.kind = "member", .id = id, .name = member->name});
      }
    }
  }
  if (!members.empty()) {
    return Blocked("servers of the load balancer lie in a subnet that would be dropped",
                   std::move(members));
  }
  return {};
}

void ChooseSubnets(const NodeConfig& node, LoadBalancer& balancer) {
  if (!balancer.elb_virsubnet_ids.empty()) {
    return;
  }
  const SubnetConfig* subnet = FindSubnet(node, balancer.vip_subnet_cidr_id);
  if (subnet == nullptr) {
    const auto any = std::ranges::find(node.subnets, balancer.vpc_id, &SubnetConfig::vpc_id);
    subnet = any == node.subnets.end() ? nullptr : &*any;
  }
  if (subnet != nullptr) {
    balancer.elb_virsubnet_ids = {subnet->network_id};
  }
}

bool HasMembers(const State& state, const std::string& balancer) {
  return std::ranges::any_of(state.By(kPoolsOfLoadBalancer, balancer), [&](const auto& pool) {
    return !state.By(kMembersOfPool, pool.second).empty();
  });
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
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "loadbalancer"));
  ELB_RETURN_IF_ERROR(CheckLoadBalancer(balancer, nullptr));
  ELB_RETURN_IF_ERROR(CheckZones(*use.node, balancer));
  if (!balancer.vpc_id.empty() && balancer.vpc_id != use.node->vpc_id) {
    return Failure(ErrorKind::kReferenceNotFound, "loadbalancer.vpc_id",
                   fmt::format("VPC {} could not be found", balancer.vpc_id));
  }
  ELB_RETURN_IF_ERROR(ChooseFlavors(balancer));
  ELB_RETURN_IF_ERROR(CheckIpv6(*use.node, balancer));
  ELB_RETURN_IF_ERROR(CheckQuota(*use.node, "loadbalancer",
                                 draft.state().load_balancers.In(use.caller->project).size()));
  ELB_RETURN_IF_ERROR(AssignAddress(draft, use, {.balancer = &balancer, .before = nullptr}, given));
  ELB_RETURN_IF_ERROR(BindPublicAddress(draft, use, balancer));
  ChooseSubnets(*use.node, balancer);
  ELB_RETURN_IF_ERROR(CheckSubnets(draft.state(), use, balancer, nullptr));
  ClearUnusedReason(balancer);
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
  if (use.shared) {
    after.l4_flavor_id.clear();
    after.l7_flavor_id.clear();
  }
  ELB_RETURN_IF_ERROR(CheckLoadBalancer(after, before.get()));
  ELB_RETURN_IF_ERROR(CheckFlavor(after.l4_flavor_id, "L4", "loadbalancer.l4_flavor_id"));
  ELB_RETURN_IF_ERROR(CheckFlavor(after.l7_flavor_id, "L7", "loadbalancer.l7_flavor_id"));
  ClearUnusedReason(after);
  ELB_RETURN_IF_ERROR(CheckIpv6(*use.node, after));
  ELB_RETURN_IF_ERROR(
      AssignAddress(draft, use, {.balancer = &after, .before = before.get()}, given));
  if (after.elb_virsubnet_ids != before->elb_virsubnet_ids) {
    ChooseSubnets(*use.node, after);
    ELB_RETURN_IF_ERROR(CheckSubnets(draft.state(), use, after, before.get()));
  }
  if (!after.vip_address.empty() && after.vip_port_id.empty()) {
    after.vip_port_id = NewUuid(draft.random());
  }
  draft.Update(std::move(after));
  return {};
}

namespace {

/// A log does not outlive its load balancer (api-v3.md 2.1).
void DeleteWithLog(Draft& draft, const std::string& id) {
  const Referrers logtanks = draft.state().By(kLogtanksOfLoadBalancer, id);
  for (const auto& [sequence, logtank] : logtanks) {
    draft.Delete<model::Logtank>(logtank);
  }
  draft.Delete<LoadBalancer>(id);
}

}  // namespace

Result<void> DeleteLoadBalancer(Draft& draft, UseCase& use, const std::string& id) {
  ELB_ASSIGN_OR_RETURN(const auto balancer,
                       Require<LoadBalancer>(draft.state(), use, id, "", ErrorKind::kNotFound));
  use.shared = !balancer->guaranteed;
  if (balancer->deletion_protection_enable) {
    return Conflict("", "deletion protection is on");
  }
  std::vector<Blocker> users = Users(draft.state(), *balancer);
  if (!users.empty()) {
    auto blocked =
        Blocked("the load balancer still has listeners or backend server groups", std::move(users));
    if (HasMembers(draft.state(), id)) {
      blocked.error().kind = ErrorKind::kHasMembers;
    }
    return blocked;
  }
  DeleteWithLog(draft, id);
  return {};
}

Result<void> ForceDeleteLoadBalancer(Draft& draft, UseCase& use, const std::string& id,
                                     DeleteMode mode) {
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
    const Referrers policies = state.By(kPoliciesOfListener, listener);
    for (const auto& [order, policy] : policies) {
      RemovePolicy(draft, policy);
    }
    draft.Delete<model::Listener>(listener);
  }
  for (const auto& [sequence, pool_id] : pools) {
    RemovePool(draft, pool_id);
  }
  DeleteWithLog(draft, id);
  if (mode == DeleteMode::kForceAndRelease && !balancer->eip_id.empty()) {
    ReleasePublicAddress(draft, balancer->eip_id);
  }
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
  for (const auto& [sequence, id] : state.By(kLogtanksOfLoadBalancer, balancer.identity.id)) {
    const model::Logtank* logtank = state.logtanks.Find(id);
    shown["log_group_id"] = logtank->log_group_id;
    shown["log_topic_id"] = logtank->log_topic_id;
  }
  shown["public_border_group"] = "center";
  shown["enterprise_project_id"] = "0";
  AddIdentity(balancer.identity, shown);
  return shown;
}

}  // namespace elb::control
