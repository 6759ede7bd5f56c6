#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "balancer/smooth_round_robin.h"
#include "base/mutex.h"
#include "contract/config_snapshot.h"

namespace elb::proxy {

/// Chooses among the pools of one policy by weight: smooth weighted round robin (data-plane.md
/// 10.8), exact over all workers. Lives as long as pools and weights stay the same; a successor
/// goes on from its credits. Thread-safe.
class WeightedChoice {
 public:
  /// `predecessor`: the one in force for the same policy, or null.
  WeightedChoice(std::vector<contract::WeightedPool> pools,
                 std::shared_ptr<WeightedChoice> predecessor);

  /// Puts it in force. Once, from the control thread, before any worker picks from it.
  void Activate() ELB_EXCLUDES(mutex_);
  /// Index of a pool; nullopt when all weights are 0.
  [[nodiscard]] std::optional<std::size_t> Pick() ELB_EXCLUDES(mutex_);
  [[nodiscard]] const std::vector<contract::WeightedPool>& pools() const { return pools_; }

 private:
  using Candidate = balancer::SmoothRoundRobin::Candidate;
  [[nodiscard]] std::vector<Candidate> Candidates() const ELB_EXCLUDES(mutex_);

  const std::vector<contract::WeightedPool> pools_;
  std::shared_ptr<WeightedChoice> predecessor_;  ///< Until `Activate`.
  mutable Mutex mutex_;
  balancer::SmoothRoundRobin rotation_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::proxy
