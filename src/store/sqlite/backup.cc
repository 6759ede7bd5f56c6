#include "store/sqlite/backup.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <system_error>

#include "base/random.h"
#include "store/sqlite/files.h"

namespace elb::store::sqlite {
namespace {

Result<void> CopyInto(Connection& source, const std::filesystem::path& file) {
  ELB_ASSIGN_OR_RETURN(const auto copy, Connection::Open(file, Connection::Use::kWrite));
  sqlite3_backup* backup = sqlite3_backup_init(copy->get(), "main", source.get(), "main");
  if (backup == nullptr) {
    return copy->Fail(sqlite3_extended_errcode(copy->get()));
  }
  // All pages in one step, so that commits in between do not make it start again; they do not wait.
  sqlite3_backup_step(backup, -1);
  if (const int code = sqlite3_backup_finish(backup); code != SQLITE_OK) {
    return copy->Fail(code);
  }
  // A single file, whatever copies it next; opened as a store it gets its log again.
  return copy->Execute("PRAGMA journal_mode = DELETE");
}

}  // namespace

Result<void> CopyDatabase(Connection& source, const std::filesystem::path& target) {
  std::error_code unknown;
  if (std::filesystem::exists(target, unknown)) {
    return Conflict(target.string(), fmt::format("{} exists already", target.string()));
  }
  SystemRandom random;
  std::filesystem::path temporary = target;
  temporary += fmt::format(".{}.new", NewHex32(random));
  ELB_RETURN_IF_ERROR(PrepareFile(temporary, IfExists::kRefuse));
  Result<void> done = CopyInto(source, temporary);
  if (done) {
    done = Publish(temporary, target);
  }
  if (!done) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      unlink((temporary.string() + suffix).c_str());
    }
  }
  return done;
}

}  // namespace elb::store::sqlite
