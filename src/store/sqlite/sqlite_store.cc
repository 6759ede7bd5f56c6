#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "store/sqlite/backup.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/files.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_transaction.h"

namespace elb::store {
namespace {

using sqlite::Connection;
using sqlite::Statement;

/// Connections kept for the next reader; more are opened when more read at the same time.
constexpr std::size_t kIdleReadersMax = 4;

// FULL: a commit is on the disk when it returns, by one fsync of the log. The limit makes a log
// that a long reader let grow small again.
constexpr const char* kWriterSettings =
    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864";

constexpr std::string_view kKeyCheck = "key check";

std::string StateBelongsTo(std::string_view area, std::string_view key) {
  return crypto::AssociatedData({"state", area, key});
}

Result<std::vector<StateEntry>> ReadState(Connection& connection, const crypto::Sealer& sealer,
                                          std::string_view area) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare("SELECT key, value, sealed FROM state "
                                          "WHERE area = ? ORDER BY key"));
  statement.Text(area);
  std::vector<StateEntry> entries;
  while (true) {
    ELB_ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return entries;
    }
    StateEntry entry{.key = statement.TextAt(0), .value = statement.TextAt(1)};
    if (statement.NumberAt(2) != 0) {
      ELB_ASSIGN_OR_RETURN(entry.value,
                           sealer.Unseal(statement.TextAt(1), StateBelongsTo(area, entry.key)));
    }
    entries.push_back(std::move(entry));
  }
}

Result<void> UseLog(Connection& connection, const std::filesystem::path& file) {
  std::string mode;
  {
    ELB_ASSIGN_OR_RETURN(Statement statement, connection.Prepare("PRAGMA journal_mode = WAL"));
    ELB_RETURN_IF_ERROR(statement.Next());
    mode = statement.TextAt(0);
  }
  if (mode != "wal") {
    return Failure(ErrorKind::kStorage, file.string(),
                   fmt::format("store {}: its file system cannot share memory between connections; "
                               "use a local disk",
                               file.string()));
  }
  return {};
}

}  // namespace

SqliteStore::SqliteStore(std::filesystem::path file, const crypto::Sealer& sealer,
                         SqliteOptions options)
    : file_(std::move(file)), sealer_(sealer), options_(options) {}

SqliteStore::~SqliteStore() {
  {
    const MutexLock lock(idle_mutex_);
    idle_.clear();
  }
  // Last of all: closing it moves the log into the file.
  const WriteTurn turn(writing_);
  writer_.reset();
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::filesystem::path& file,
                                                       const crypto::Sealer& sealer,
                                                       SqliteOptions options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(file, sealer, options));
  ELB_RETURN_IF_ERROR(store->Start());
  return store;
}

Result<void> SqliteStore::Start() {
  std::filesystem::path lock_path = file_;
  lock_path += ".lock";
  ELB_ASSIGN_OR_RETURN(lock_, sqlite::LockFile::Acquire(lock_path));
  ELB_RETURN_IF_ERROR(sqlite::PrepareFile(file_, sqlite::IfExists::kUse));
  const WriteTurn turn(writing_);
  ELB_ASSIGN_OR_RETURN(writer_, Connection::Open(file_, Connection::Use::kWrite));
  ELB_RETURN_IF_ERROR(writer_->Execute(kWriterSettings));
  ELB_RETURN_IF_ERROR(sqlite::Migrate(*writer_, sqlite::Migrations()));
  ELB_RETURN_IF_ERROR(UseLog(*writer_, file_));
  return CheckKey();
}

Result<void> SqliteStore::CheckKey() {
  std::optional<std::string> sealed;
  {
    ELB_ASSIGN_OR_RETURN(Statement statement,
                         writer_->Prepare("SELECT value FROM setting WHERE name = 'key_check'"));
    ELB_ASSIGN_OR_RETURN(const bool found, statement.Next());
    if (found) {
      sealed = statement.TextAt(0);
    }
  }
  if (!sealed) {
    ELB_ASSIGN_OR_RETURN(const std::string value, sealer_.Seal(kKeyCheck, kKeyCheck));
    ELB_ASSIGN_OR_RETURN(Statement statement,
                         writer_->Prepare("INSERT INTO setting VALUES ('key_check', ?)"));
    statement.Bytes(value);
    return statement.Run();
  }
  if (!sealer_.Unseal(*sealed, kKeyCheck)) {
    return Failure(ErrorKind::kStorage, file_.string(),
                   fmt::format("store {} was sealed under another node key: put back the key file "
                               "that belongs to it",
                               file_.string()));
  }
  return {};
}

Result<void> SqliteStore::Write(const std::function<Result<Then>()>& work) {
  writer_->ForgetFailure();
  ELB_RETURN_IF_ERROR(writer_->Execute("BEGIN IMMEDIATE"));
  const Result<Then> then = work();
  Result<void> done;
  if (!then) {
    done = std::unexpected(then.error());
  } else if (const auto& failure = writer_->failure(); failure.has_value()) {
    done = std::unexpected(failure.value());  // `work` did not pass it on; it counts all the same.
  } else if (*then == Then::kCommit) {
    done = writer_->Execute("COMMIT");
  }
  writer_->Rollback();  // What is still open.
  return done;
}

Result<SqliteStore::Then> SqliteStore::WriteChanges(
    const std::function<Result<void>(Transaction&)>& fn, std::vector<Change>& changes) {
  sqlite::SqliteTransaction transaction(*writer_, sealer_);
  ELB_RETURN_IF_ERROR(fn(transaction));
  if (transaction.discarded()) {
    return Then::kGiveUp;
  }
  ELB_ASSIGN_OR_RETURN(changes, transaction.Finish(options_.feed_kept));
  return Then::kCommit;
}

Result<void> SqliteStore::RunTransaction(const std::function<Result<void>(Transaction&)>& fn) {
  {
    const WriteTurn turn(writing_);
    std::vector<Change> changes;
    ELB_RETURN_IF_ERROR(Write([&]() ELB_REQUIRES(writing_) { return WriteChanges(fn, changes); }));
    if (changes.empty()) {
      return {};
    }
    watchers_.Enqueue(std::move(changes));
  }
  watchers_.Deliver();
  return {};
}

Result<std::unique_ptr<Connection>> SqliteStore::TakeReader() {
  {
    const MutexLock lock(idle_mutex_);
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
  }
  return Connection::Open(file_, Connection::Use::kRead);
}

void SqliteStore::GiveBack(std::unique_ptr<Connection> reader) {
  const MutexLock lock(idle_mutex_);
  if (idle_.size() < kIdleReadersMax) {
    idle_.push_back(std::move(reader));
  }
}

Result<void> SqliteStore::OnSnapshot(const std::function<Result<void>(Connection&)>& work) {
  ELB_ASSIGN_OR_RETURN(std::unique_ptr<Connection> reader, TakeReader());
  ELB_RETURN_IF_ERROR(reader->Execute("BEGIN"));
  // The first statement that reads takes the snapshot.
  Result<void> done;
  if (const auto first = reader->Ask("SELECT count(*) FROM counter"); !first) {
    done = std::unexpected(first.error());
  } else {
    done = work(*reader);
  }
  reader->Rollback();
  if (!reader->failure()) {
    GiveBack(std::move(reader));
  }
  return done;
}

Result<void> SqliteStore::RunRead(const std::function<Result<void>(Reader&)>& fn) {
  return OnSnapshot([&](Connection& connection) {
    ReaderOver<Reader, sqlite::Queries> reader(sqlite::Queries(connection, sealer_));
    return fn(reader);
  });
}

Result<std::unique_ptr<Subscription>> SqliteStore::Watch(std::uint64_t from_sequence,
                                                         ChangeCallback callback) {
  std::shared_ptr<Watchers::Watcher> watcher;
  {
    const WriteTurn turn(writing_);
    sqlite::Queries queries(*writer_, sealer_);
    ELB_ASSIGN_OR_RETURN(
        std::vector<Change> backlog,
        queries.ChangesSince(from_sequence, std::numeric_limits<std::size_t>::max()));
    watcher = watchers_.Register(std::move(callback), std::move(backlog));
  }
  return watchers_.Start(std::move(watcher));
}

Result<void> SqliteStore::WriteState(std::string_view area, const StateEntry& entry,
                                     Protection protection) {
  if (!entry.value) {
    ELB_ASSIGN_OR_RETURN(Statement statement,
                         writer_->Prepare("DELETE FROM state WHERE area = ? AND key = ?"));
    statement.Text(area).Text(entry.key);
    return statement.Run();
  }
  std::string value = *entry.value;
  if (protection == Protection::kSealed) {
    ELB_ASSIGN_OR_RETURN(value, sealer_.Seal(*entry.value, StateBelongsTo(area, entry.key)));
  }
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       writer_->Prepare("INSERT OR REPLACE INTO state (area, key, value, sealed) "
                                        "VALUES (?, ?, ?, ?)"));
  statement.Text(area).Text(entry.key).Bytes(value);
  statement.Number(protection == Protection::kSealed ? 1U : 0U);
  return statement.Run();
}

Result<SqliteStore::Then> SqliteStore::WriteEach(std::string_view area,
                                                 std::span<const StateEntry> entries,
                                                 Protection protection) {
  for (const StateEntry& entry : entries) {
    ELB_RETURN_IF_ERROR(WriteState(area, entry, protection));
  }
  return Then::kCommit;
}

Result<void> SqliteStore::PutState(std::string_view area, std::span<const StateEntry> entries,
                                   Protection protection) {
  if (entries.empty()) {
    return {};
  }
  const WriteTurn turn(writing_);
  return Write([&]() ELB_REQUIRES(writing_) { return WriteEach(area, entries, protection); });
}

Result<std::vector<StateEntry>> SqliteStore::LoadState(std::string_view area) {
  std::vector<StateEntry> entries;
  ELB_RETURN_IF_ERROR(OnSnapshot([&](Connection& connection) -> Result<void> {
    ELB_ASSIGN_OR_RETURN(entries, ReadState(connection, sealer_, area));
    return {};
  }));
  return entries;
}

Result<void> SqliteStore::BackUp(const std::filesystem::path& target) {
  return OnSnapshot(
      [&](Connection& connection) { return sqlite::CopyDatabase(connection, target); });
}

}  // namespace elb::store
