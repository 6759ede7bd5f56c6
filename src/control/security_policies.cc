#include <nlohmann/json.hpp>
#include <utility>

#include "control/rules.h"
#include "control/services.h"

namespace elb::control {

using model::SecurityPolicy;

Result<std::string> CreateSecurityPolicy(Draft& draft, UseCase& use, const Json& body) {
  SecurityPolicy policy;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::SecurityPolicySchema(), body, &policy));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "security_policy"));
  ELB_RETURN_IF_ERROR(CheckSecurityPolicy(policy));
  ELB_RETURN_IF_ERROR(CheckQuota(*use.node, "security_policy",
                                 draft.state().security_policies.In(use.caller->project).size()));
  policy.identity.id = NewUuid(draft.random());
  policy.identity.project_id = use.caller->project;
  std::string id = policy.identity.id;
  draft.Create(std::move(policy));
  return id;
}

Result<void> UpdateSecurityPolicy(Draft& draft, UseCase& use, const std::string& id,
                                  const Json& body) {
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<SecurityPolicy>(draft.state(), use, id, "", ErrorKind::kNotFound));
  SecurityPolicy after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::SecurityPolicySchema(), body, &after));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckSecurityPolicy(after));
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteSecurityPolicy(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_RETURN_IF_ERROR(Require<SecurityPolicy>(state, use, id, "", ErrorKind::kNotFound));
  const Referrers& users = state.By(kListenersOfSecurityPolicy, id);
  if (!users.empty()) {
    return Blocked("the security policy is in use", ListenersInTheWay(state, users));
  }
  draft.Delete<SecurityPolicy>(id);
  return {};
}

Json ShowSecurityPolicy(const State& state, const SecurityPolicy& policy) {
  Json shown = ShownFields(policy);
  shown["listeners"] = IdList(state.By(kListenersOfSecurityPolicy, policy.identity.id));
  AddIdentity(policy.identity, shown);
  return shown;
}

}  // namespace elb::control
