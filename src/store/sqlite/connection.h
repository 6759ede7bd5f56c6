#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"

namespace elb::store::sqlite {

class Connection;

/// One use of a prepared statement, which goes back to its connection's cache at the end. Values
/// are bound in the order of the calls; bound text must live until the last `Next` or `Run`.
class Statement {
 public:
  Statement(Connection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  Statement& Text(std::string_view value);
  Statement& Bytes(std::string_view value);
  /// Numbers beyond 2^63 - 1, which are never stored, count as 2^63 - 1.
  Statement& Number(std::uint64_t value);
  Statement& Signed(std::int64_t value);
  Statement& Null();

  /// True when there is a row.
  [[nodiscard]] Result<bool> Next();
  /// Runs a statement whose rows, if any, do not matter.
  [[nodiscard]] Result<void> Run();

  /// Columns of the current row, from 0.
  [[nodiscard]] std::string TextAt(int column) const;
  [[nodiscard]] std::uint64_t NumberAt(int column) const;
  [[nodiscard]] std::int64_t SignedAt(int column) const;
  [[nodiscard]] bool IsNull(int column) const;

 private:
  void Check(int code);

  Connection* connection_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int bind_result_ = SQLITE_OK;
};

/// One connection to a database file with its prepared statements. One thread at a time.
class Connection {
 public:
  enum class Use : std::uint8_t { kWrite, kRead };

  /// Opens an existing file; does not look into it yet.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path& file,
                                                                Use use);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  /// `sql` must be a literal: its address names the prepared statement.
  [[nodiscard]] Result<Statement> Prepare(const char* sql);
  /// Runs statements without values.
  [[nodiscard]] Result<void> Execute(const char* sql);
  /// The number in the first column of the first row, 0 when there is none.
  [[nodiscard]] Result<std::uint64_t> Ask(const char* sql);

  /// Ends an open transaction, if there is one, without keeping anything.
  void Rollback();

  /// Turns SQLite's last error into one of kind kStorage and remembers the first.
  [[nodiscard]] std::unexpected<Error> Fail(int code);
  /// The first failure since `ForgetFailure`: what follows it cannot be relied on.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  void ForgetFailure() { failure_.reset(); }

  [[nodiscard]] sqlite3* get() { return database_; }

 private:
  Connection(sqlite3* database, std::filesystem::path file)
      : database_(database), file_(std::move(file)) {}

  sqlite3* database_;
  std::filesystem::path file_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::optional<Error> failure_;
};

}  // namespace elb::store::sqlite
