#include "control/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/rules.h"

namespace elb::control {
namespace {

constexpr std::string_view kNoAnswer = "a worker did not put the configuration in force in time";

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
  }
  return nullptr;
}

std::string_view NameOf(Resource resource) {
  static constexpr std::string_view kNames[] = {"loadbalancer", "listener",      "pool",
                                                "member",       "healthmonitor", "certificate"};
  return kNames[static_cast<std::size_t>(resource)];
}

Result<std::string> CreateObject(Draft& draft, UseCase& use, Resource resource,
                                 const std::string& parent, const Json& body) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return CreateLoadBalancer(draft, use, body);
    case Resource::kListener:
      return CreateListener(draft, use, body);
    case Resource::kPool:
      return CreatePool(draft, use, body);
    case Resource::kMember:
      return CreateMember(draft, use, parent, body);
    case Resource::kHealthMonitor:
      return CreateHealthMonitor(draft, use, body);
    case Resource::kCertificate:
      return CreateCertificate(draft, use, body);
  }
  return Internal("unknown resource");
}

Result<void> UpdateObject(Draft& draft, UseCase& use, Resource resource, const std::string& id,
                          const Json& body) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return UpdateLoadBalancer(draft, use, id, body);
    case Resource::kListener:
      return UpdateListener(draft, use, id, body);
    case Resource::kPool:
      return UpdatePool(draft, use, id, body);
    case Resource::kMember:
      return UpdateMember(draft, use, id, body);
    case Resource::kHealthMonitor:
      return UpdateHealthMonitor(draft, use, id, body);
    case Resource::kCertificate:
      return UpdateCertificate(draft, use, id, body);
  }
  return Internal("unknown resource");
}

Result<void> DeleteObject(Draft& draft, UseCase& use, Resource resource, const std::string& id,
                          DeleteMode mode) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return mode == DeleteMode::kForce ? ForceDeleteLoadBalancer(draft, use, id)
                                        : DeleteLoadBalancer(draft, use, id);
    case Resource::kListener:
      return mode == DeleteMode::kForce ? ForceDeleteListener(draft, use, id)
                                        : DeleteListener(draft, use, id);
    case Resource::kPool:
      return DeletePool(draft, use, id);
    case Resource::kMember:
      return DeleteMember(draft, use, id);
    case Resource::kHealthMonitor:
      return DeleteHealthMonitor(draft, use, id);
    case Resource::kCertificate:
      return DeleteCertificate(draft, use, id);
  }
  return Internal("unknown resource");
}

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

}  // namespace

Control::Control(Parts parts) : parts_(std::move(parts)), compiler_(parts_.node) {}

template <typename T>
Result<void> Control::Load() {
  ELB_ASSIGN_OR_RETURN(
      const std::vector<store::Document> documents,
      parts_.store->Read([](store::Reader& reader) { return reader.ListAll(KindName<T>::kText); }));
  for (const store::Document& document : documents) {
    ELB_ASSIGN_OR_RETURN(T object, FromDocument<T>(document));
    state_.Link(object, document.sequence, true);
    state_.Of<T>().Put(document.sequence, std::make_shared<const T>(std::move(object)));
    state_.next_sequence = std::max(state_.next_sequence, document.sequence + 1);
    auto& newest = state_.revisions[document.project];
    newest = std::max(newest, document.revision);
  }
  return {};
}

Result<void> Control::Start() {
  ELB_RETURN_IF_ERROR(Load<model::LoadBalancer>());
  ELB_RETURN_IF_ERROR(Load<model::Listener>());
  ELB_RETURN_IF_ERROR(Load<model::Pool>());
  ELB_RETURN_IF_ERROR(Load<model::Member>());
  ELB_RETURN_IF_ERROR(Load<model::HealthMonitor>());
  ELB_RETURN_IF_ERROR(Load<model::Certificate>());
  for (auto& [project, revision] : state_.revisions) {
    ELB_ASSIGN_OR_RETURN(revision, parts_.store->Read([&](store::Reader& reader) {
      return reader.CurrentRevision(project);
    }));
  }
  const auto snapshot = compiler_.CompileAll(state_);
  ELB_ASSIGN_OR_RETURN(const auto prepared, parts_.data_plane->Prepare(snapshot));
  const contract::ApplyReport report = parts_.data_plane->Apply(prepared);
  degraded_ = report.every_worker_acknowledged ? "" : kNoAnswer;
  snapshot_ = snapshot;
  return {};
}

/// The one path of every write; see the class.
Result<std::string> Control::Write(const Caller& caller, const Change& change) {
  UseCase use{.node = &parts_.node, .caller = &caller};
  Draft draft(state_, parts_.clock->WallNow(), *parts_.random);
  Result<std::string> id = change(draft, use);
  if (!id) {
    id.error().shared = use.shared;
    return id;
  }
  if (draft.empty()) {
    return id;
  }
  const auto next = compiler_.Compile(state_, draft.dirty(), snapshot_.get());
  ELB_ASSIGN_OR_RETURN(const auto prepared, parts_.data_plane->Prepare(next));
  const Json author{{"user_id", caller.user_id},
                    {"user_name", caller.user_name},
                    {"method", caller.method},
                    {"access_key", nullptr}};
  ELB_RETURN_IF_ERROR(parts_.store->Transact(
      [&](store::Transaction& transaction) { return draft.Store(transaction, author); }));
  draft.Keep();
  snapshot_ = next;
  const contract::ApplyReport report = parts_.data_plane->Apply(prepared);
  degraded_ = report.every_worker_acknowledged ? "" : kNoAnswer;
  return id;
}

Result<void> Control::Check(const Caller& caller, Resource resource, const std::string& parent,
                            const std::string& id, const std::optional<Precondition>& when) const {
  const model::Identity* identity = IdentityOf(state_, resource, id);
  const bool elsewhere = identity != nullptr && resource == Resource::kMember && !parent.empty() &&
                         state_.members.Find(id)->pool_id != parent;
  if (identity == nullptr || identity->project_id != caller.project || elsewhere) {
    return NotFound("", fmt::format("{} {} could not be found", NameOf(resource), id));
  }
  if (when && !when->any &&
      std::ranges::find(when->revisions, static_cast<std::uint64_t>(identity->revision)) ==
          when->revisions.end()) {
    return Failure(ErrorKind::kPrecondition, "If-Match",
                   fmt::format("the {} was changed meanwhile: its current tag is \"r{}\"",
                               NameOf(resource), identity->revision));
  }
  return {};
}

Result<Shown> Control::Represent(const Caller& caller, Resource resource,
                                 const std::string& id) const {
  const LiveState live{.data_plane = parts_.data_plane};
  const model::Identity* identity = IdentityOf(state_, resource, id);
  return Shown{
      .object = std::make_shared<const Json>(ShowObject(state_, live, caller, resource, id)),
      .revision = static_cast<std::uint64_t>(identity->revision)};
}

Result<Shown> Control::Create(const Caller& caller, Resource resource, const std::string& parent,
                              const Json& body) {
  ELB_ASSIGN_OR_RETURN(const std::string id, Write(caller, [&](Draft& draft, UseCase& use) {
                         return CreateObject(draft, use, resource, parent, body);
                       }));
  return Represent(caller, resource, id);
}

Result<Shown> Control::Show(const Caller& caller, Resource resource, const std::string& parent,
                            const std::string& id) const {
  ELB_RETURN_IF_ERROR(Check(caller, resource, parent, id, std::nullopt));
  return Represent(caller, resource, id);
}

Result<Shown> Control::Update(const Caller& caller, Resource resource, const std::string& parent,
                              const std::string& id, const Json& body,
                              const std::optional<Precondition>& when) {
  ELB_RETURN_IF_ERROR(Check(caller, resource, parent, id, when));
  ELB_RETURN_IF_ERROR(Write(caller, [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_RETURN_IF_ERROR(UpdateObject(draft, use, resource, id, body));
    return id;
  }));
  return Represent(caller, resource, id);
}

Result<void> Control::Delete(const Caller& caller, Resource resource, const std::string& parent,
                             const std::string& id, DeleteMode mode,
                             const std::optional<Precondition>& when) {
  ELB_RETURN_IF_ERROR(Check(caller, resource, parent, id, when));
  ELB_RETURN_IF_ERROR(Write(caller, [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_RETURN_IF_ERROR(DeleteObject(draft, use, resource, id, mode));
    return id;
  }));
  return {};
}

Result<std::vector<Json>> Control::List(const Caller& caller, Resource resource,
                                        const std::string& parent) const {
  std::vector<Json> all;
  const LiveState live{.data_plane = parts_.data_plane};
  const auto collect = [&](const auto& table) {
    for (const auto& [sequence, object] : table.in_order()) {
      if (object->identity.project_id == caller.project) {
        all.push_back(ShowObject(state_, live, caller, resource, object->identity.id));
      }
    }
  };
  switch (resource) {
    case Resource::kLoadBalancer:
      collect(state_.load_balancers);
      break;
    case Resource::kListener:
      collect(state_.listeners);
      break;
    case Resource::kPool:
      collect(state_.pools);
      break;
    case Resource::kHealthMonitor:
      collect(state_.monitors);
      break;
    case Resource::kCertificate:
      collect(state_.certificates);
      break;
    case Resource::kMember:
      if (parent.empty()) {
        collect(state_.members);
        for (Json& shown : all) {
          const model::Member* member = state_.members.Find(shown["id"].get<std::string>());
          shown = ShowListed(state_, std::move(shown), *member);
        }
        break;
      }
      ELB_RETURN_IF_ERROR(Check(caller, Resource::kPool, "", parent, std::nullopt));
      for (const auto& [sequence, id] : state_.By(kMembersOfPool, parent)) {
        all.push_back(ShowObject(state_, live, caller, resource, id));
      }
      break;
  }
  return all;
}

Result<Json> Control::StatusTree(const Caller& caller, const std::string& id) const {
  ELB_RETURN_IF_ERROR(Check(caller, Resource::kLoadBalancer, "", id, std::nullopt));
  return ShowStatusTree(state_, {.data_plane = parts_.data_plane}, *state_.load_balancers.Find(id));
}

std::size_t Control::Used(const Caller& caller, std::string_view quota_key) const {
  if (quota_key == "loadbalancer") {
    return CountIn(state_.load_balancers, caller.project);
  }
  if (quota_key == "listener") {
    return CountIn(state_.listeners, caller.project);
  }
  if (quota_key == "pool") {
    return CountIn(state_.pools, caller.project);
  }
  if (quota_key == "member") {
    return CountIn(state_.members, caller.project);
  }
  if (quota_key == "healthmonitor") {
    return CountIn(state_.monitors, caller.project);
  }
  if (quota_key == "certificate") {
    return CountIn(state_.certificates, caller.project);
  }
  if (quota_key == "members_per_pool") {
    std::size_t most = 0;
    for (const auto& [sequence, pool] : state_.pools.in_order()) {
      most = std::max(most, state_.By(kMembersOfPool, pool->identity.id).size());
    }
    return most;
  }
  return 0;
}

std::uint64_t Control::RevisionOf(const std::string& project) const {
  const auto found = state_.revisions.find(project);
  return found == state_.revisions.end() ? 0 : found->second;
}

}  // namespace elb::control
