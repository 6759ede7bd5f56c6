#include "store/sqlite/schema.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace elb::store::sqlite {
namespace {

/// "ELB1" in the file's header says whose it is.
constexpr std::uint64_t kApplicationId = 0x454c4231;

// `since`: the project's revision from which on the row is as it is; `until`: the one that ended
// it. A document without revisions (revision 0) has no versions.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE document (
  number INTEGER PRIMARY KEY,
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  json TEXT NOT NULL,
  secrets BLOB,
  revision INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  created_at INTEGER NOT NULL,  -- Milliseconds since 1970.
  since INTEGER NOT NULL,
  UNIQUE (project, kind, id)
) STRICT;
CREATE INDEX document_by_kind ON document (kind, sequence);
CREATE INDEX document_by_project ON document (project, kind, sequence);

CREATE TABLE index_key (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  document INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
  PRIMARY KEY (kind, name, value, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX index_key_by_document ON index_key (document);

CREATE TABLE version (
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  json TEXT NOT NULL,
  secrets BLOB,
  revision INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  UNIQUE (project, until, kind, id)
) STRICT;

CREATE TABLE project (
  name TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  oldest INTEGER NOT NULL  -- States before this revision are no longer kept.
) STRICT, WITHOUT ROWID;
CREATE TABLE revision (
  project TEXT NOT NULL,
  number INTEGER NOT NULL,
  json TEXT NOT NULL,
  UNIQUE (project, number)
) STRICT;

CREATE TABLE change (
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  project TEXT NOT NULL,
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  action INTEGER NOT NULL,
  PRIMARY KEY (sequence, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
  area TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  sealed INTEGER NOT NULL,
  PRIMARY KEY (area, key)
) STRICT, WITHOUT ROWID;

-- document: the last creation sequence. change: the last transaction of the feed.
-- forgotten: the last transaction that the feed no longer holds.
CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('document', 0), ('change', 0), ('forgotten', 0);

-- key_check: a sealed value that tells the right node key from others.
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

std::unexpected<Error> Refuse(Connection& connection, std::string_view why) {
  const std::string file = sqlite3_db_filename(connection.get(), "main");
  return Failure(ErrorKind::kStorage, file, fmt::format("store {} {}", file, why));
}

Result<void> RunStep(Connection& connection, const char* step, std::size_t version) {
  const std::string numbers =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, version);
  ELB_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  for (const char* sql : {step, numbers.c_str(), "COMMIT"}) {
    if (auto done = connection.Execute(sql); !done) {
      connection.Rollback();
      return done;
    }
  }
  return {};
}

}  // namespace

std::span<const char* const> Migrations() {
  static constexpr std::array kSteps = {kVersion1};
  return kSteps;
}

Result<void> Migrate(Connection& connection, std::span<const char* const> steps) {
  ELB_ASSIGN_OR_RETURN(const std::uint64_t owner, connection.Ask("PRAGMA application_id"));
  ELB_ASSIGN_OR_RETURN(const std::uint64_t version, connection.Ask("PRAGMA user_version"));
  ELB_ASSIGN_OR_RETURN(const std::uint64_t objects,
                       connection.Ask("SELECT count(*) FROM sqlite_schema"));
  const bool fresh = owner == 0 && version == 0 && objects == 0;
  if (owner != kApplicationId && !fresh) {
    return Refuse(connection, "is a database of another program");
  }
  if (version > steps.size()) {
    return Refuse(connection,
                  fmt::format("has schema version {}, but this program knows only versions up to "
                              "{}: it was written by a newer release, use that one",
                              version, steps.size()));
  }
  for (std::size_t next = version; next < steps.size(); ++next) {
    ELB_RETURN_IF_ERROR(RunStep(connection, steps[next], next + 1));
  }
  return {};
}

}  // namespace elb::store::sqlite
