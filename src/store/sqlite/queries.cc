#include "store/sqlite/queries.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "store/sqlite/secrets.h"

// Literals, since the address of its text names a prepared statement.
#define ELB_DOCUMENT_COLUMNS "project, kind, id, json, secrets, revision, sequence, created_at"

namespace elb::store::sqlite {

Result<Document> Queries::ReadOne(const Statement& statement) {
  Document document{
      .project = statement.TextAt(0),
      .kind = statement.TextAt(1),
      .id = statement.TextAt(2),
      .json = statement.TextAt(3),
      .secrets = {},
      .revision = statement.NumberAt(5),
      .sequence = statement.NumberAt(6),
      .created_at = WallTime(std::chrono::milliseconds(statement.SignedAt(7))),
  };
  if (!statement.IsNull(4)) {
    ELB_ASSIGN_OR_RETURN(document.secrets,
                         UnsealSecrets(*sealer_, document.key(), statement.TextAt(4)));
  }
  return document;
}

Result<std::vector<Document>> Queries::ReadAll(Statement& statement) {
  std::vector<Document> documents;
  while (true) {
    ELB_ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return documents;
    }
    ELB_ASSIGN_OR_RETURN(Document document, ReadOne(statement));
    documents.push_back(std::move(document));
  }
}

Result<std::optional<Document>> Queries::Get(Key key) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT " ELB_DOCUMENT_COLUMNS " FROM document "
                                            "WHERE project = ? AND kind = ? AND id = ?"));
  statement.Text(key.project).Text(key.kind).Text(key.id);
  ELB_ASSIGN_OR_RETURN(const bool found, statement.Next());
  if (!found) {
    return std::nullopt;
  }
  return ReadOne(statement);
}

Result<std::vector<Document>> Queries::List(std::string_view project, std::string_view kind,
                                            ListRange range) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT " ELB_DOCUMENT_COLUMNS " FROM document "
                                            "WHERE project = ? AND kind = ? AND sequence > ? "
                                            "ORDER BY sequence, number LIMIT ?"));
  statement.Text(project).Text(kind).Number(range.after_sequence).Number(range.limit);
  return ReadAll(statement);
}

Result<std::vector<Document>> Queries::ListAll(std::string_view kind, ListRange range) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT " ELB_DOCUMENT_COLUMNS " FROM document "
                                            "WHERE kind = ? AND sequence > ? "
                                            "ORDER BY sequence, number LIMIT ?"));
  statement.Text(kind).Number(range.after_sequence).Number(range.limit);
  return ReadAll(statement);
}

Result<std::vector<Document>> Queries::FindByIndex(std::string_view kind, std::string_view name,
                                                   std::string_view value) {
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("SELECT " ELB_DOCUMENT_COLUMNS " FROM document WHERE number IN "
                           "(SELECT document FROM index_key "
                           " WHERE kind = ? AND name = ? AND value = ?) "
                           "ORDER BY sequence, number"));
  statement.Text(kind).Text(name).Text(value);
  return ReadAll(statement);
}

Result<std::uint64_t> Queries::Count(std::string_view project, std::string_view kind) {
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("SELECT count(*) FROM document WHERE project = ? AND kind = ?"));
  statement.Text(project).Text(kind);
  ELB_RETURN_IF_ERROR(statement.Next());
  return statement.NumberAt(0);
}

Result<std::uint64_t> Queries::CountByIndex(std::string_view kind, std::string_view name,
                                            std::string_view value) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT count(*) FROM index_key "
                                            "WHERE kind = ? AND name = ? AND value = ?"));
  statement.Text(kind).Text(name).Text(value);
  ELB_RETURN_IF_ERROR(statement.Next());
  return statement.NumberAt(0);
}

Result<std::uint64_t> Queries::CurrentRevision(std::string_view project) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT revision FROM project WHERE name = ?"));
  statement.Text(project);
  ELB_ASSIGN_OR_RETURN(const bool found, statement.Next());
  return found ? statement.NumberAt(0) : 0;
}

Result<std::optional<RevisionRecord>> Queries::GetRevision(std::string_view project,
                                                           std::uint64_t number) {
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("SELECT json FROM revision WHERE project = ? AND number = ?"));
  statement.Text(project).Number(number);
  ELB_ASSIGN_OR_RETURN(const bool found, statement.Next());
  if (!found) {
    return std::nullopt;
  }
  return RevisionRecord{.number = number, .json = statement.TextAt(0)};
}

Result<std::vector<RevisionRecord>> Queries::ListRevisions(std::string_view project,
                                                           std::uint64_t before,
                                                           std::size_t limit) {
  ELB_ASSIGN_OR_RETURN(Statement statement,
                       connection_->Prepare("SELECT number, json FROM revision "
                                            "WHERE project = ? AND number < ? "
                                            "ORDER BY number DESC LIMIT ?"));
  statement.Text(project).Number(before).Number(limit);
  std::vector<RevisionRecord> records;
  while (true) {
    ELB_ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return records;
    }
    records.push_back({.number = statement.NumberAt(0), .json = statement.TextAt(1)});
  }
}

Result<std::vector<Document>> Queries::ListAt(std::string_view project, std::uint64_t revision) {
  ELB_ASSIGN_OR_RETURN(Statement known,
                       connection_->Prepare("SELECT revision, oldest FROM project WHERE name = ?"));
  known.Text(project);
  ELB_ASSIGN_OR_RETURN(const bool found, known.Next());
  const std::uint64_t newest = found ? known.NumberAt(0) : 0;
  const std::uint64_t oldest = found ? known.NumberAt(1) : 0;
  if (revision > newest || revision < oldest) {
    return NotFound("", fmt::format("revision {} {}", revision,
                                    revision > newest ? "does not exist" : "is no longer kept"));
  }
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("SELECT " ELB_DOCUMENT_COLUMNS " FROM document "
                           "WHERE project = ?1 AND revision > 0 AND since <= ?2 UNION ALL "
                           "SELECT " ELB_DOCUMENT_COLUMNS " FROM version "
                           "WHERE project = ?1 AND since <= ?2 AND until > ?2 "
                           "ORDER BY sequence, kind, id"));
  statement.Text(project).Number(revision);
  return ReadAll(statement);
}

Result<std::uint64_t> Queries::LastChange() {
  return connection_->Ask("SELECT value FROM counter WHERE name = 'change'");
}

Result<std::vector<Change>> Queries::ChangesSince(std::uint64_t sequence, std::size_t limit) {
  ELB_ASSIGN_OR_RETURN(const std::uint64_t forgotten,
                       connection_->Ask("SELECT value FROM counter WHERE name = 'forgotten'"));
  if (sequence < forgotten) {
    return NotFound("", fmt::format("changes behind {} are no longer kept", sequence));
  }
  ELB_ASSIGN_OR_RETURN(
      Statement statement,
      connection_->Prepare("SELECT sequence, project, revision, kind, id, action FROM change "
                           "WHERE sequence > ? ORDER BY sequence, position"));
  statement.Number(sequence);
  std::vector<Change> changes;
  while (true) {
    ELB_ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return changes;
    }
    const std::uint64_t current = statement.NumberAt(0);
    if (!changes.empty() && changes.back().sequence != current && changes.size() >= limit) {
      return changes;
    }
    changes.push_back({.sequence = current,
                       .project = statement.TextAt(1),
                       .revision = statement.NumberAt(2),
                       .kind = statement.TextAt(3),
                       .id = statement.TextAt(4),
                       .action = static_cast<ChangeAction>(statement.NumberAt(5))});
  }
}

}  // namespace elb::store::sqlite
