#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "control/node_config.h"
#include "store/store.h"

namespace elb::control {

/// Forgets old revisions: those beyond `revisions_max` of a project and those older than
/// `revisions_days`, but none of a project's newest 100 (api-extensions.md 4.2). Control thread.
class Retention {
 public:
  /// Revisions forgotten by one call at most, so that writes need not wait long behind it.
  static constexpr std::uint64_t kBatch = 200;
  static constexpr std::uint64_t kKeptAlways = 100;

  /// All three outlive this.
  Retention(store::Store& store, const Clock& clock, const NodeConfig& node)
      : store_(&store), clock_(&clock), node_(&node) {}

  /// The project's newest revision is `newest` now.
  void Note(const std::string& project, std::uint64_t newest) {
    projects_[project].newest = newest;
  }
  /// Forgets what is due of one project; projects take turns, the rest comes with the next calls.
  /// Costs nothing while nothing is due. Errors: kStorage.
  [[nodiscard]] Result<void> Trim();

 private:
  struct Project {
    std::uint64_t newest = 0;
    std::uint64_t oldest = 0;  ///< That is kept; 0: not known yet.
    std::string oldest_at;     ///< When that was made; empty: not known yet.
  };
  /// The oldest revision to be kept from now on, `oldest` when nothing is due.
  [[nodiscard]] Result<std::uint64_t> DueIn(const std::string& name, Project& project);
  [[nodiscard]] Result<void> FindOldest(const std::string& name, Project& project);
  /// When the revision was made; empty when it is not kept.
  [[nodiscard]] Result<std::string> TimeOf(const std::string& name, std::uint64_t revision);

  store::Store* store_;
  const Clock* clock_;
  const NodeConfig* node_;
  std::map<std::string, Project> projects_;
  std::string last_;  ///< Whose turn it was last.
};

}  // namespace elb::control
