#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "store/store.h"
#include "store/watchers.h"
#include "store/write_lock.h"

namespace elb::store {

namespace memory {
struct State;
}  // namespace memory

/// A store that ends with the process, for tests of what is above it. Keeps every promise of
/// `Store` but those about disks and cost: a transaction and a search cost as much as there are
/// documents.
class MemoryStore final : public Store {
 public:
  /// The change feed keeps at least `feed_kept` transactions.
  explicit MemoryStore(std::uint64_t feed_kept = 10'000);
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;
  MemoryStore(MemoryStore&&) = delete;
  MemoryStore& operator=(MemoryStore&&) = delete;

  [[nodiscard]] Result<std::unique_ptr<Subscription>> Watch(std::uint64_t from_sequence,
                                                            ChangeCallback callback) override;
  [[nodiscard]] Result<void> PutState(std::string_view area, std::span<const StateEntry> entries,
                                      Protection protection) override;
  [[nodiscard]] Result<std::vector<StateEntry>> LoadState(std::string_view area) override;
  [[nodiscard]] Result<void> BackUp(const std::filesystem::path& target) override;

 protected:
  [[nodiscard]] Result<void> RunTransaction(
      const std::function<Result<void>(Transaction&)>& fn) override;
  [[nodiscard]] Result<void> RunRead(const std::function<Result<void>(Reader&)>& fn) override;

 private:
  [[nodiscard]] std::shared_ptr<const memory::State> Committed() ELB_EXCLUDES(mutex_);

  const std::uint64_t feed_kept_;
  Watchers watchers_;
  WriteLock writing_;  ///< Held by the transaction that runs; taken before `mutex_`.
  Mutex mutex_;
  std::shared_ptr<const memory::State> state_ ELB_GUARDED_BY(mutex_);
  std::map<std::string, std::map<std::string, std::string>, std::less<>> areas_
      ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::store
