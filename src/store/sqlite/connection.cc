#include "store/sqlite/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace elb::store::sqlite {
namespace {

/// How long a statement waits for a lock of another connection. Our writers wait for each other
/// before they come here, and readers wait for nobody; left are moments of opening and closing.
constexpr int kBusyMilliseconds = 10'000;

/// What an operator can do, where there is something.
std::string_view Advice(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "; the file is damaged: restore a backup";
    case SQLITE_FULL:
      return "; free some disk space";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "; check the rights of the file and its directory";
    default:
      return "";
  }
}

Error StorageError(const std::filesystem::path& file, int code, const char* message) {
  return {.kind = ErrorKind::kStorage,
          .path = file.string(),
          .message = fmt::format("store {}: {} (SQLite error {}){}", file.string(), message, code,
                                 Advice(code)),
          .details = {},
          .blockers = {},
          .blockers_total = 0,
          .shared = false};
}

/// SQLite takes a null pointer for NULL.
const char* DataOf(std::string_view text) { return text.data() == nullptr ? "" : text.data(); }

}  // namespace

Statement::~Statement() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      bind_result_(other.bind_result_) {}

void Statement::Check(int code) {
  if (bind_result_ == SQLITE_OK) {
    bind_result_ = code;
  }
}

Statement& Statement::Text(std::string_view value) {
  Check(sqlite3_bind_text64(statement_, ++bound_, DataOf(value), value.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
  return *this;
}

Statement& Statement::Bytes(std::string_view value) {
  Check(sqlite3_bind_blob64(statement_, ++bound_, DataOf(value), value.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::Number(std::uint64_t value) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  return Signed(static_cast<std::int64_t>(std::min(value, kMax)));
}

Statement& Statement::Signed(std::int64_t value) {
  Check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

Statement& Statement::Null() {
  Check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

Result<bool> Statement::Next() {
  if (bind_result_ != SQLITE_OK) {
    return connection_->Fail(bind_result_);
  }
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    return connection_->Fail(code);
  }
  return code == SQLITE_ROW;
}

Result<void> Statement::Run() {
  while (true) {
    ELB_ASSIGN_OR_RETURN(const bool row, Next());
    if (!row) {
      return {};
    }
  }
}

std::string Statement::TextAt(int column) const {
  // The length only counts after the conversion that asking for the bytes may cause.
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::uint64_t Statement::NumberAt(int column) const {
  return static_cast<std::uint64_t>(SignedAt(column));
}

std::int64_t Statement::SignedAt(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Connection>> Connection::Open(const std::filesystem::path& file, Use use) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    auto error = StorageError(
        file, code, database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    sqlite3_close(database);
    return std::unexpected(std::move(error));
  }
  std::unique_ptr<Connection> connection(new Connection(database, file));
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ELB_RETURN_IF_ERROR(
      connection->Execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                          "PRAGMA cell_size_check = ON"));
  if (use == Use::kRead) {
    ELB_RETURN_IF_ERROR(connection->Execute("PRAGMA query_only = ON"));
  }
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(database_);
}

Result<Statement> Connection::Prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      return Fail(code);
    }
  }
  return Statement(*this, statement);
}

Result<void> Connection::Execute(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return Fail(code);
  }
  return {};
}

Result<std::uint64_t> Connection::Ask(const char* sql) {
  ELB_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ELB_ASSIGN_OR_RETURN(const bool row, statement.Next());
  return row ? statement.NumberAt(0) : 0;
}

void Connection::Rollback() {
  // SQLite itself gives up the transaction after some failures.
  if (sqlite3_get_autocommit(database_) == 0) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

std::unexpected<Error> Connection::Fail(int code) {
  Error error = StorageError(file_, code, sqlite3_errmsg(database_));
  if (!failure_) {
    failure_ = error;
  }
  return std::unexpected(std::move(error));
}

}  // namespace elb::store::sqlite
