#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "base/clock.h"
#include "base/random.h"
#include "contract/config_snapshot.h"
#include "contract/data_plane.h"
#include "contract/member_cell.h"
#include "health/probe.h"
#include "net/reactor.h"

namespace elb::health {

/// Called on the health thread after a member's cell changed.
using TransitionHandler = std::function<void(const PoolId&, const MemberId&)>;

/// Runs the probes of a node: one prober per (pool, member), whatever number of listeners
/// (data-plane.md 9). Probes run on one reactor; `Restore` and `Apply` come from the control
/// thread.
class HealthProber {
 public:
  struct Parts {
    net::Reactor* reactor = nullptr;
    net::Network* network = nullptr;
    contract::MemberCells* cells = nullptr;
    Random* random = nullptr;
    std::shared_ptr<const tls::ClientContext> tls;
    TransitionHandler on_transition;
    contract::HealthObserver observer;  ///< For persistence; may be empty.
  };
  explicit HealthProber(Parts parts);
  /// On the reactor's thread, or after it stopped.
  ~HealthProber();
  HealthProber(const HealthProber&) = delete;
  HealthProber& operator=(const HealthProber&) = delete;
  HealthProber(HealthProber&&) = delete;
  HealthProber& operator=(HealthProber&&) = delete;

  /// States from before a restart, treated as current. Before the first `Apply`.
  void Restore(const std::vector<contract::SavedMemberHealth>& saved);
  /// Members that are new to a monitored pool become "not probed yet" before this returns; probes
  /// start, change and stop soon after, on the reactor.
  void Apply(std::shared_ptr<const contract::ConfigSnapshot> next);

 private:
  class MemberProbe;
  class Probes;
  struct PoolTarget {
    contract::Shared<contract::PoolConfig> pool;
    std::vector<std::shared_ptr<contract::MemberCell>> cells;
    std::vector<contract::MemberStatus> initial;
  };

  [[nodiscard]] PoolTarget PrepareTarget(const contract::Shared<contract::PoolConfig>& pool);
  /// Drops the cells of members that `next` lacks; returns the pools that it lacks.
  [[nodiscard]] std::vector<PoolId> ForgetWhatIsGone(const contract::ConfigSnapshot& next);
  [[nodiscard]] bool RestoreCell(const std::string& key, contract::MemberCell& cell);

  Parts parts_;
  std::shared_ptr<const contract::ConfigSnapshot> current_;
  absl::flat_hash_map<std::string, contract::MemberHealth> saved_;
  absl::flat_hash_set<std::string> known_;  ///< Members met in an earlier snapshot.
  std::shared_ptr<Probes> probes_;          ///< Lives on the reactor's thread.
};

}  // namespace elb::health
