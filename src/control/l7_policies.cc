#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "control/forwarding.h"
#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

using model::L7Policy;
using model::L7Rule;
using model::Listener;

constexpr std::int64_t kPriorityMax = 10000;
constexpr std::string_view kToListener = "REDIRECT_TO_LISTENER";

/// Does the request name a listener of a shared load balancer? Some codes depend on it even when
/// the rest of the request cannot be read.
bool NamesShared(const State& state, const UseCase& use, const Json& body) {
  const Json id = body.is_object() ? body.value("listener_id", Json()) : Json();
  const Listener* listener = id.is_string() ? state.listeners.Find(id.get<std::string>()) : nullptr;
  return listener != nullptr && listener->identity.project_id == use.caller->project &&
         TraitsOf(state, *listener).kind == model::Kind::kShared;
}

/// The target listener: HTTPS, on the same load balancer.
Result<void> CheckRedirectListener(const State& state, const UseCase& use, const L7Policy& policy,
                                   const Listener& listener) {
  const std::string path = "l7policy.redirect_listener_id";
  if (policy.redirect_listener_id.empty()) {
    return {};
  }
  ELB_ASSIGN_OR_RETURN(const auto target, Require<Listener>(state, use, policy.redirect_listener_id,
                                                            path, ErrorKind::kReferenceNotFound));
  if (target->loadbalancer_id != listener.loadbalancer_id) {
    return Invalid(path, "the listener belongs to another load balancer");
  }
  if (!target->is_https()) {
    return Invalid(path, "requests are redirected to HTTPS listeners only");
  }
  return {};
}

Result<void> CheckTargets(const State& state, const UseCase& use, const L7Policy& policy,
                          const Listener& listener) {
  ELB_RETURN_IF_ERROR(CheckRedirectListener(state, use, policy, listener));
  const auto check = [&](const std::string& pool, std::string path) {
    return CheckPoolUse(
        state, use,
        {.listener = &listener, .policy_id = policy.identity.id, .path = std::move(path)}, pool);
  };
  if (!policy.redirect_pool_id.empty()) {
    ELB_RETURN_IF_ERROR(check(policy.redirect_pool_id, "l7policy.redirect_pool_id"));
  }
  const auto& pools = policy.redirect_pools_config;
  const std::int64_t most = QuotaOf(*use.node, "pools_per_l7policy");
  if (most >= 0 && static_cast<std::int64_t>(pools.size()) > most) {
    return Failure(ErrorKind::kQuota, "l7policy.redirect_pools_config",
                   fmt::format("quota exceeded: pools_per_l7policy is limited to {}", most));
  }
  for (std::size_t i = 0; i < pools.size(); ++i) {
    ELB_RETURN_IF_ERROR(
        check(pools[i].pool_id, fmt::format("l7policy.redirect_pools_config[{}].pool_id", i)));
  }
  return {};
}

/// Has no other policy of the listener the same priority?
Result<void> CheckPriorityFree(const State& state, const L7Policy& policy,
                               const std::string& path) {
  if (!policy.priority) {
    return {};
  }
  for (const auto& [sequence, id] : state.By(kPoliciesOfListener, policy.listener_id)) {
    const L7Policy* other = state.l7_policies.Find(id);
    if (id != policy.identity.id && other->priority == policy.priority) {
      auto blocked = Blocked(fmt::format("priority {} is taken", *policy.priority),
                             {{.kind = "l7policy", .id = id, .name = other->name}});
      blocked.error().path = path;
      return blocked;
    }
  }
  return {};
}

/// The priority of a policy that gives none, or that the one given is free.
Result<void> ChoosePriority(const State& state, L7Policy& policy) {
  if (policy.priority) {
    return CheckPriorityFree(state, policy, "l7policy.priority");
  }
  std::int64_t most = 0;
  for (const auto& [sequence, id] : state.By(kPoliciesOfListener, policy.listener_id)) {
    most = std::max(most, state.l7_policies.Find(id)->priority.value_or(0));
  }
  if (most >= kPriorityMax) {
    return Invalid("l7policy.priority", "no priority is left behind the listener's largest");
  }
  policy.priority = most + 1;
  return {};
}

/// Stores the rules of a request as the policy's.
void CreateRules(Draft& draft, const L7Policy& policy, std::vector<L7Rule> rules) {
  for (L7Rule& rule : rules) {
    rule.l7policy_id = policy.identity.id;
    rule.identity.id = NewUuid(draft.random());
    rule.identity.project_id = policy.identity.project_id;
    draft.Create(std::move(rule));
  }
}

void AdoptPools(Draft& draft, const L7Policy& policy, const Listener& listener) {
  for (const std::string& pool : policy.PoolIds()) {
    AdoptPool(draft, listener, pool);
  }
}

/// Are these the policy's rules as some response shows them, in short or in full?
bool AreShownRules(const State& state, const std::string& policy, const Json& rules) {
  const Referrers& stored = state.By(kRulesOfPolicy, policy);
  if (!rules.is_array() || rules.size() != stored.size()) {
    return false;
  }
  std::set<std::string> seen;
  return std::ranges::all_of(rules, [&](const Json& rule) {
    const Json id = rule.is_object() ? rule.value("id", Json()) : Json();
    const L7Rule* known = id.is_string() ? state.l7_rules.Find(id.get<std::string>()) : nullptr;
    if (known == nullptr || known->l7policy_id != policy ||
        !seen.insert(known->identity.id).second) {
      return false;
    }
    const Json shown = ShowL7Rule(state, *known);
    return std::ranges::all_of(rule.items(), [&](const auto& entry) {
      return !shown.contains(entry.key()) || shown[entry.key()] == entry.value();
    });
  });
}

/// The request without rules that change nothing: sent back as shown, or none where they do not
/// go with the action (api-v3.md 1.7, 2.9).
Json WithoutKeptRules(const State& state, const L7Policy& policy, const Json& body) {
  Json rest = body;
  const auto found = rest.is_object() ? rest.find("rules") : rest.end();
  if (found == rest.end()) {
    return rest;
  }
  const bool none = found->is_null() || (found->is_array() && found->empty());
  if ((none && policy.action == kToListener) || AreShownRules(state, policy.identity.id, *found)) {
    rest.erase("rules");
  }
  return rest;
}

/// Are these the rules that the policy has, whatever their ids?
bool HasRules(const State& state, const std::string& policy, const std::vector<L7Rule>& rules) {
  std::vector<L7Rule> stored;
  for (const auto& [sequence, id] : state.By(kRulesOfPolicy, policy)) {
    stored.push_back(*state.l7_rules.Find(id));
    stored.back().identity = {};
    stored.back().l7policy_id.clear();
  }
  return stored == rules;
}

void ReplaceRules(Draft& draft, const L7Policy& policy, std::vector<L7Rule> rules) {
  const Referrers old = draft.state().By(kRulesOfPolicy, policy.identity.id);
  for (const auto& [sequence, id] : old) {
    draft.Delete<L7Rule>(id);
  }
  CreateRules(draft, policy, std::move(rules));
}

}  // namespace

Result<std::string> CreateL7Policy(Draft& draft, UseCase& use, const Json& body) {
  const State& state = draft.state();
  use.shared = NamesShared(state, use, body);
  L7Policy policy;
  ELB_RETURN_IF_ERROR(model::ReadCreate(model::L7PolicySchema(), body, &policy));
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "l7policy"));
  ELB_ASSIGN_OR_RETURN(const auto listener,
                       Require<Listener>(state, use, policy.listener_id, "l7policy.listener_id",
                                         ErrorKind::kReferenceNotFound));
  policy.identity.id = NewUuid(draft.random());
  policy.identity.project_id = use.caller->project;
  ELB_RETURN_IF_ERROR(CheckL7Policy(policy, TraitsOf(state, *listener),
                                    QuotaOf(*use.node, "condition_per_policy")));
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "l7policy", state.l7_policies.In(use.caller->project).size()));
  ELB_RETURN_IF_ERROR(CheckQuota(*use.node, "l7policies_per_listener",
                                 state.By(kPoliciesOfListener, policy.listener_id).size()));
  ELB_RETURN_IF_ERROR(CheckTargets(state, use, policy, *listener));
  if (listener->enhance_l7policy_enable) {
    ELB_RETURN_IF_ERROR(ChoosePriority(state, policy));
  }
  AdoptPools(draft, policy, *listener);
  std::vector<L7Rule> rules = std::exchange(policy.rules, {});
  draft.Create(policy);
  CreateRules(draft, policy, std::move(rules));
  return policy.identity.id;
}

Result<void> UpdateL7Policy(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<L7Policy>(state, use, id, "", ErrorKind::kNotFound));
  const Listener listener = *state.listeners.Find(before->listener_id);
  const model::ForwardingTraits traits = TraitsOf(state, listener);
  use.shared = traits.kind == model::Kind::kShared;
  L7Policy after = *before;
  ELB_ASSIGN_OR_RETURN(
      const model::Given given,
      model::ReadUpdate(model::L7PolicySchema(), WithoutKeptRules(state, *before, body), &after));
  if (!after.priority) {
    after.priority = before->priority;
  }
  ELB_RETURN_IF_ERROR(CheckL7Policy(after, traits, QuotaOf(*use.node, "condition_per_policy")));
  ELB_RETURN_IF_ERROR(CheckTargets(state, use, after, listener));
  if (after.priority != before->priority) {
    ELB_RETURN_IF_ERROR(CheckPriorityFree(state, after, "l7policy.priority"));
  }
  AdoptPools(draft, after, listener);
  std::vector<L7Rule> rules = std::exchange(after.rules, {});
  const bool replaced = model::WasGiven(given, "rules") && !HasRules(state, id, rules);
  const bool changed = !(after == *before);
  draft.Update(after);
  if (replaced) {
    ReplaceRules(draft, after, std::move(rules));
    if (!changed) {
      draft.Touch<L7Policy>(id);
    }
  }
  return {};
}

Result<void> DeleteL7Policy(Draft& draft, UseCase& use, const std::string& id) {
  ELB_RETURN_IF_ERROR(Require<L7Policy>(draft.state(), use, id, "", ErrorKind::kNotFound));
  RemovePolicy(draft, id);
  return {};
}

Json ShowL7Policy(const State& state, const L7Policy& policy) {
  Json shown = ShownFields(policy);
  shown["rules"] = IdList(state.By(kRulesOfPolicy, policy.identity.id));
  shown["provisioning_status"] = state.IsDuplicate(policy.identity.id) ? "ERROR" : "ACTIVE";
  AddIdentity(policy.identity, shown);
  return shown;
}

namespace {

/// One entry of `batch-update-priority`: the policy with its new priority.
Result<L7Policy> ReadPriority(const State& state, UseCase& use, const Json& entry,
                              const std::string& path) {
  const Json id = entry.is_object() ? entry.value("id", Json()) : Json();
  const Json priority = entry.is_object() ? entry.value("priority", Json()) : Json();
  if (id.is_null() || priority.is_null()) {
    return Missing(path + (id.is_null() ? ".id" : ".priority"), "id and priority are mandatory");
  }
  if (!id.is_string()) {
    return Invalid(path + ".id", "id must be a string");
  }
  ELB_ASSIGN_OR_RETURN(const auto policy,
                       Require<L7Policy>(state, use, id.get<std::string>(), path + ".id",
                                         ErrorKind::kReferenceNotFound));
  const Listener& listener = *state.listeners.Find(policy->listener_id);
  use.shared = use.shared || TraitsOf(state, listener).kind == model::Kind::kShared;
  if (!listener.enhance_l7policy_enable) {
    return Failure(use.shared ? ErrorKind::kRestricted : ErrorKind::kInvalid, path + ".id",
                   "priority needs advanced forwarding");
  }
  if (policy->action == kToListener) {
    return Invalid(path + ".priority", "REDIRECT_TO_LISTENER has priority 0");
  }
  const bool fits = priority.is_number_integer() && priority >= 1 && priority <= kPriorityMax;
  if (!fits) {
    return Invalid(path + ".priority", fmt::format("priority must be 1 to {}", kPriorityMax));
  }
  L7Policy changed = *policy;
  changed.priority = priority.get<std::int64_t>();
  return changed;
}

}  // namespace

Result<void> UpdateL7Priorities(Draft& draft, UseCase& use, const Json& list) {
  std::map<std::string, std::string> paths;  // By id.
  for (const Json& entry : list) {
    const std::string path = fmt::format("l7policies[{}]", paths.size());
    ELB_ASSIGN_OR_RETURN(L7Policy changed, ReadPriority(draft.state(), use, entry, path));
    if (!paths.emplace(changed.identity.id, path).second) {
      return Invalid(path + ".id", "the policy is given twice");
    }
    draft.Update(std::move(changed));
  }
  if (paths.empty()) {
    return Missing("l7policies", "l7policies must name at least one policy");
  }
  for (const auto& [id, path] : paths) {
    ELB_RETURN_IF_ERROR(
        CheckPriorityFree(draft.state(), *draft.state().l7_policies.Find(id), path + ".priority"));
  }
  return {};
}

}  // namespace elb::control
