#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "crypto/sealing.h"
#include "store/store.h"
#include "store/watchers.h"
#include "store/write_lock.h"

namespace elb::store {

namespace sqlite {
class Connection;
class LockFile;
}  // namespace sqlite

struct SqliteOptions {
  /// Transactions that the change feed keeps at least.
  std::uint64_t feed_kept = 10'000;
};

/// A store in one SQLite file of mode 0600, with its log (`-wal`) and lock (`.lock`) beside it.
class SqliteStore final : public Store {
 public:
  /// Opens the file or makes it; its directory must exist. `sealer` must outlive the store.
  /// kStorage, with a message that says what to do: another process serves it, it was sealed under
  /// another node key, it is newer than this program, damaged, or not a store.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> Open(const std::filesystem::path& file,
                                                                 const crypto::Sealer& sealer,
                                                                 SqliteOptions options = {});
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;
  SqliteStore(SqliteStore&&) = delete;
  SqliteStore& operator=(SqliteStore&&) = delete;

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
  SqliteStore(std::filesystem::path file, const crypto::Sealer& sealer, SqliteOptions options);

  [[nodiscard]] Result<void> Start();
  [[nodiscard]] Result<void> CheckKey() ELB_REQUIRES(writing_);
  /// Begins, runs `work`, commits when it says so and nothing failed.
  enum class Then : std::uint8_t { kCommit, kGiveUp };
  [[nodiscard]] Result<void> Write(const std::function<Result<Then>()>& work)
      ELB_REQUIRES(writing_);
  [[nodiscard]] Result<Then> WriteChanges(const std::function<Result<void>(Transaction&)>& fn,
                                          std::vector<Change>& changes) ELB_REQUIRES(writing_);
  [[nodiscard]] Result<void> WriteState(std::string_view area, const StateEntry& entry,
                                        Protection protection) ELB_REQUIRES(writing_);
  [[nodiscard]] Result<Then> WriteEach(std::string_view area, std::span<const StateEntry> entries,
                                       Protection protection) ELB_REQUIRES(writing_);
  /// Runs `work` on a connection of its own, inside one read transaction.
  [[nodiscard]] Result<void> OnSnapshot(
      const std::function<Result<void>(sqlite::Connection&)>& work) ELB_EXCLUDES(idle_mutex_);
  [[nodiscard]] Result<std::unique_ptr<sqlite::Connection>> TakeReader() ELB_EXCLUDES(idle_mutex_);
  void GiveBack(std::unique_ptr<sqlite::Connection> reader) ELB_EXCLUDES(idle_mutex_);

  const std::filesystem::path file_;
  const crypto::Sealer& sealer_;
  const SqliteOptions options_;
  std::unique_ptr<sqlite::LockFile> lock_;  // Given back last.
  Watchers watchers_;
  WriteLock writing_;
  std::unique_ptr<sqlite::Connection> writer_ ELB_GUARDED_BY(writing_);
  Mutex idle_mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> idle_ ELB_GUARDED_BY(idle_mutex_);
};

}  // namespace elb::store
