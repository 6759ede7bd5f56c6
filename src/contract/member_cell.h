#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "base/id.h"
#include "base/mutex.h"
#include "contract/data_plane.h"

namespace elb::contract {

/// What threads share about one member of one pool. Outlives snapshots: counters, health and the
/// slow-start clock survive every change. Lock-free, relaxed unless said otherwise.
struct MemberCell {
  /// Requests picked and not finished (LEAST_CONNECTIONS; data-plane.md 6.3).
  alignas(64) std::atomic<std::int64_t> active{0};
  /// Written by the health thread, read by workers at each pick.
  alignas(64) std::atomic<MemberStatus> status{MemberStatus::kNoMonitor};
  std::atomic<bool> probed{false};
  std::atomic<HealthReason> reason{HealthReason::kNone};
  std::atomic<int> response_code{0};
  std::atomic<std::int64_t> since_unix_s{0};
  /// Steady-clock nanoseconds at which slow start began; 0: not in slow start, -1: completed.
  std::atomic<std::int64_t> slow_start_ns{0};
  /// Finished probes and the time they took together.
  std::atomic<std::uint64_t> probes{0};
  std::atomic<std::uint64_t> probe_micros{0};
};

/// Members' cells by (pool, member), shared by workers, health and control. Thread-safe; cells are
/// never moved and live while anyone holds them.
class MemberCells {
 public:
  /// The cell, made when it does not exist.
  [[nodiscard]] std::shared_ptr<MemberCell> Get(const PoolId& pool, const MemberId& member);
  /// The cell or null.
  [[nodiscard]] std::shared_ptr<MemberCell> Find(const PoolId& pool, const MemberId& member) const;
  /// Forgets one; holders keep theirs.
  void Remove(const PoolId& pool, const MemberId& member);

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<MemberCell>> cells_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::contract
