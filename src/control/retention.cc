#include "control/retention.h"

#include <algorithm>

#include "control/revision_record.h"

namespace elb::control {

Result<std::string> Retention::TimeOf(const std::string& name, std::uint64_t revision) {
  ELB_ASSIGN_OR_RETURN(const auto record, store_->Read([&](store::Reader& reader) {
    return reader.GetRevision(name, revision);
  }));
  return record ? AuthorOf(record->json).created_at : std::string();
}

/// Revisions are kept without gaps from the oldest one on.
Result<void> Retention::FindOldest(const std::string& name, Project& project) {
  std::uint64_t low = 1;
  std::uint64_t high = project.newest;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    ELB_ASSIGN_OR_RETURN(const std::string at, TimeOf(name, middle));
    (at.empty() ? low : high) = at.empty() ? middle + 1 : middle;
  }
  project.oldest = low;
  return {};
}

Result<std::uint64_t> Retention::DueIn(const std::string& name, Project& project) {
  if (project.newest <= kKeptAlways) {
    return project.oldest;
  }
  if (project.oldest == 0) {
    ELB_RETURN_IF_ERROR(FindOldest(name, project));
  }
  const std::uint64_t end =
      std::min(project.newest - kKeptAlways + 1, project.oldest + kBatch);  // Not beyond.
  const auto max = static_cast<std::uint64_t>(node_->revisions_max);
  if (project.newest - project.oldest >= max) {
    return std::min(project.newest - max + 1, end);
  }
  if (project.oldest_at.empty()) {
    ELB_ASSIGN_OR_RETURN(project.oldest_at, TimeOf(name, project.oldest));
  }
  const std::string limit = RevisionTimeText(clock_->WallNow() - node_->revisions_life);
  if (project.oldest_at >= limit) {
    return project.oldest;
  }
  std::uint64_t low = project.oldest;
  std::uint64_t high = end;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    ELB_ASSIGN_OR_RETURN(const std::string at, TimeOf(name, middle));
    (at < limit ? low : high) = at < limit ? middle + 1 : middle;
  }
  return low;
}

Result<void> Retention::Trim() {
  auto next = projects_.upper_bound(last_);
  for (std::size_t i = 0; i < projects_.size(); ++i, ++next) {
    if (next == projects_.end()) {
      next = projects_.begin();
    }
    auto& [name, project] = *next;
    ELB_ASSIGN_OR_RETURN(const std::uint64_t oldest_kept, DueIn(name, project));
    if (oldest_kept <= project.oldest) {
      continue;
    }
    ELB_RETURN_IF_ERROR(store_->Transact([&](store::Transaction& transaction) {
      return transaction.TrimRevisions(name, oldest_kept);
    }));
    project.oldest = oldest_kept;
    project.oldest_at.clear();
    last_ = name;
    break;
  }
  return {};
}

}  // namespace elb::control
