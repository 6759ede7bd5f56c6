#include "store/memory/memory_store.h"

#include <limits>
#include <utility>

#include "store/memory/memory_state.h"
#include "store/memory/memory_transaction.h"

namespace elb::store {

MemoryStore::MemoryStore(std::uint64_t feed_kept)
    : feed_kept_(feed_kept), state_(std::make_shared<const memory::State>()) {}

MemoryStore::~MemoryStore() = default;

std::shared_ptr<const memory::State> MemoryStore::Committed() {
  const MutexLock lock(mutex_);
  return state_;
}

Result<void> MemoryStore::RunTransaction(const std::function<Result<void>(Transaction&)>& fn) {
  {
    const WriteTurn turn(writing_);
    const auto committed = Committed();
    auto draft = std::make_shared<memory::State>(*committed);
    memory::MemoryTransaction transaction(*committed, *draft);
    ELB_RETURN_IF_ERROR(fn(transaction));
    if (transaction.discarded()) {
      return {};
    }
    std::vector<Change> changes = transaction.Finish(feed_kept_);
    {
      const MutexLock lock(mutex_);
      state_ = std::move(draft);
    }
    if (changes.empty()) {
      return {};
    }
    watchers_.Enqueue(std::move(changes));
  }
  watchers_.Deliver();
  return {};
}

Result<void> MemoryStore::RunRead(const std::function<Result<void>(Reader&)>& fn) {
  const auto committed = Committed();
  ReaderOver<Reader, memory::Queries> reader{memory::Queries(*committed)};
  return fn(reader);
}

Result<std::unique_ptr<Subscription>> MemoryStore::Watch(std::uint64_t from_sequence,
                                                         ChangeCallback callback) {
  std::shared_ptr<Watchers::Watcher> watcher;
  {
    const WriteTurn turn(writing_);
    ELB_ASSIGN_OR_RETURN(std::vector<Change> backlog,
                         memory::Queries(*Committed())
                             .ChangesSince(from_sequence, std::numeric_limits<std::size_t>::max()));
    watcher = watchers_.Register(std::move(callback), std::move(backlog));
  }
  return watchers_.Start(std::move(watcher));
}

Result<void> MemoryStore::PutState(std::string_view area, std::span<const StateEntry> entries,
                                   Protection /*protection*/) {
  const MutexLock lock(mutex_);
  auto& kept = areas_[std::string(area)];
  for (const StateEntry& entry : entries) {
    if (entry.value) {
      kept[entry.key] = *entry.value;
    } else {
      kept.erase(entry.key);
    }
  }
  return {};
}

Result<std::vector<StateEntry>> MemoryStore::LoadState(std::string_view area) {
  const MutexLock lock(mutex_);
  std::vector<StateEntry> entries;
  if (const auto found = areas_.find(area); found != areas_.end()) {
    for (const auto& [key, value] : found->second) {
      entries.push_back({.key = key, .value = value});
    }
  }
  return entries;
}

Result<void> MemoryStore::BackUp(const std::filesystem::path& /*target*/) {
  return Failure(ErrorKind::kUnsupported, "", "a store in memory has no files to back up");
}

}  // namespace elb::store
