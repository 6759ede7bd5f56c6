#include <nlohmann/json.hpp>

#include "control/forwarding.h"
#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

using model::L7Policy;
using model::L7Rule;

/// The rule by itself, and together with its siblings.
Result<void> CheckRule(const State& state, const UseCase& use, const L7Rule& rule) {
  const L7Policy* policy = state.l7_policies.Find(rule.l7policy_id);
  const model::Listener* listener = state.listeners.Find(policy->listener_id);
  ELB_RETURN_IF_ERROR(CheckL7Rule(rule, "rule", TraitsOf(state, *listener)));
  std::vector<L7Rule> rules;
  for (const auto& [sequence, id] : state.By(kRulesOfPolicy, rule.l7policy_id)) {
    if (id != rule.identity.id) {
      rules.push_back(*state.l7_rules.Find(id));
    }
  }
  rules.push_back(rule);
  Result<void> checked = CheckRuleSet(rules, "rule", QuotaOf(*use.node, "condition_per_policy"));
  if (!checked) {
    checked.error().path =
        checked.error().kind == ErrorKind::kConflict ? "rule.type" : "rule.conditions";
  }
  return checked;
}

bool IsShared(const State& state, const std::string& policy_id) {
  const L7Policy* policy = state.l7_policies.Find(policy_id);
  return TraitsOf(state, *state.listeners.Find(policy->listener_id)).kind == model::Kind::kShared;
}

}  // namespace

Result<std::string> CreateL7Rule(Draft& draft, UseCase& use, const std::string& policy_id,
                                 const Json& body) {
  const State& state = draft.state();
  ELB_RETURN_IF_ERROR(Require<L7Policy>(state, use, policy_id, "", ErrorKind::kNotFound));
  use.shared = IsShared(state, policy_id);
  L7Rule rule;
  ELB_RETURN_IF_ERROR(model::ReadCreate(model::L7RuleSchema(), body, &rule));
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "rule"));
  rule.l7policy_id = policy_id;
  rule.identity.id = NewUuid(draft.random());
  rule.identity.project_id = use.caller->project;
  ELB_RETURN_IF_ERROR(CheckRule(state, use, rule));
  std::string id = rule.identity.id;
  draft.Create(std::move(rule));
  return id;
}

Result<void> UpdateL7Rule(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<L7Rule>(state, use, id, "", ErrorKind::kNotFound));
  use.shared = IsShared(state, before->l7policy_id);
  L7Rule after = *before;
  ELB_RETURN_IF_ERROR(model::ReadUpdate(model::L7RuleSchema(), body, &after));
  ELB_RETURN_IF_ERROR(CheckRule(state, use, after));
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteL7Rule(Draft& draft, UseCase& use, const std::string& id) {
  ELB_RETURN_IF_ERROR(Require<L7Rule>(draft.state(), use, id, "", ErrorKind::kNotFound));
  draft.Delete<L7Rule>(id);
  return {};
}

Json ShowL7Rule(const State& state, const L7Rule& rule) {
  Json shown = ShownFields(rule);
  shown["provisioning_status"] = state.IsDuplicate(rule.l7policy_id) ? "ERROR" : "ACTIVE";
  AddIdentity(rule.identity, shown);
  return shown;
}

}  // namespace elb::control
