#include "control/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/catalogue.h"

namespace elb::control {

template <typename T>
Result<std::shared_ptr<const T>> Require(const State& state, const UseCase& use,
                                         const std::string& id, const std::string& path,
                                         ErrorKind missing) {
  auto found = state.Of<T>().Get(id);
  if (found == nullptr || found->identity.project_id != use.caller->project) {
    return Failure(missing, path, fmt::format("{} {} could not be found", KindName<T>::kText, id));
  }
  return found;
}

#define ELB_REQUIRE(T)                               \
  template Result<std::shared_ptr<const T>> Require( \
      const State&, const UseCase&, const std::string&, const std::string&, ErrorKind)
ELB_REQUIRE(model::LoadBalancer);
ELB_REQUIRE(model::Listener);
ELB_REQUIRE(model::Pool);
ELB_REQUIRE(model::Member);
ELB_REQUIRE(model::HealthMonitor);
ELB_REQUIRE(model::Certificate);
ELB_REQUIRE(model::IpGroup);
ELB_REQUIRE(model::SecurityPolicy);
ELB_REQUIRE(model::Logtank);
ELB_REQUIRE(model::L7Policy);
ELB_REQUIRE(model::L7Rule);
ELB_REQUIRE(model::Eip);
#undef ELB_REQUIRE

std::unexpected<Error> Blocked(std::string message, std::vector<Blocker> blockers) {
  constexpr std::size_t kBlockersMax = 50;
  Error error{.kind = ErrorKind::kConflict, .path = {}, .message = std::move(message)};
  error.blockers_total = blockers.size();
  blockers.resize(std::min(blockers.size(), kBlockersMax));
  error.blockers = std::move(blockers);
  return std::unexpected(std::move(error));
}

std::int64_t QuotaOf(const NodeConfig& node, std::string_view key) {
  if (const auto found = node.quotas.find(std::string(key)); found != node.quotas.end()) {
    return found->second;
  }
  const auto defaults = model::QuotaDefaults();
  const auto known = std::ranges::find(defaults, key, &model::QuotaDefault::key);
  return known == defaults.end() ? -1 : known->limit;
}

Result<void> CheckQuota(const NodeConfig& node, std::string_view key, std::size_t used) {
  const std::int64_t limit = QuotaOf(node, key);
  if (limit >= 0 && static_cast<std::int64_t>(used) >= limit) {
    return Failure(ErrorKind::kQuota, std::string(key),
                   fmt::format("quota exceeded: {} is limited to {}", key, limit));
  }
  return {};
}

namespace {

/// The most that any object of `owners` has by `relation`.
template <typename T>
std::size_t MostOf(const State& state, const std::map<std::uint64_t, T>& owners,
                   std::string_view relation) {
  std::size_t most = 0;
  for (const auto& [sequence, owner] : owners) {
    most = std::max(most, state.By(relation, owner->identity.id).size());
  }
  return most;
}

std::size_t LongestOf(const Table<model::IpGroup>::InOrder& groups) {
  std::size_t most = 0;
  for (const auto& [sequence, group] : groups) {
    most = std::max(most, group->ip_list.size());
  }
  return most;
}

std::size_t MostPools(const State& state, const std::string& project) {
  std::size_t most = 0;
  for (const auto& [sequence, policy] : state.l7_policies.In(project)) {
    most = std::max({most, policy->redirect_pools_config.size(),
                     policy->redirect_pool_id.empty() ? std::size_t{0} : std::size_t{1}});
  }
  return most;
}

std::size_t MostConditions(const State& state, const std::string& project) {
  std::size_t most = 0;
  for (const auto& [sequence, policy] : state.l7_policies.In(project)) {
    std::size_t conditions = 0;
    for (const auto& [order, id] : state.By(kRulesOfPolicy, policy->identity.id)) {
      conditions += std::max<std::size_t>(state.l7_rules.Find(id)->conditions.size(), 1);
    }
    most = std::max(most, conditions);
  }
  return most;
}

}  // namespace

std::size_t UsedOf(const State& state, const std::string& project, std::string_view key) {
  if (key == "loadbalancer") {
    return state.load_balancers.In(project).size();
  }
  if (key == "listener") {
    return state.listeners.In(project).size();
  }
  if (key == "pool") {
    return state.pools.In(project).size();
  }
  if (key == "member") {
    return state.members.In(project).size();
  }
  if (key == "healthmonitor") {
    return state.monitors.In(project).size();
  }
  if (key == "certificate") {
    return state.certificates.In(project).size();
  }
  if (key == "ipgroup") {
    return state.ip_groups.In(project).size();
  }
  if (key == "security_policy") {
    return state.security_policies.In(project).size();
  }
  if (key == "ipgroup_bindings") {
    return MostOf(state, state.ip_groups.In(project), kListenersOfIpGroup);
  }
  if (key == "ipgroup_max_length") {
    return LongestOf(state.ip_groups.In(project));
  }
  if (key == "ipgroups_per_listener") {
    return MostOf(state, state.ip_groups.In(project), kListenersOfIpGroup) > 0 ? 1 : 0;
  }
  if (key == "l7policy") {
    return state.l7_policies.In(project).size();
  }
  if (key == "l7policies_per_listener") {
    return MostOf(state, state.listeners.In(project), kPoliciesOfListener);
  }
  if (key == "pools_per_l7policy") {
    return MostPools(state, project);
  }
  if (key == "condition_per_policy") {
    return MostConditions(state, project);
  }
  if (key == "members_per_pool") {
    return MostOf(state, state.pools.In(project), kMembersOfPool);
  }
  if (key == "listeners_per_pool") {
    return MostOf(state, state.pools.In(project), kListenersOfPool);
  }
  if (key == "listeners_per_loadbalancer") {
    return MostOf(state, state.load_balancers.In(project), kListenersOfLoadBalancer);
  }
  return 0;
}

std::vector<Blocker> ListenersInTheWay(const State& state, const Referrers& listeners) {
  std::vector<Blocker> blockers;
  for (const auto& [sequence, id] : listeners) {
    blockers.push_back({.kind = "listener", .id = id, .name = state.listeners.Find(id)->name});
  }
  return blockers;
}

Json IdList(const Referrers& referrers) {
  Json list = Json::array();
  for (const auto& [sequence, id] : referrers) {
    list.push_back({{"id", id}});
  }
  return list;
}

void AddIdentity(const model::Identity& identity, Json& shown) {
  shown["id"] = identity.id;
  shown["project_id"] = identity.project_id;
  shown["created_at"] = identity.created_at;
  shown["updated_at"] = identity.updated_at;
  shown["extensions"]["revision"] = identity.revision;
  shown["extensions"]["managed_by"] = "";
}

model::Kind KindOfPool(const State& state, const model::Pool& pool) {
  const model::LoadBalancer* balancer = state.load_balancers.Find(pool.loadbalancer_id);
  return balancer == nullptr ? model::Kind::kDedicated : balancer->kind();
}

Result<void> CheckProject(const UseCase& use, const Json& body, const std::string& name) {
  const auto found = body.find("project_id");
  if (found != body.end() && !found->is_null() &&
      (!found->is_string() || found->get<std::string>() != use.caller->project)) {
    return Invalid(name + ".project_id", "project_id must be the project of the call");
  }
  return {};
}

namespace {

/// May a group that had no load balancer become one of `balancer`'s?
Result<void> CheckJoins(const State& state, const model::Pool& pool,
                        const model::LoadBalancer& balancer, const std::string& path) {
  if (!pool.vpc_id.empty() && pool.vpc_id != balancer.vpc_id) {
    return Invalid(path, "the backend server group lies in another VPC");
  }
  model::Pool joined = pool;
  joined.loadbalancer_id = balancer.identity.id;
  if (Result<void> fits = CheckPool(joined, &pool, balancer.kind(), {}); !fits) {
    fits.error().path = path;
    fits.error().details.clear();
    return fits;
  }
  for (const auto& [sequence, id] : state.By(kMonitorsOfPool, pool.identity.id)) {
    const std::string& type = state.monitors.Find(id)->type;
    if (!model::MonitorFitsPool(type, pool.protocol, balancer.kind())) {
      return Invalid(path, fmt::format("the backend server group has a {} health check", type));
    }
  }
  return {};
}

}  // namespace

namespace {

/// Whoever else uses the pool.
Result<void> CheckPoolFree(const State& state, const PoolUse& as, const std::string& pool_id) {
  std::vector<Blocker> users;
  for (const auto& [sequence, id] : state.By(kListenersOfPool, pool_id)) {
    if (!as.policy_id.empty() || id != as.listener->identity.id) {
      users.push_back({.kind = "listener", .id = id, .name = state.listeners.Find(id)->name});
    }
  }
  for (const auto& [sequence, id] : state.By(kPoliciesOfPool, pool_id)) {
    if (id != as.policy_id) {
      users.push_back({.kind = "l7policy", .id = id, .name = state.l7_policies.Find(id)->name});
    }
  }
  if (!users.empty()) {
    return Blocked("the backend server group is in use by another listener or policy",
                   std::move(users));
  }
  return {};
}

}  // namespace

Result<void> CheckPoolUse(const State& state, const UseCase& use, const PoolUse& as,
                          const std::string& pool_id) {
  ELB_ASSIGN_OR_RETURN(const auto pool, Require<model::Pool>(state, use, pool_id, as.path,
                                                             ErrorKind::kReferenceNotFound));
  const model::Listener& listener = *as.listener;
  const model::LoadBalancer* balancer = state.load_balancers.Find(listener.loadbalancer_id);
  if (!pool->loadbalancer_id.empty() && pool->loadbalancer_id != listener.loadbalancer_id) {
    return Invalid(as.path, "the backend server group belongs to another load balancer");
  }
  if (!model::PoolFitsListener(listener.protocol, pool->protocol, balancer->kind())) {
    return Invalid(as.path, fmt::format("a {} listener cannot use a {} backend server group",
                                        listener.protocol, pool->protocol));
  }
  if (pool->loadbalancer_id.empty()) {  // It joins this load balancer and must suit it.
    ELB_RETURN_IF_ERROR(CheckJoins(state, *pool, *balancer, as.path));
  }
  return CheckPoolFree(state, as, pool_id);
}

void AdoptPool(Draft& draft, const model::Listener& listener, const std::string& pool_id) {
  const auto pool = draft.state().pools.Get(pool_id);
  if (pool != nullptr && pool->loadbalancer_id.empty()) {
    model::Pool adopted = *pool;
    adopted.loadbalancer_id = listener.loadbalancer_id;
    draft.Update(std::move(adopted));
  }
}

Referrers ListenersUsing(const State& state, const std::string& pool_id) {
  Referrers listeners = state.By(kListenersOfPool, pool_id);
  for (const auto& [sequence, id] : state.By(kPoliciesOfPool, pool_id)) {
    const std::string& listener = state.l7_policies.Find(id)->listener_id;
    listeners.emplace(state.listeners.SequenceOf(listener), listener);
  }
  return listeners;
}

void RemovePolicy(Draft& draft, const std::string& id) {
  const Referrers rules = draft.state().By(kRulesOfPolicy, id);
  for (const auto& [sequence, rule] : rules) {
    draft.Delete<model::L7Rule>(rule);
  }
  draft.Delete<model::L7Policy>(id);
}

void RemovePool(Draft& draft, const std::string& id) {
  const Referrers members = draft.state().By(kMembersOfPool, id);
  for (const auto& [sequence, member] : members) {
    draft.Delete<model::Member>(member);
  }
  const Referrers monitors = draft.state().By(kMonitorsOfPool, id);
  for (const auto& [sequence, monitor] : monitors) {
    draft.Delete<model::HealthMonitor>(monitor);
  }
  draft.Delete<model::Pool>(id);
}

const SubnetConfig* FindSubnet(const NodeConfig& node, const std::string& id) {
  for (const SubnetConfig& subnet : node.subnets) {
    if (subnet.subnet_id == id || subnet.network_id == id) {
      return &subnet;
    }
  }
  return nullptr;
}

}  // namespace elb::control
