#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/control.h"
#include "control/objects.h"
#include "control/rules.h"

namespace elb::control {

const model::Identity* IdentityOf(const State& state, Resource resource, const std::string& id) {
  const auto of = [&](const auto& table) -> const model::Identity* {
    const auto* object = table.Find(id);
    return object == nullptr ? nullptr : &object->identity;
  };
  switch (resource) {
    case Resource::kLoadBalancer:
      return of(state.load_balancers);
    case Resource::kListener:
      return of(state.listeners);
    case Resource::kPool:
      return of(state.pools);
    case Resource::kMember:
      return of(state.members);
    case Resource::kHealthMonitor:
      return of(state.monitors);
    case Resource::kCertificate:
      return of(state.certificates);
    case Resource::kIpGroup:
      return of(state.ip_groups);
    case Resource::kSecurityPolicy:
      return of(state.security_policies);
    case Resource::kLogtank:
      return of(state.logtanks);
    case Resource::kL7Policy:
      return of(state.l7_policies);
    case Resource::kL7Rule:
      return of(state.l7_rules);
  }
  return nullptr;
}

std::string ParentOf(const State& state, Resource resource, const std::string& id) {
  if (resource == Resource::kMember) {
    return state.members.Find(id)->pool_id;
  }
  return resource == Resource::kL7Rule ? state.l7_rules.Find(id)->l7policy_id : std::string();
}

std::string_view NameOf(Resource resource) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "loadbalancer", "listener",        "pool",    "member",   "healthmonitor", "certificate",
      "ipgroup",      "security_policy", "logtank", "l7policy", "rule"};
  return kNames[static_cast<std::size_t>(resource)];
}

namespace {

Json ShowObject(const State& state, const LiveState& live, const Caller& caller, Resource resource,
                const std::string& id) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return ShowLoadBalancer(state, *state.load_balancers.Find(id));
    case Resource::kListener:
      return ShowListener(state, *state.listeners.Find(id));
    case Resource::kPool:
      return ShowPool(state, *state.pools.Find(id));
    case Resource::kMember:
      return ShowMember(state, live, *state.members.Find(id));
    case Resource::kHealthMonitor:
      return ShowHealthMonitor(*state.monitors.Find(id));
    case Resource::kCertificate:
      return ShowCertificate(*state.certificates.Find(id), caller);
    case Resource::kIpGroup:
      return ShowIpGroup(state, *state.ip_groups.Find(id));
    case Resource::kSecurityPolicy:
      return ShowSecurityPolicy(state, *state.security_policies.Find(id));
    case Resource::kLogtank:
      return ShowLogtank(*state.logtanks.Find(id));
    case Resource::kL7Policy:
      return ShowL7Policy(state, *state.l7_policies.Find(id));
    case Resource::kL7Rule:
      return ShowL7Rule(state, *state.l7_rules.Find(id));
  }
  return nullptr;
}

/// A member in the project-wide list names its pool and load balancer (api-v3.md 2.4).
Json ShowListed(const State& state, Json shown, const model::Member& member) {
  const model::Pool* pool = state.pools.Find(member.pool_id);
  shown["pool_id"] = member.pool_id;
  shown["loadbalancer_id"] =
      pool->loadbalancer_id.empty() ? Json(nullptr) : Json(pool->loadbalancer_id);
  shown["loadbalancers"] = Json::array();
  if (!pool->loadbalancer_id.empty()) {
    shown["loadbalancers"].push_back({{"id", pool->loadbalancer_id}});
  }
  return shown;
}

/// Calls `visit` with the table of that kind.
template <typename Visit>
void WithTable(const State& state, Resource resource, const Visit& visit) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return visit(state.load_balancers);
    case Resource::kListener:
      return visit(state.listeners);
    case Resource::kPool:
      return visit(state.pools);
    case Resource::kMember:
      return visit(state.members);
    case Resource::kHealthMonitor:
      return visit(state.monitors);
    case Resource::kCertificate:
      return visit(state.certificates);
    case Resource::kIpGroup:
      return visit(state.ip_groups);
    case Resource::kSecurityPolicy:
      return visit(state.security_policies);
    case Resource::kLogtank:
      return visit(state.logtanks);
    case Resource::kL7Policy:
      return visit(state.l7_policies);
    case Resource::kL7Rule:
      return visit(state.l7_rules);
  }
}

/// The relation from an owner in `Selection` to its objects; empty: the kind has none.
std::string_view OwnerRelation(Resource resource) {
  switch (resource) {
    case Resource::kListener:
      return kListenersOfLoadBalancer;
    case Resource::kPool:
      return kPoolsOfLoadBalancer;
    case Resource::kMember:
      return kMembersOfPool;
    case Resource::kHealthMonitor:
      return kMonitorsOfPool;
    case Resource::kL7Policy:
      return kPoliciesOfListener;
    case Resource::kL7Rule:
      return kRulesOfPolicy;
    case Resource::kLoadBalancer:
    case Resource::kCertificate:
    case Resource::kIpGroup:
    case Resource::kSecurityPolicy:
      break;
    case Resource::kLogtank:
      return kLogtanksOfLoadBalancer;
  }
  return {};
}

/// Objects by their place in the order of creation.
using Found = std::map<std::uint64_t, std::string>;

/// Ids that a selection names itself or by owners: few, however many objects there are.
template <typename T>
Found Named(const State& state, const Table<T>& table, Resource resource,
            const Selection& selection) {
  Found found;
  for (const std::string& owner : selection.owners) {
    for (const auto& [sequence, id] : state.By(OwnerRelation(resource), owner)) {
      found.emplace(sequence, id);
    }
  }
  if (selection.ids.empty()) {
    return found;
  }
  Found ids;
  for (const std::string& id : selection.ids) {
    const std::uint64_t sequence = table.SequenceOf(id);
    if (sequence != 0 && (selection.owners.empty() || found.contains(sequence))) {
      ids.emplace(sequence, id);
    }
  }
  return ids;
}

}  // namespace

Result<Shown> Control::Represent(const Caller& caller, Resource resource,
                                 const std::string& id) const {
  const LiveState live{.data_plane = parts_.data_plane};
  const model::Identity* identity = IdentityOf(state_, resource, id);
  return Shown{
      .object = std::make_shared<const Json>(ShowObject(state_, live, caller, resource, id)),
      .revision = static_cast<std::uint64_t>(identity->revision)};
}

Result<Shown> Control::Show(const Caller& caller, Resource resource, const std::string& parent,
                            const std::string& id) const {
  ELB_RETURN_IF_ERROR(
      Check(caller, {.resource = resource, .parent = parent, .id = id}, std::nullopt));
  return Represent(caller, resource, id);
}

Result<std::vector<std::string>> Control::Select(const Caller& caller, Resource resource,
                                                 const std::string& parent,
                                                 const Selection& selection) const {
  Selection narrowed = selection;
  if (!parent.empty()) {
    const Resource owner = resource == Resource::kL7Rule ? Resource::kL7Policy : Resource::kPool;
    ELB_RETURN_IF_ERROR(
        Check(caller, {.resource = owner, .parent = {}, .id = parent}, std::nullopt));
    narrowed.owners = {parent};
  }
  std::vector<std::string> ids;
  WithTable(state_, resource, [&](const auto& table) {
    const auto admit = [&](const auto& object) {
      if (object.identity.project_id == caller.project &&
          (narrowed.names.empty() ||
           std::ranges::find(narrowed.names, NameIn(object)) != narrowed.names.end())) {
        ids.push_back(object.identity.id);
      }
    };
    if (narrowed.ids.empty() && narrowed.owners.empty()) {
      for (const auto& [sequence, object] : table.In(caller.project)) {
        admit(*object);
      }
      return;
    }
    for (const auto& [sequence, id] : Named(state_, table, resource, narrowed)) {
      admit(*table.Find(id));
    }
  });
  return ids;
}

Json Control::ShowItem(const Caller& caller, Resource resource, const std::string& parent,
                       const std::string& id) const {
  const LiveState live{.data_plane = parts_.data_plane};
  Json shown = ShowObject(state_, live, caller, resource, id);
  if (resource == Resource::kMember && parent.empty()) {
    return ShowListed(state_, std::move(shown), *state_.members.Find(id));
  }
  return shown;
}

bool Control::HasMember(Resource resource, const std::string& id,
                        const std::string& address) const {
  for (const auto& [sequence, member] : state_.By(kMembersOfAddress, AddressText(address))) {
    const std::string& pool = state_.members.Find(member)->pool_id;
    if (resource == Resource::kPool) {
      if (pool == id) {
        return true;
      }
      continue;
    }
    if (resource == Resource::kLoadBalancer && state_.pools.Find(pool)->loadbalancer_id == id) {
      return true;
    }
    const Referrers listeners = ListenersUsing(state_, pool);
    if (resource == Resource::kListener &&
        std::ranges::any_of(listeners, [&](const auto& user) { return user.second == id; })) {
      return true;
    }
  }
  return false;
}

Result<Json> Control::StatusTree(const Caller& caller, const std::string& id) const {
  ELB_RETURN_IF_ERROR(
      Check(caller, {.resource = Resource::kLoadBalancer, .parent = {}, .id = id}, std::nullopt));
  return ShowStatusTree(state_, {.data_plane = parts_.data_plane}, *state_.load_balancers.Find(id));
}

Result<Json> Control::ListenersOfIpGroup(const Caller& caller, const std::string& id) const {
  ELB_RETURN_IF_ERROR(
      Check(caller, {.resource = Resource::kIpGroup, .parent = {}, .id = id}, std::nullopt));
  return ShowListenersOfIpGroup(state_, id);
}

std::size_t Control::Used(const Caller& caller, std::string_view quota_key) const {
  return UsedOf(state_, caller.project, quota_key);
}

}  // namespace elb::control
