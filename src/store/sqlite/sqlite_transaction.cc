#include "store/sqlite/sqlite_transaction.h"

#include <chrono>
#include <utility>

#include "store/expectation.h"
#include "store/sqlite/secrets.h"

namespace elb::store::sqlite {
namespace {

Key KeyOf(const std::tuple<std::string, std::string, std::string>& name) {
  return {.project = std::get<0>(name), .kind = std::get<1>(name), .id = std::get<2>(name)};
}

void BindSecrets(Statement& statement, std::string_view secrets) {
  if (secrets.empty()) {
    statement.Null();
  } else {
    statement.Bytes(secrets);
  }
}

}  // namespace

SqliteTransaction::SqliteTransaction(Connection& connection, const crypto::Sealer& sealer)
    : ReaderOver(Queries(connection, sealer)), connection_(&connection), sealer_(&sealer) {}

Result<std::optional<SqliteTransaction::Stored>> SqliteTransaction::Find(Key key) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT number, revision FROM document "
                                            "WHERE project = ? AND kind = ? AND id = ?"));
  statement.Text(key.project).Text(key.kind).Text(key.id);
  ELB_ASSIGN_OR_RETURN(const bool found, statement.Next());
  if (!found) {
    return std::nullopt;
  }
  return Stored{.number = statement.NumberAt(0), .revision = statement.NumberAt(1)};
}

Result<std::uint64_t> SqliteTransaction::PendingRevision(std::string_view project) {
  if (const auto made = made_.find(project); made != made_.end()) {
    return made->second;
  }
  ELB_ASSIGN_OR_RETURN(const std::uint64_t current, CurrentRevision(project));
  return current + 1;
}

Result<void> SqliteTransaction::Touch(Key key, const std::optional<Stored>& stored) {
  Name name{key.project, key.kind, key.id};
  if (touched_names_.insert(name).second) {
    touched_.push_back({.name = std::move(name), .existed_before = stored.has_value()});
  }
  if (!stored || stored->revision == 0) {
    return {};
  }
  ELB_ASSIGN_OR_RETURN(const std::uint64_t pending, PendingRevision(key.project));
  // Only the state before this transaction is less than `pending` old.
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("INSERT INTO version SELECT project, kind, id, json, secrets, revision, "
                           "sequence, created_at, since, ?1 FROM document "
                           "WHERE number = ?2 AND since < ?1"));
  statement.Number(pending).Number(stored->number);
  return statement.Run();
}

Result<std::uint64_t> SqliteTransaction::Insert(const Document& document,
                                                std::string_view secrets) {
  ELB_ASSIGN_OR_RETURN(const std::uint64_t pending, PendingRevision(document.project));
  ELB_ASSIGN_OR_RETURN(Statement count,
                       connection_->Prepare("UPDATE counter SET value = max(value + (?1 = 0), ?1) "
                                            "WHERE name = 'document' RETURNING value"));
  count.Number(document.sequence);
  ELB_RETURN_IF_ERROR(count.Next());
  const std::uint64_t sequence = document.sequence != 0 ? document.sequence : count.NumberAt(0);
  ELB_RETURN_IF_ERROR(count.Run());

  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("INSERT INTO document (project, kind, id, json, secrets, revision, "
                           "sequence, created_at, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  statement.Text(document.project).Text(document.kind).Text(document.id).Text(document.json);
  BindSecrets(statement, secrets);
  statement.Number(document.revision)
      .Number(sequence)
      .Signed(std::chrono::floor<std::chrono::milliseconds>(document.created_at)
                  .time_since_epoch()
                  .count())
      .Number(pending);
  ELB_RETURN_IF_ERROR(statement.Run());
  return static_cast<std::uint64_t>(sqlite3_last_insert_rowid(connection_->get()));
}

Result<void> SqliteTransaction::Replace(std::uint64_t number, const Document& document,
                                        std::string_view secrets) {
  ELB_ASSIGN_OR_RETURN(const std::uint64_t pending, PendingRevision(document.project));
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("UPDATE document SET json = ?, secrets = ?, revision = ?, since = ? "
                           "WHERE number = ?"));
  statement.Text(document.json);
  BindSecrets(statement, secrets);
  statement.Number(document.revision).Number(pending).Number(number);
  return statement.Run();
}

Result<void> SqliteTransaction::PutIndexes(std::uint64_t number, std::string_view kind,
                                           const std::vector<IndexKey>& indexes) {
  ELB_ASSIGN_OR_RETURN(Statement clear,
                       connection_->Prepare("DELETE FROM index_key WHERE document = ?"));
  clear.Number(number);
  ELB_RETURN_IF_ERROR(clear.Run());
  for (const IndexKey& index : indexes) {
    ELB_ASSIGN_OR_RETURN(
        Statement statement,
        connection_->Prepare("INSERT OR IGNORE INTO index_key (kind, name, value, document) "
                             "VALUES (?, ?, ?, ?)"));
    statement.Text(kind).Text(index.name).Text(index.value).Number(number);
    ELB_RETURN_IF_ERROR(statement.Run());
  }
  return {};
}

Result<void> SqliteTransaction::Put(const Document& document, const std::vector<IndexKey>& indexes,
                                    ExpectedRevision expected) {
  const Key key = document.key();
  ELB_ASSIGN_OR_RETURN(const std::optional<Stored> stored, Find(key));
  ELB_RETURN_IF_ERROR(
      CheckExpected(key, expected, stored ? std::optional(stored->revision) : std::nullopt));
  ELB_ASSIGN_OR_RETURN(const std::string secrets, SealSecrets(*sealer_, key, document.secrets));
  ELB_RETURN_IF_ERROR(Touch(key, stored));
  if (stored) {
    ELB_RETURN_IF_ERROR(Replace(stored->number, document, secrets));
    return PutIndexes(stored->number, document.kind, indexes);
  }
  ELB_ASSIGN_OR_RETURN(const std::uint64_t number, Insert(document, secrets));
  return PutIndexes(number, document.kind, indexes);
}

Result<bool> SqliteTransaction::Delete(Key key, ExpectedRevision expected) {
  ELB_ASSIGN_OR_RETURN(const std::optional<Stored> stored, Find(key));
  ELB_RETURN_IF_ERROR(
      CheckExpected(key, expected, stored ? std::optional(stored->revision) : std::nullopt));
  if (!stored) {
    return false;
  }
  ELB_RETURN_IF_ERROR(Touch(key, stored));
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("DELETE FROM document WHERE number = ?"));
  statement.Number(stored->number);
  ELB_RETURN_IF_ERROR(statement.Run());
  return true;
}

Result<std::uint64_t> SqliteTransaction::NextRevision(std::string_view project) {
  if (const auto made = made_.find(project); made != made_.end()) {
    return made->second;
  }
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("INSERT INTO project (name, revision, oldest) VALUES (?, 1, 0) "
                           "ON CONFLICT (name) DO UPDATE SET revision = revision + 1 "
                           "RETURNING revision"));
  statement.Text(project);
  ELB_RETURN_IF_ERROR(statement.Next());
  const std::uint64_t revision = statement.NumberAt(0);
  ELB_RETURN_IF_ERROR(statement.Run());
  made_.emplace(project, revision);
  return revision;
}

Result<void> SqliteTransaction::AppendRevision(std::string_view project, std::string_view json) {
  ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, NextRevision(project));
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("INSERT OR REPLACE INTO revision (project, number, json) "
                           "VALUES (?, ?, ?)"));
  statement.Text(project).Number(revision).Text(json);
  return statement.Run();
}

Result<void> SqliteTransaction::TrimRevisions(std::string_view project, std::uint64_t oldest_kept) {
  ELB_ASSIGN_OR_RETURN(
      Statement mark,
      connection_->Prepare("UPDATE project SET oldest = max(oldest, min(?, revision + 1)) "
                           "WHERE name = ?"));
  mark.Number(oldest_kept).Text(project);
  ELB_RETURN_IF_ERROR(mark.Run());
  for (const char* sql : {"DELETE FROM revision WHERE project = ?1 AND number < "
                          "(SELECT oldest FROM project WHERE name = ?1)",
                          "DELETE FROM version WHERE project = ?1 AND until <= "
                          "(SELECT oldest FROM project WHERE name = ?1)"}) {
    ELB_ASSIGN_OR_RETURN(Statement statement, connection_->Prepare(sql));
    statement.Text(project);
    ELB_RETURN_IF_ERROR(statement.Run());
  }
  return {};
}

void SqliteTransaction::ForgetTouched(std::size_t kept) {
  while (touched_.size() > kept) {
    touched_names_.erase(touched_.back().name);
    touched_.pop_back();
  }
}

Result<void> SqliteTransaction::RunNested(const std::function<Result<void>()>& fn) {
  const std::size_t touched_before = touched_.size();
  const auto made_before = made_;
  // Savepoints of one name nest; both statements below concern the innermost.
  ELB_RETURN_IF_ERROR(connection_->Execute("SAVEPOINT part"));
  Result<void> done = fn();
  if (!done) {
    ForgetTouched(touched_before);
    made_ = made_before;
    if (connection_->failure()) {
      return done;
    }
    ELB_RETURN_IF_ERROR(connection_->Execute("ROLLBACK TO part"));
  }
  ELB_RETURN_IF_ERROR(connection_->Execute("RELEASE part"));
  return done;
}

Result<void> SqliteTransaction::KeepInRevision(const Name& name, std::uint64_t revision) {
  const Key key = KeyOf(name);
  // `Touch` and `Put` counted on a new revision, `?4 + 1`. A state that began with the newest
  // revision was replaced within it; an older one ends with it.
  for (const char* sql : {"DELETE FROM version WHERE project = ?1 AND kind = ?2 AND id = ?3 "
                          "AND until = ?4 + 1 AND since >= ?4",
                          "UPDATE version SET until = ?4 WHERE project = ?1 AND kind = ?2 "
                          "AND id = ?3 AND until = ?4 + 1",
                          "UPDATE document SET since = ?4 WHERE project = ?1 AND kind = ?2 "
                          "AND id = ?3"}) {
    ELB_ASSIGN_OR_RETURN(Statement statement, connection_->Prepare(sql));
    statement.Text(key.project).Text(key.kind).Text(key.id).Number(revision);
    ELB_RETURN_IF_ERROR(statement.Run());
  }
  return {};
}

Result<std::optional<ChangeAction>> SqliteTransaction::ActionOn(const Touched& touched) {
  ELB_ASSIGN_OR_RETURN(const std::optional<Stored> now, Find(KeyOf(touched.name)));
  if (!now && !touched.existed_before) {
    return std::nullopt;
  }
  if (!touched.existed_before) {
    return ChangeAction::kCreate;
  }
  return now ? ChangeAction::kUpdate : ChangeAction::kDelete;
}

Result<void> SqliteTransaction::WriteFeed(const std::vector<Change>& changes,
                                          std::uint64_t feed_kept) {
  const std::uint64_t sequence = changes.front().sequence;
  std::uint64_t position = 0;
  for (const Change& change : changes) {
    ELB_ASSIGN_OR_RETURN(
        Statement statement,
        connection_->Prepare("INSERT INTO change (sequence, position, project, revision, kind, id, "
                             "action) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    statement.Number(sequence).Number(position++).Text(change.project).Number(change.revision);
    statement.Text(change.kind).Text(change.id).Number(static_cast<std::uint64_t>(change.action));
    ELB_RETURN_IF_ERROR(statement.Run());
  }
  ELB_RETURN_IF_ERROR(
      connection_->Execute("UPDATE counter SET value = value + 1 WHERE name = 'change'"));
  if (sequence <= feed_kept) {
    return {};
  }
  const std::uint64_t forgotten = sequence - feed_kept;
  for (const char* sql : {"DELETE FROM change WHERE sequence <= ?",
                          "UPDATE counter SET value = max(value, ?) WHERE name = 'forgotten'"}) {
    ELB_ASSIGN_OR_RETURN(Statement statement, connection_->Prepare(sql));
    statement.Number(forgotten);
    ELB_RETURN_IF_ERROR(statement.Run());
  }
  return {};
}

Result<std::vector<Change>> SqliteTransaction::Finish(std::uint64_t feed_kept) {
  std::vector<Change> changes;
  ELB_ASSIGN_OR_RETURN(const std::uint64_t last, LastChange());
  for (const Touched& touched : touched_) {
    const auto& [project, kind, id] = touched.name;
    ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, CurrentRevision(project));
    ELB_RETURN_IF_ERROR(made_.contains(project) ? Result<void>()
                                                : KeepInRevision(touched.name, revision));
    ELB_ASSIGN_OR_RETURN(const std::optional<ChangeAction> action, ActionOn(touched));
    if (action) {
      changes.push_back({.sequence = last + 1,
                         .project = project,
                         .revision = revision,
                         .kind = kind,
                         .id = id,
                         .action = *action});
    }
  }
  if (!changes.empty()) {
    ELB_RETURN_IF_ERROR(WriteFeed(changes, feed_kept));
  }
  return changes;
}

}  // namespace elb::store::sqlite
