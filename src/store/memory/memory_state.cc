#include "store/memory/memory_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace elb::store::memory {
namespace {

bool HasIndex(const Entry& entry, std::string_view name, std::string_view value) {
  return std::ranges::any_of(entry.indexes, [&](const IndexKey& index) {
    return index.name == name && index.value == value;
  });
}

void SortByCreation(std::vector<Document>& documents) {
  std::ranges::sort(documents, {}, [](const Document& document) {
    return std::tie(document.sequence, document.kind, document.id);
  });
}

}  // namespace

Name NameOf(Key key) {
  return {std::string(key.project), std::string(key.kind), std::string(key.id)};
}

std::vector<Document> Queries::Where(const std::function<bool(const Entry&)>& chosen,
                                     ListRange range) const {
  std::vector<Document> found;
  for (const auto& [name, entry] : state_->documents) {
    if (entry.document->sequence > range.after_sequence && chosen(entry)) {
      found.push_back(*entry.document);
    }
  }
  SortByCreation(found);
  found.resize(std::min(found.size(), range.limit));
  return found;
}

Result<std::optional<Document>> Queries::Get(Key key) {
  const auto found = state_->documents.find(NameOf(key));
  return found == state_->documents.end() ? std::nullopt
                                          : std::optional<Document>(*found->second.document);
}

Result<std::vector<Document>> Queries::List(std::string_view project, std::string_view kind,
                                            ListRange range) {
  return Where(
      [&](const Entry& entry) {
        return entry.document->project == project && entry.document->kind == kind;
      },
      range);
}

Result<std::vector<Document>> Queries::ListAll(std::string_view kind, ListRange range) {
  return Where([&](const Entry& entry) { return entry.document->kind == kind; }, range);
}

Result<std::vector<Document>> Queries::FindByIndex(std::string_view kind, std::string_view name,
                                                   std::string_view value) {
  return Where([&](const Entry& entry) {
    return entry.document->kind == kind && HasIndex(entry, name, value);
  });
}

Result<std::uint64_t> Queries::Count(std::string_view project, std::string_view kind) {
  ELB_ASSIGN_OR_RETURN(const auto found, List(project, kind, {}));
  return found.size();
}

Result<std::uint64_t> Queries::CountByIndex(std::string_view kind, std::string_view name,
                                            std::string_view value) {
  ELB_ASSIGN_OR_RETURN(const auto found, FindByIndex(kind, name, value));
  return found.size();
}

Result<std::uint64_t> Queries::CurrentRevision(std::string_view project) {
  const auto found = state_->projects.find(project);
  return found == state_->projects.end() ? 0 : found->second.revision;
}

Result<std::optional<RevisionRecord>> Queries::GetRevision(std::string_view project,
                                                           std::uint64_t number) {
  const auto found = state_->projects.find(project);
  if (found == state_->projects.end() || !found->second.records.contains(number)) {
    return std::nullopt;
  }
  return RevisionRecord{.number = number, .json = found->second.records.at(number)};
}

Result<std::vector<RevisionRecord>> Queries::ListRevisions(std::string_view project,
                                                           std::uint64_t before,
                                                           std::size_t limit) {
  std::vector<RevisionRecord> records;
  const auto found = state_->projects.find(project);
  if (found == state_->projects.end()) {
    return records;
  }
  const auto& kept = found->second.records;
  auto next = std::make_reverse_iterator(kept.lower_bound(before));
  for (; next != kept.rend() && records.size() < limit; ++next) {
    records.push_back({.number = next->first, .json = next->second});
  }
  return records;
}

Result<std::vector<Document>> Queries::ListAt(std::string_view project, std::uint64_t revision) {
  static const Project kNone;
  const auto known = state_->projects.find(project);
  const Project& history = known == state_->projects.end() ? kNone : known->second;
  if (revision > history.revision || revision < history.oldest) {
    return NotFound(
        "", fmt::format("revision {} {}", revision,
                        revision > history.revision ? "does not exist" : "is no longer kept"));
  }
  std::vector<Document> found = Where([&](const Entry& entry) {
    return entry.document->project == project && entry.document->revision > 0 &&
           entry.since <= revision;
  });
  for (const Version& version : history.versions) {
    if (version.since <= revision && version.until > revision) {
      found.push_back(*version.document);
    }
  }
  SortByCreation(found);
  return found;
}

Result<std::uint64_t> Queries::LastChange() { return state_->last_change; }

Result<std::vector<Change>> Queries::ChangesSince(std::uint64_t sequence, std::size_t limit) {
  if (sequence < state_->forgotten) {
    return NotFound("", fmt::format("changes behind {} are no longer kept", sequence));
  }
  std::vector<Change> changes;
  auto next = std::ranges::upper_bound(state_->feed, sequence, {}, &Change::sequence);
  for (; next != state_->feed.end(); ++next) {
    if (!changes.empty() && changes.back().sequence != next->sequence && changes.size() >= limit) {
      break;
    }
    changes.push_back(*next);
  }
  return changes;
}

}  // namespace elb::store::memory
