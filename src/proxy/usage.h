#pragma once

#include <cstdint>

#include <absl/container/flat_hash_map.h>

#include "base/clock.h"
#include "base/id.h"
#include "contract/config_snapshot.h"

namespace elb::proxy {

/// Counters of one load balancer, over all its listeners.
struct LoadBalancerTotals {
  contract::FlavorLimits limits;
  std::int64_t connections = 0;  ///< Open now.
  std::uint64_t opened = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

using TotalsByLoadBalancer = absl::flat_hash_map<LoadBalancerId, LoadBalancerTotals>;

/// Shares of what the specification promises, in percent; 0 without one (data-plane.md 11.2).
struct Usage {
  double connections = 0;
  double opened = 0;
  double requests = 0;
  double bytes_in = 0;
  double bytes_out = 0;
};

/// Rates over the last minute or two, from totals that are shown to it now and then. One thread.
class UsageWindow {
 public:
  /// Notes `totals` and says how each load balancer did since the sample that is at least a minute
  /// old, or the oldest there is; before the second sample every rate is 0.
  [[nodiscard]] absl::flat_hash_map<LoadBalancerId, Usage> Update(MonotonicTime now,
                                                                  TotalsByLoadBalancer totals);

 private:
  struct Sample {
    MonotonicTime at;
    TotalsByLoadBalancer totals;
  };
  Sample older_;
  Sample newer_;
  bool started_ = false;
};

}  // namespace elb::proxy
