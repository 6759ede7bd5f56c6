#include "store/memory/memory_transaction.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "store/expectation.h"

namespace elb::store::memory {
namespace {

const Entry* Find(const State& state, const Name& name) {
  const auto found = state.documents.find(name);
  return found == state.documents.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> RevisionOf(const Entry* entry) {
  return entry == nullptr ? std::nullopt : std::optional(entry->document->revision);
}

ChangeAction ActionOf(bool existed, bool exists) {
  if (!existed) {
    return ChangeAction::kCreate;
  }
  return exists ? ChangeAction::kUpdate : ChangeAction::kDelete;
}

}  // namespace

MemoryTransaction::MemoryTransaction(const State& committed, State& draft)
    : ReaderOver(Queries(draft)), committed_(committed), draft_(draft) {}

void MemoryTransaction::Touch(const Name& name) {
  if (std::ranges::find(touched_, name) != touched_.end()) {
    return;
  }
  touched_.push_back(name);
  const Entry* before = Find(committed_, name);
  if (before != nullptr && before->document->revision > 0) {
    const std::string& project = std::get<0>(name);
    draft_.projects[project].versions.push_back({.document = before->document,
                                                 .since = before->since,
                                                 .until = CommittedRevision(project) + 1});
  }
}

std::uint64_t MemoryTransaction::CommittedRevision(std::string_view project) const {
  const auto found = committed_.projects.find(project);
  return found == committed_.projects.end() ? 0 : found->second.revision;
}

Result<void> MemoryTransaction::Put(const Document& document, const std::vector<IndexKey>& indexes,
                                    ExpectedRevision expected) {
  const Name name = NameOf(document.key());
  const Entry* stored = Find(draft_, name);
  ELB_RETURN_IF_ERROR(CheckExpected(document.key(), expected, RevisionOf(stored)));
  auto next = std::make_shared<Document>(document);
  if (stored != nullptr) {
    next->sequence = stored->document->sequence;
    next->created_at = stored->document->created_at;
  } else {
    next->created_at = std::chrono::floor<std::chrono::milliseconds>(document.created_at);
    if (next->sequence == 0) {
      next->sequence = draft_.last_document + 1;
    }
    draft_.last_document = std::max(draft_.last_document, next->sequence);
  }
  Touch(name);
  draft_.documents[name] = {.document = std::move(next),
                            .indexes = indexes,
                            .since = CommittedRevision(document.project) + 1};
  return {};
}

Result<bool> MemoryTransaction::Delete(Key key, ExpectedRevision expected) {
  const Name name = NameOf(key);
  const Entry* stored = Find(draft_, name);
  ELB_RETURN_IF_ERROR(CheckExpected(key, expected, RevisionOf(stored)));
  if (stored == nullptr) {
    return false;
  }
  Touch(name);
  draft_.documents.erase(name);
  return true;
}

Result<std::uint64_t> MemoryTransaction::NextRevision(std::string_view project) {
  const std::uint64_t revision = CommittedRevision(project) + 1;
  draft_.projects[std::string(project)].revision = revision;
  return revision;
}

Result<void> MemoryTransaction::AppendRevision(std::string_view project, std::string_view json) {
  ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, NextRevision(project));
  draft_.projects[std::string(project)].records[revision] = json;
  return {};
}

Result<void> MemoryTransaction::TrimRevisions(std::string_view project, std::uint64_t oldest_kept) {
  const auto found = draft_.projects.find(project);
  if (found == draft_.projects.end()) {
    return {};
  }
  Project& history = found->second;
  history.oldest = std::max(history.oldest, std::min(oldest_kept, history.revision + 1));
  std::erase_if(history.records, [&](const auto& record) { return record.first < history.oldest; });
  std::erase_if(history.versions,
                [&](const Version& version) { return version.until <= history.oldest; });
  return {};
}

Result<void> MemoryTransaction::RunNested(const std::function<Result<void>()>& fn) {
  State before = draft_;
  const std::vector<Name> touched_before = touched_;
  Result<void> done = fn();
  if (!done) {
    draft_ = std::move(before);
    touched_ = touched_before;
  }
  return done;
}

void MemoryTransaction::KeepInRevision(const Name& name) {
  Project& project = draft_.projects[std::get<0>(name)];
  const std::uint64_t revision = project.revision;
  if (const auto now = draft_.documents.find(name); now != draft_.documents.end()) {
    now->second.since = revision;
  }
  // A state that began with the newest revision was replaced within it; an older one ends with it.
  const Entry* before = Find(committed_, name);
  if (before == nullptr) {
    return;
  }
  std::erase_if(project.versions, [&](Version& version) {
    if (version.document == before->document) {
      version.until = revision;
    }
    return version.since >= version.until;
  });
}

std::vector<Change> MemoryTransaction::Finish(std::uint64_t feed_kept) {
  std::vector<Change> changes;
  for (const Name& name : touched_) {
    const auto& [project, kind, id] = name;
    const std::uint64_t revision = draft_.projects[project].revision;
    if (revision == CommittedRevision(project)) {
      KeepInRevision(name);
    }
    const bool existed = committed_.documents.contains(name);
    const bool exists = draft_.documents.contains(name);
    if (!existed && !exists) {
      continue;
    }
    changes.push_back({.sequence = committed_.last_change + 1,
                       .project = project,
                       .revision = revision,
                       .kind = kind,
                       .id = id,
                       .action = ActionOf(existed, exists)});
  }
  if (changes.empty()) {
    return changes;
  }
  const std::uint64_t sequence = ++draft_.last_change;
  draft_.feed.insert(draft_.feed.end(), changes.begin(), changes.end());
  draft_.forgotten = std::max(draft_.forgotten, sequence > feed_kept ? sequence - feed_kept : 0);
  std::erase_if(draft_.feed,
                [&](const Change& change) { return change.sequence <= draft_.forgotten; });
  return changes;
}

}  // namespace elb::store::memory
