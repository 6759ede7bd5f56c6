#include "control/draft.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "control/revision_record.h"

namespace elb::control {

using model::Json;

std::string TimeText(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

Draft::Draft(State& state, WallTime now, Random& random)
    : state_(state), at_(now), now_(TimeText(now)), random_(random) {}

Draft::~Draft() {
  while (!undo_.empty()) {
    undo_.back()();
    undo_.pop_back();
  }
}

void Draft::MarkListener(const std::string& id) {
  if (!id.empty()) {
    dirty_.listeners.insert(id);
  }
}

void Draft::MarkPool(const std::string& id) {
  if (!id.empty()) {
    dirty_.pools.insert(id);
  }
}

template <typename T>
void Draft::MarkDirty(const T& object) {
  const std::string& id = object.identity.id;
  if constexpr (std::is_same_v<T, model::LoadBalancer>) {
    for (const auto& [sequence, listener] : state_.By(kListenersOfLoadBalancer, id)) {
      MarkListener(listener);
    }
    for (const auto& [sequence, pool] : state_.By(kPoolsOfLoadBalancer, id)) {
      MarkPool(pool);
    }
  } else if constexpr (std::is_same_v<T, model::Listener>) {
    MarkListener(id);
    MarkPool(object.default_pool_id);
  } else if constexpr (std::is_same_v<T, model::Pool>) {
    MarkPool(id);
  } else if constexpr (std::is_same_v<T, model::Member> ||
                       std::is_same_v<T, model::HealthMonitor>) {
    MarkPool(object.pool_id);
  } else if constexpr (std::is_same_v<T, model::Certificate>) {
    dirty_.certificates.insert(id);
    for (const auto& [sequence, listener] : state_.By(kListenersOfCertificate, id)) {
      MarkListener(listener);
    }
  } else if constexpr (std::is_same_v<T, model::IpGroup>) {
    dirty_.ip_groups.insert(id);  // Listeners name it only: they stay as they are.
  } else if constexpr (std::is_same_v<T, model::Logtank>) {
    for (const auto& [sequence, listener] :
         state_.By(kListenersOfLoadBalancer, object.loadbalancer_id)) {
      MarkListener(listener);
    }
  } else if constexpr (std::is_same_v<T, model::SecurityPolicy>) {
    for (const auto& [sequence, listener] : state_.By(kListenersOfSecurityPolicy, id)) {
      MarkListener(listener);
    }
  } else if constexpr (std::is_same_v<T, model::L7Policy>) {
    MarkListener(object.listener_id);
    for (const std::string& pool : object.PoolIds()) {
      MarkPool(pool);
    }
  } else if constexpr (std::is_same_v<T, model::L7Rule>) {
    MarkListener(state_.l7_policies.Find(object.l7policy_id)->listener_id);
  }
}

namespace {

/// Can the change of an object be seen in a snapshot? Renaming a load balancer must not cost work
/// for each of its listeners.
template <typename T>
bool IsCompiled(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after) {
  if (before == nullptr || after == nullptr) {
    return true;
  }
  if constexpr (std::is_same_v<T, model::LoadBalancer>) {
    return before->vip_address != after->vip_address || before->eip_address != after->eip_address;
  } else if constexpr (std::is_same_v<T, model::Certificate>) {
    return before->certificate != after->certificate || before->private_key != after->private_key ||
           before->domain != after->domain;
  } else if constexpr (std::is_same_v<T, model::IpGroup>) {
    return before->ip_list != after->ip_list;
  } else if constexpr (std::is_same_v<T, model::Eip>) {
    return false;
  } else if constexpr (std::is_same_v<T, model::SecurityPolicy>) {
    return before->protocols != after->protocols || before->ciphers != after->ciphers;
  }
  return true;
}

/// Public addresses and who has them make no revisions (api-extensions.md 4.1).
template <typename T>
bool MakesRevision(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after) {
  if constexpr (std::is_same_v<T, model::Eip>) {
    return false;
  } else if constexpr (std::is_same_v<T, model::LoadBalancer>) {
    if (before != nullptr && after != nullptr && before->eip_id != after->eip_id) {
      model::LoadBalancer bound = *before;
      bound.eip_id = after->eip_id;
      bound.eip_address = after->eip_address;
      bound.identity = after->identity;
      return bound != *after;
    }
  }
  return true;
}

const char* ActionName(bool existed, bool exists) {
  if (!existed) {
    return "create";
  }
  return exists ? "update" : "delete";
}

}  // namespace

template <typename T>
void Draft::Replace(std::uint64_t sequence, const std::shared_ptr<const T>& before,
                    const std::shared_ptr<const T>& after) {
  Table<T>& table = state_.Of<T>();
  const bool compiled = IsCompiled(before, after);
  if (before != nullptr) {
    if (compiled) {
      MarkDirty(*before);
    }
    state_.Link(*before, sequence, false);
  }
  if (after != nullptr) {
    table.Put(sequence, after);
    state_.Link(*after, sequence, true);
    if (compiled) {
      MarkDirty(*after);
    }
  } else {
    table.Erase(before->identity.id);
  }
}

template <typename T>
Draft::Change Draft::Describe(std::uint64_t sequence, const std::shared_ptr<const T>& before,
                              const std::shared_ptr<const T>& after) {
  const T& object = after != nullptr ? *after : *before;
  const std::string id = object.identity.id;
  const std::string project = object.identity.project_id;
  Change change{.project = project,
                .kind = std::string(KindName<T>::kText),
                .id = id,
                .name = NameIn(object),
                .action = ActionName(before != nullptr, after != nullptr),
                .recorded = MakesRevision(before, after),
                .store = {},
                .number = {},
                .fields = {}};
  change.number = [this, id, sequence](std::uint64_t revision) {
    if (const auto current = state_.Of<T>().Get(id)) {
      auto numbered = std::make_shared<T>(*current);
      numbered->identity.revision = static_cast<std::int64_t>(revision);
      state_.Of<T>().Put(sequence, numbered);
    }
  };
  change.store = [this, id, sequence, project](store::Transaction& transaction) -> Result<void> {
    if (const T* current = state_.Of<T>().Find(id)) {
      return transaction.Put(ToDocument(*current, sequence));
    }
    ELB_RETURN_IF_ERROR(
        transaction.Delete({.project = project, .kind = KindName<T>::kText, .id = id}));
    return {};
  };
  change.fields = [before, after](Json& fields) {
    if (after != nullptr) {
      fields = RevisionFields(SchemaOf<T>(), before == nullptr ? Json() : OwnFields(*before),
                              OwnFields(*after), OwnFields(T{}));
    }
  };
  return change;
}

template <typename T>
void Draft::Record(std::uint64_t sequence, const std::shared_ptr<const T>& before,
                   const std::shared_ptr<const T>& after) {
  Replace(sequence, before, after);
  changes_.push_back(Describe(sequence, before, after));
  undo_.push_back([this, sequence, before, after] { Replace(sequence, after, before); });
}

template <typename T>
void Draft::Create(T object) {
  object.identity.created_at = object.identity.updated_at = now_;
  const std::uint64_t sequence = state_.next_sequence++;
  Record<T>(sequence, nullptr, std::make_shared<const T>(std::move(object)));
}

template <typename T>
void Draft::Update(T object) {
  const auto before = state_.Of<T>().Get(object.identity.id);
  if (before == nullptr || *before == object) {
    return;
  }
  object.identity.updated_at = now_;
  const std::uint64_t sequence = state_.Of<T>().SequenceOf(object.identity.id);
  Record<T>(sequence, before, std::make_shared<const T>(std::move(object)));
}

template <typename T>
void Draft::Delete(const std::string& id) {
  const auto before = state_.Of<T>().Get(id);
  if (before != nullptr) {
    Record<T>(state_.Of<T>().SequenceOf(id), before, nullptr);
  }
}

template <typename T>
void Draft::Touch(const std::string& id) {
  const auto before = state_.Of<T>().Get(id);
  T touched = *before;
  touched.identity.updated_at = now_;
  Record<T>(state_.Of<T>().SequenceOf(id), before, std::make_shared<const T>(std::move(touched)));
}

namespace {

template <typename Changes>
Result<void> StoreDocuments(const Changes& changes, store::Transaction& transaction) {
  for (const auto& change : changes) {
    ELB_RETURN_IF_ERROR(change.store(transaction));
  }
  return {};
}

/// The changes as the revision's record lists them.
template <typename Changes>
Json Recorded(const Changes& changes) {
  Json list = Json::array();
  for (const auto& change : changes) {
    if (!change.recorded) {
      continue;
    }
    Json fields = Json::array();
    change.fields(fields);
    list.push_back({{"action", change.action},
                    {"kind", change.kind},
                    {"id", change.id},
                    {"name", change.name},
                    {"fields", std::move(fields)}});
  }
  return list;
}

}  // namespace

Result<void> Draft::Store(store::Transaction& transaction, const Json& origin) {
  const auto first = std::ranges::find(changes_, true, &Change::recorded);
  if (first == changes_.end()) {
    return StoreDocuments(changes_, transaction);
  }
  const std::string project = first->project;
  ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, transaction.NextRevision(project));
  for (const Change& change : changes_) {
    if (change.recorded) {
      change.number(revision);
    }
  }
  ELB_RETURN_IF_ERROR(StoreDocuments(changes_, transaction));
  ELB_RETURN_IF_ERROR(transaction.AppendRevision(
      project, RevisionText({.number = revision, .at = at_}, origin, Recorded(changes_))));
  project_ = project;
  revision_ = revision;
  return {};
}

void Draft::Keep() {
  undo_.clear();
  if (revision_ != 0) {
    state_.revisions[project_] = revision_;
  }
}

#define ELB_DRAFT_OF(T)              \
  template void Draft::Create<T>(T); \
  template void Draft::Update<T>(T); \
  template void Draft::Delete<T>(const std::string&)
ELB_DRAFT_OF(model::LoadBalancer);
ELB_DRAFT_OF(model::Listener);
ELB_DRAFT_OF(model::Pool);
ELB_DRAFT_OF(model::Member);
ELB_DRAFT_OF(model::HealthMonitor);
ELB_DRAFT_OF(model::Certificate);
ELB_DRAFT_OF(model::IpGroup);
ELB_DRAFT_OF(model::SecurityPolicy);
ELB_DRAFT_OF(model::Logtank);
ELB_DRAFT_OF(model::L7Policy);
ELB_DRAFT_OF(model::L7Rule);
ELB_DRAFT_OF(model::Eip);
template void Draft::Touch<model::L7Policy>(const std::string&);
#undef ELB_DRAFT_OF

}  // namespace elb::control
