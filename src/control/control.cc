#include "control/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/actions.h"
#include "control/addresses.h"
#include "control/objects.h"
#include "control/revision_record.h"

namespace elb::control {
namespace {

constexpr std::string_view kNoAnswer = "a worker did not put the configuration in force in time";

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
    case Resource::kIpGroup:
      return CreateIpGroup(draft, use, body);
    case Resource::kSecurityPolicy:
      return CreateSecurityPolicy(draft, use, body);
    case Resource::kLogtank:
      return CreateLogtank(draft, use, body);
    case Resource::kL7Policy:
      return CreateL7Policy(draft, use, body);
    case Resource::kL7Rule:
      return CreateL7Rule(draft, use, parent, body);
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
    case Resource::kIpGroup:
      return UpdateIpGroup(draft, use, id, body);
    case Resource::kSecurityPolicy:
      return UpdateSecurityPolicy(draft, use, id, body);
    case Resource::kLogtank:
      return UpdateLogtank(draft, use, id, body);
    case Resource::kL7Policy:
      return UpdateL7Policy(draft, use, id, body);
    case Resource::kL7Rule:
      return UpdateL7Rule(draft, use, id, body);
  }
  return Internal("unknown resource");
}

Result<void> DeleteObject(Draft& draft, UseCase& use, Resource resource, const std::string& id,
                          DeleteMode mode) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return mode == DeleteMode::kPlain ? DeleteLoadBalancer(draft, use, id)
                                        : ForceDeleteLoadBalancer(draft, use, id, mode);
    case Resource::kListener:
      return mode == DeleteMode::kPlain ? DeleteListener(draft, use, id)
                                        : ForceDeleteListener(draft, use, id);
    case Resource::kPool:
      return mode == DeleteMode::kPlain ? DeletePool(draft, use, id)
                                        : ForceDeletePool(draft, use, id);
    case Resource::kMember:
      return DeleteMember(draft, use, id);
    case Resource::kHealthMonitor:
      return DeleteHealthMonitor(draft, use, id);
    case Resource::kCertificate:
      return DeleteCertificate(draft, use, id);
    case Resource::kIpGroup:
      return DeleteIpGroup(draft, use, id);
    case Resource::kSecurityPolicy:
      return DeleteSecurityPolicy(draft, use, id);
    case Resource::kLogtank:
      return DeleteLogtank(draft, use, id);
    case Resource::kL7Policy:
      return DeleteL7Policy(draft, use, id);
    case Resource::kL7Rule:
      return DeleteL7Rule(draft, use, id);
  }
  return Internal("unknown resource");
}

/// The key of a list of these objects.
std::string PluralOf(Resource resource) { return fmt::format("{}s", NameOf(resource)); }

/// The ids in `[{"id": ...}]`.
Result<std::vector<std::string>> IdsIn(const Json& list, Resource resource) {
  const std::string name = PluralOf(resource);
  if (!list.is_array() || list.empty()) {
    return Invalid(name, fmt::format("{} must be a list of objects with an id", name));
  }
  std::vector<std::string> ids;
  for (const Json& element : list) {
    const Json id = element.is_object() ? element.value("id", Json()) : Json();
    if (!id.is_string()) {
      return Missing(fmt::format("{}[{}].id", name, ids.size()), "id is mandatory");
    }
    ids.push_back(id.get<std::string>());
  }
  return ids;
}

/// What a revision says about the call that made it (api-extensions.md 4.1).
Json OriginOf(const Caller& caller) {
  return {{"author",
           {{"user_id", caller.user_id},
            {"user_name", caller.user_name},
            {"method", caller.method},
            {"access_key", nullptr}}},
          {"address", caller.address},
          {"user_agent", caller.user_agent},
          {"origin", caller.origin},
          {"comment", caller.comment}};
}

}  // namespace

Control::Control(Parts parts)
    : parts_(std::move(parts)),
      compiler_(parts_.node),
      retention_(*parts_.store, *parts_.clock, parts_.node) {}

template <typename T>
Result<void> Control::Load() {
  ELB_ASSIGN_OR_RETURN(
      const std::vector<store::Document> documents,
      parts_.store->Read([](store::Reader& reader) { return reader.ListAll(KindName<T>::kText); }));
  for (const store::Document& document : documents) {
    ELB_ASSIGN_OR_RETURN(T object, FromDocument<T>(document));
    const auto loaded = std::make_shared<const T>(std::move(object));
    state_.Of<T>().Put(document.sequence, loaded);
    state_.Link(*loaded, document.sequence, true);
    state_.revisions[document.project] = 0;  // Read afterwards.
  }
  return {};
}

/// A place in the order of creation that no object has or ever had: objects that are gone must not
/// lend their place, nor their registration number, to new ones.
Result<std::uint64_t> Control::NextSequence() const {
  return parts_.store->Transact([](store::Transaction& transaction) -> Result<std::uint64_t> {
    store::Document probe;
    probe.kind = "sequence";
    probe.id = "next";
    probe.json = "{}";
    ELB_RETURN_IF_ERROR(transaction.Put(probe));
    ELB_ASSIGN_OR_RETURN(const auto stored, transaction.Get(probe.key()));
    transaction.Discard();
    return stored->sequence;
  });
}

Result<void> Control::Start() {
  ELB_RETURN_IF_ERROR(Load<model::LoadBalancer>());
  ELB_RETURN_IF_ERROR(Load<model::Listener>());
  ELB_RETURN_IF_ERROR(Load<model::Pool>());
  ELB_RETURN_IF_ERROR(Load<model::Member>());
  ELB_RETURN_IF_ERROR(Load<model::HealthMonitor>());
  ELB_RETURN_IF_ERROR(Load<model::Certificate>());
  ELB_RETURN_IF_ERROR(Load<model::IpGroup>());
  ELB_RETURN_IF_ERROR(Load<model::SecurityPolicy>());
  ELB_RETURN_IF_ERROR(Load<model::Logtank>());
  ELB_RETURN_IF_ERROR(Load<model::L7Policy>());
  ELB_RETURN_IF_ERROR(Load<model::L7Rule>());
  ELB_RETURN_IF_ERROR(Load<model::Eip>());
  ELB_ASSIGN_OR_RETURN(
      const std::vector<store::Document> projects,
      parts_.store->Read([](store::Reader& reader) { return reader.ListAll("project"); }));
  for (const store::Document& project : projects) {
    state_.revisions[project.id] = 0;  // It may have had objects once.
  }
  for (auto& [project, revision] : state_.revisions) {
    ELB_ASSIGN_OR_RETURN(revision, parts_.store->Read([&](store::Reader& reader) {
      return reader.CurrentRevision(project);
    }));
  }
  ELB_ASSIGN_OR_RETURN(state_.next_sequence, NextSequence());
  ELB_RETURN_IF_ERROR(UpgradeStore());
  const auto snapshot = compiler_.CompileAll(state_);
  ELB_ASSIGN_OR_RETURN(const auto prepared, parts_.data_plane->Prepare(snapshot));
  const contract::ApplyReport report = parts_.data_plane->Apply(prepared);
  degraded_ = report.every_worker_acknowledged ? "" : kNoAnswer;
  snapshot_ = snapshot;
  return {};
}

Result<void> Control::UpgradeStore() {
  Draft draft(state_, parts_.clock->WallNow(), *parts_.random);
  SeparatePublicAddresses(draft);
  if (draft.empty()) {
    return {};
  }
  ELB_RETURN_IF_ERROR(parts_.store->Transact(
      [&](store::Transaction& transaction) { return draft.Store(transaction, Json()); }));
  draft.Keep();
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
  auto prepared = parts_.data_plane->Prepare(next);
  if (!prepared) {
    prepared.error().shared = use.shared;
    return std::unexpected(std::move(prepared).error());
  }
  const Json origin = OriginOf(caller);
  ELB_RETURN_IF_ERROR(parts_.store->Transact(
      [&](store::Transaction& transaction) { return draft.Store(transaction, origin); }));
  draft.Keep();
  snapshot_ = next;
  const contract::ApplyReport report = parts_.data_plane->Apply(*std::move(prepared));
  degraded_ = report.every_worker_acknowledged ? "" : kNoAnswer;
  return id;
}

/// 412 with the current tag and who made it (api-extensions.md 4.4).
std::unexpected<Error> Control::Changed(Resource resource, const model::Identity& identity,
                                        const std::string& current) const {
  const auto record = parts_.store->Read([&](store::Reader& reader) {
    return reader.GetRevision(identity.project_id, static_cast<std::uint64_t>(identity.revision));
  });
  const std::optional<store::RevisionRecord> stored = record ? *record : std::nullopt;
  const RevisionAuthor author = stored ? AuthorOf(stored->json) : RevisionAuthor{};
  Error error{.kind = ErrorKind::kPrecondition,
              .path = "If-Match",
              .message = fmt::format("the {} was changed meanwhile: its current tag is {}",
                                     NameOf(resource), current)};
  error.details = {{.path = error.path,
                    .kind = error.kind,
                    .message = error.message,
                    .facts = {{"current", current},
                              {"changed_by", author.user_name},
                              {"changed_at", author.created_at}}}};
  return std::unexpected(std::move(error));
}

Result<void> Control::Check(const Caller& caller, const Place& place,
                            const std::optional<Precondition>& when) const {
  const auto& [resource, parent, id] = place;
  const model::Identity* identity = IdentityOf(state_, resource, id);
  const bool elsewhere =
      identity != nullptr && !parent.empty() && ParentOf(state_, resource, id) != parent;
  if (identity == nullptr || identity->project_id != caller.project || elsewhere) {
    return NotFound("", fmt::format("{} {} could not be found", NameOf(resource), id));
  }
  if (when && !when->any &&
      std::ranges::find(when->revisions, static_cast<std::uint64_t>(identity->revision)) ==
          when->revisions.end()) {
    return Changed(resource, *identity, fmt::format("\"r{}\"", identity->revision));
  }
  return {};
}

Result<Shown> Control::Create(const Caller& caller, Resource resource, const std::string& parent,
                              const Json& body) {
  ELB_ASSIGN_OR_RETURN(const std::string id, Write(caller, [&](Draft& draft, UseCase& use) {
                         return CreateObject(draft, use, resource, parent, body);
                       }));
  return Represent(caller, resource, id);
}

Result<Shown> Control::Update(const Caller& caller, const Place& place, const Json& body,
                              const std::optional<Precondition>& when) {
  ELB_RETURN_IF_ERROR(Check(caller, place, when));
  const Change change = [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_RETURN_IF_ERROR(UpdateObject(draft, use, place.resource, place.id, body));
    return place.id;
  };
  ELB_RETURN_IF_ERROR(Write(caller, change));
  return Represent(caller, place.resource, place.id);
}

Result<void> Control::Delete(const Caller& caller, const Place& place, DeleteMode mode,
                             const std::optional<Precondition>& when) {
  ELB_RETURN_IF_ERROR(Check(caller, place, when));
  const Change change = [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_RETURN_IF_ERROR(DeleteObject(draft, use, place.resource, place.id, mode));
    return place.id;
  };
  ELB_RETURN_IF_ERROR(Write(caller, change));
  return {};
}

Result<Json> Control::DeleteEach(const Caller& caller, Resource resource, const Json& list) {
  Json answer = Json::array();
  const Change change = [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_ASSIGN_OR_RETURN(const std::vector<std::string> ids, IdsIn(list, resource));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const model::Identity* identity = IdentityOf(state_, resource, ids[i]);
      const bool known = identity != nullptr && identity->project_id == caller.project;
      answer.push_back({{"id", ids[i]}, {"ret_status", known ? "successful" : "not found"}});
      Result<void> deleted;
      if (known) {
        deleted = DeleteObject(draft, use, resource, ids[i], DeleteMode::kPlain);
      }
      if (!deleted) {
        deleted.error().path = fmt::format("{}[{}]", PluralOf(resource), i);
        return std::unexpected(std::move(deleted).error());
      }
    }
    return std::string();
  };
  ELB_RETURN_IF_ERROR(Write(caller, change));
  return answer;
}

Result<void> Control::ReleaseEip(const Caller& caller, const std::string& id) {
  const model::Eip* eip = state_.eips.Find(id);
  if (eip == nullptr || eip->identity.project_id != caller.project) {
    return NotFound("", fmt::format("public address {} could not be found", id));
  }
  ELB_RETURN_IF_ERROR(Write(caller, [&](Draft& draft, UseCase& /*use*/) -> Result<std::string> {
    ReleasePublicAddress(draft, id);
    return id;
  }));
  return {};
}

Result<Json> Control::Perform(const Caller& caller, const Place& place, Action action,
                              const Json& body, const std::optional<Precondition>& when) {
  ELB_RETURN_IF_ERROR(Check(caller, place, when));
  Json answer;
  ELB_RETURN_IF_ERROR(Write(caller, [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_ASSIGN_OR_RETURN(answer, DoAction(draft, use, place, action, body));
    return place.id;
  }));
  return answer;
}

Result<void> Control::UpdatePriorities(const Caller& caller, const Json& list) {
  const Change change = [&](Draft& draft, UseCase& use) -> Result<std::string> {
    ELB_RETURN_IF_ERROR(UpdateL7Priorities(draft, use, list));
    return std::string();
  };
  ELB_RETURN_IF_ERROR(Write(caller, change));
  return {};
}

Result<void> Control::TrimRevisions() {
  for (const auto& [project, revision] : state_.revisions) {
    retention_.Note(project, revision);
  }
  return retention_.Trim();
}

std::uint64_t Control::RevisionOf(const std::string& project) const {
  const auto found = state_.revisions.find(project);
  return found == state_.revisions.end() ? 0 : found->second;
}

}  // namespace elb::control
