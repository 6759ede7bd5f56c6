#include <nlohmann/json.hpp>
#include <utility>

#include "control/rules.h"
#include "control/services.h"

namespace elb::control {

using model::Logtank;

Result<std::string> CreateLogtank(Draft& draft, UseCase& use, const Json& body) {
  const State& state = draft.state();
  Logtank logtank;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::LogtankSchema(), body, &logtank));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "logtank"));
  ELB_ASSIGN_OR_RETURN(
      const auto balancer,
      Require<model::LoadBalancer>(state, use, logtank.loadbalancer_id, "logtank.loadbalancer_id",
                                   ErrorKind::kReferenceNotFound));
  use.shared = !balancer->guaranteed;
  const Referrers& present = state.By(kLogtanksOfLoadBalancer, logtank.loadbalancer_id);
  if (!present.empty()) {
    return Blocked("the load balancer has a log already",
                   {{.kind = "logtank", .id = present.begin()->second, .name = {}}});
  }
  logtank.identity.id = NewUuid(draft.random());
  logtank.identity.project_id = use.caller->project;
  std::string id = logtank.identity.id;
  draft.Create(std::move(logtank));
  return id;
}

Result<void> UpdateLogtank(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<Logtank>(draft.state(), use, id, "", ErrorKind::kNotFound));
  use.shared = !draft.state().load_balancers.Find(before->loadbalancer_id)->guaranteed;
  Logtank after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::LogtankSchema(), body, &after));
  static_cast<void>(given);
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteLogtank(Draft& draft, UseCase& use, const std::string& id) {
  ELB_RETURN_IF_ERROR(Require<Logtank>(draft.state(), use, id, "", ErrorKind::kNotFound));
  draft.Delete<Logtank>(id);
  return {};
}

Json ShowLogtank(const Logtank& logtank) {
  Json shown = ShownFields(logtank);
  AddIdentity(logtank.identity, shown);
  return shown;
}

}  // namespace elb::control
