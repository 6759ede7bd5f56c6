#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "control/rules.h"
#include "control/services.h"
#include "model/catalogue.h"

namespace elb::control {
namespace {

using model::HealthMonitor;

Result<void> CheckType(const State& state, const model::Pool& pool, const HealthMonitor& monitor) {
  if (!model::MonitorFitsPool(monitor.type, pool.protocol, KindOfPool(state, pool))) {
    return Invalid("healthmonitor.type",
                   fmt::format("a {} backend server group cannot have a {} health check",
                               pool.protocol, monitor.type));
  }
  return CheckHealthMonitor(monitor);
}

}  // namespace

Result<std::string> CreateHealthMonitor(Draft& draft, UseCase& use, const Json& body) {
  HealthMonitor monitor;
  const State& state = draft.state();
  if (body.is_object() && body.value("pool_id", Json()).is_string()) {
    const auto known = state.pools.Get(body["pool_id"].get<std::string>());
    use.shared = known != nullptr && KindOfPool(state, *known) == model::Kind::kShared;
  }
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::HealthMonitorSchema(), body, &monitor));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "healthmonitor"));
  ELB_ASSIGN_OR_RETURN(const auto pool,
                       Require<model::Pool>(state, use, monitor.pool_id, "healthmonitor.pool_id",
                                            ErrorKind::kReferenceNotFound));
  ELB_RETURN_IF_ERROR(CheckType(state, *pool, monitor));
  for (const auto& [sequence, other] : state.By(kMonitorsOfPool, monitor.pool_id)) {
    return Blocked(
        "the backend server group has a health check already",
        {{.kind = "healthmonitor", .id = other, .name = state.monitors.Find(other)->name}});
  }
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "healthmonitor", state.monitors.In(use.caller->project).size()));
  monitor.identity.id = NewUuid(draft.random());
  monitor.identity.project_id = use.caller->project;
  std::string id = monitor.identity.id;
  draft.Create(std::move(monitor));
  return id;
}

Result<void> UpdateHealthMonitor(Draft& draft, UseCase& use, const std::string& id,
                                 const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<HealthMonitor>(state, use, id, "", ErrorKind::kNotFound));
  const model::Pool* pool = state.pools.Find(before->pool_id);
  use.shared = KindOfPool(state, *pool) == model::Kind::kShared;
  HealthMonitor after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::HealthMonitorSchema(), body, &after));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckType(state, *pool, after));
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteHealthMonitor(Draft& draft, UseCase& use, const std::string& id) {
  ELB_ASSIGN_OR_RETURN(const auto monitor,
                       Require<HealthMonitor>(draft.state(), use, id, "", ErrorKind::kNotFound));
  const model::Pool* pool = draft.state().pools.Find(monitor->pool_id);
  use.shared = KindOfPool(draft.state(), *pool) == model::Kind::kShared;
  draft.Delete<HealthMonitor>(id);
  return {};
}

Json ShowHealthMonitor(const HealthMonitor& monitor) {
  Json shown = ShownFields(monitor);
  shown["pools"] = Json::array({{{"id", monitor.pool_id}}});
  shown["sni_enable"] = false;
  AddIdentity(monitor.identity, shown);
  return shown;
}

}  // namespace elb::control
