#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "control/rules.h"
#include "control/services.h"
#include "model/catalogue.h"

namespace elb::control {
namespace {

using model::Pool;

/// Finds the load balancer and listener that a new pool is for (api-v3.md 2.3).
Result<std::shared_ptr<const model::Listener>> Attach(const State& state, UseCase& use,
                                                      Pool& pool) {
  std::shared_ptr<const model::Listener> listener;
  if (!pool.listener_id.empty()) {
    ELB_ASSIGN_OR_RETURN(listener,
                         Require<model::Listener>(state, use, pool.listener_id, "pool.listener_id",
                                                  ErrorKind::kReferenceNotFound));
    if (!pool.loadbalancer_id.empty() && pool.loadbalancer_id != listener->loadbalancer_id) {
      return Invalid("pool.listener_id", "the listener belongs to another load balancer");
    }
    pool.loadbalancer_id = listener->loadbalancer_id;
  }
  if (!pool.loadbalancer_id.empty()) {
    ELB_ASSIGN_OR_RETURN(
        const auto balancer,
        Require<model::LoadBalancer>(state, use, pool.loadbalancer_id, "pool.loadbalancer_id",
                                     ErrorKind::kReferenceNotFound));
    use.shared = !balancer->guaranteed;
  }
  return listener;
}

Result<void> CheckListenerFree(const State& state, const model::Listener& listener,
                               const Pool& pool) {
  const model::LoadBalancer* balancer = state.load_balancers.Find(listener.loadbalancer_id);
  if (!model::PoolFitsListener(listener.protocol, pool.protocol, balancer->kind())) {
    return Failure(ErrorKind::kRestricted, "pool.protocol",
                   fmt::format("a {} listener cannot use a {} backend server group",
                               listener.protocol, pool.protocol));
  }
  if (!listener.default_pool_id.empty()) {
    const Pool* used = state.pools.Find(listener.default_pool_id);
    return Blocked("the listener has a backend server group already",
                   {{.kind = "pool",
                     .id = listener.default_pool_id,
                     .name = used != nullptr ? used->name : ""}});
  }
  return {};
}

/// Is the load balancer that a request names, itself or by a listener, a shared one? Some codes
/// depend on it even when the rest of the request cannot be read.
bool NamesShared(const State& state, const UseCase& use, const Json& body) {
  const auto text = [&](const char* name) {
    const Json value = body.is_object() ? body.value(name, Json()) : Json();
    return value.is_string() ? value.get<std::string>() : std::string();
  };
  std::string id = text("loadbalancer_id");
  if (const model::Listener* listener = state.listeners.Find(text("listener_id"))) {
    id = listener->loadbalancer_id;
  }
  const model::LoadBalancer* balancer = state.load_balancers.Find(id);
  return balancer != nullptr && balancer->identity.project_id == use.caller->project &&
         !balancer->guaranteed;
}

/// `vpc_id` names a known VPC, that of the load balancer (api-v3.md 2.3).
Result<void> CheckVpc(const State& state, const UseCase& use, const Pool& pool) {
  if (pool.vpc_id.empty()) {
    return {};
  }
  const model::LoadBalancer* balancer = state.load_balancers.Find(pool.loadbalancer_id);
  if (pool.vpc_id != use.node->vpc_id) {
    return Failure(ErrorKind::kReferenceNotFound, "pool.vpc_id",
                   fmt::format("VPC {} could not be found", pool.vpc_id));
  }
  if (balancer != nullptr && balancer->vpc_id != pool.vpc_id) {
    return Invalid("pool.vpc_id", "the load balancer lies in another VPC");
  }
  return {};
}

}  // namespace

Result<std::string> CreatePool(Draft& draft, UseCase& use, const Json& body) {
  Pool pool;
  const State& state = draft.state();
  use.shared = NamesShared(state, use, body);
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::PoolSchema(), body, &pool));
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "pool"));
  ELB_ASSIGN_OR_RETURN(const auto listener, Attach(state, use, pool));
  ELB_RETURN_IF_ERROR(CheckPool(pool, nullptr, KindOfPool(state, pool), given));
  ELB_RETURN_IF_ERROR(CheckVpc(state, use, pool));
  ELB_RETURN_IF_ERROR(CheckQuota(*use.node, "pool", state.pools.In(use.caller->project).size()));
  if (listener != nullptr) {
    ELB_RETURN_IF_ERROR(CheckListenerFree(state, *listener, pool));
  }
  pool.listener_id.clear();
  ClearUnusedReason(pool);
  pool.identity.id = NewUuid(draft.random());
  pool.identity.project_id = use.caller->project;
  std::string id = pool.identity.id;
  draft.Create(std::move(pool));
  if (listener != nullptr) {
    model::Listener bound = *listener;
    bound.default_pool_id = id;
    draft.Update(std::move(bound));
  }
  return id;
}

Result<void> UpdatePool(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before, Require<Pool>(state, use, id, "", ErrorKind::kNotFound));
  const model::Kind kind = KindOfPool(state, *before);
  use.shared = kind == model::Kind::kShared;
  Pool after = *before;
  // Sent back, the listener must be one of those that the pool serves.
  for (const auto& [sequence, listener] : ListenersUsing(state, id)) {
    if (after.listener_id.empty() || body.value("listener_id", Json()) == Json(listener)) {
      after.listener_id = listener;
    }
  }
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::PoolSchema(), body, &after));
  after.listener_id.clear();
  ClearUnusedReason(after);
  ELB_RETURN_IF_ERROR(CheckPool(after, before.get(), kind, given));
  if (after.vpc_id != before->vpc_id) {
    ELB_RETURN_IF_ERROR(CheckVpc(state, use, after));
  }
  draft.Update(std::move(after));
  return {};
}

namespace {

std::vector<Blocker> PoliciesInTheWay(const State& state, const std::string& pool_id) {
  std::vector<Blocker> blockers;
  for (const auto& [sequence, policy] : state.By(kPoliciesOfPool, pool_id)) {
    blockers.push_back(
        {.kind = "l7policy", .id = policy, .name = state.l7_policies.Find(policy)->name});
  }
  return blockers;
}

/// The listener whose default it is loses it: that never stands in the way (api-v3.md 2.3).
void Unbind(Draft& draft, const std::string& pool_id) {
  const State& state = draft.state();
  const Referrers listeners = state.By(kListenersOfPool, pool_id);
  for (const auto& [sequence, listener_id] : listeners) {
    model::Listener unbound = *state.listeners.Get(listener_id);
    unbound.default_pool_id.clear();
    draft.Update(std::move(unbound));
  }
}

}  // namespace

Result<void> DeletePool(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto pool, Require<Pool>(state, use, id, "", ErrorKind::kNotFound));
  use.shared = KindOfPool(state, *pool) == model::Kind::kShared;
  std::vector<Blocker> blockers;
  for (const auto& [sequence, member] : state.By(kMembersOfPool, id)) {
    blockers.push_back({.kind = "member", .id = member, .name = state.members.Find(member)->name});
  }
  for (const auto& [sequence, monitor] : state.By(kMonitorsOfPool, id)) {
    blockers.push_back(
        {.kind = "healthmonitor", .id = monitor, .name = state.monitors.Find(monitor)->name});
  }
  std::ranges::move(PoliciesInTheWay(state, id), std::back_inserter(blockers));
  if (!blockers.empty()) {
    return Blocked("the backend server group still has servers, a health check or policies",
                   std::move(blockers));
  }
  Unbind(draft, id);
  draft.Delete<Pool>(id);
  return {};
}

Result<void> ForceDeletePool(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto pool, Require<Pool>(state, use, id, "", ErrorKind::kNotFound));
  use.shared = KindOfPool(state, *pool) == model::Kind::kShared;
  if (pool->member_deletion_protection_enable && !state.By(kMembersOfPool, id).empty()) {
    return Blocked("removal protection is on", {{.kind = "pool", .id = id, .name = pool->name}});
  }
  if (auto policies = PoliciesInTheWay(state, id); !policies.empty()) {
    return Blocked("policies lead to the backend server group", std::move(policies));
  }
  Unbind(draft, id);
  RemovePool(draft, id);
  return {};
}

Json ShowPool(const State& state, const Pool& pool) {
  Json shown = ShownFields(pool);
  const std::string& id = pool.identity.id;
  shown["listeners"] = IdList(ListenersUsing(state, id));
  shown["loadbalancers"] = Json::array();
  if (!pool.loadbalancer_id.empty()) {
    shown["loadbalancers"].push_back({{"id", pool.loadbalancer_id}});
  }
  shown["members"] = IdList(state.By(kMembersOfPool, id));
  const Referrers& monitors = state.By(kMonitorsOfPool, id);
  shown["healthmonitor_id"] = monitors.empty() ? Json(nullptr) : Json(monitors.begin()->second);
  const bool v4 = KindOfPool(state, pool) == model::Kind::kShared || pool.is_l7();
  shown["ip_version"] = v4 ? "v4" : "dualstack";
  shown["az_affinity"] = nullptr;
  shown["enterprise_project_id"] = "0";
  AddIdentity(pool.identity, shown);
  return shown;
}

}  // namespace elb::control
