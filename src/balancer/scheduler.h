#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "contract/config_snapshot.h"
#include "contract/member_cell.h"

namespace elb::balancer {

/// Position in `PoolConfig::members` of the roster the scheduler was made for.
using MemberIndex = std::uint32_t;

/// A pool's members at one configuration with what threads share about them, index by index.
struct Roster {
  contract::Shared<contract::PoolConfig> config;
  std::vector<std::shared_ptr<contract::MemberCell>> cells;
  bool at_process_start = false;  ///< Nobody enters slow start because of a restart (8.2).
};

/// What a pick may depend on besides the pool.
struct PickContext {
  const IpAddress* client = nullptr;   ///< Peer address (SOURCE_IP).
  MonotonicTime now;                   ///< Slow start.
  std::span<const MemberIndex> tried;  ///< Members not to pick again: retries (5.6).
};

/// Why `Pick` found nobody (data-plane.md 12.1).
enum class NoPick : std::uint8_t {
  kEmptyPool,     ///< No members at all.
  kNoneEligible,  ///< 50000
  kNotProbed,     ///< 50001: members exist that wait for their first probe, none is eligible.
  kAllTried,      ///< Every eligible member was tried.
};

/// Chooses members for the requests of one pool at one configuration. Shared by all workers:
/// thread-safe, exact at node level (data-plane.md 6). Made at `Prepare`, given state at
/// `Activate`.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// Puts the scheduler in force, taking over the position of its predecessor (6.2: never a reset).
  /// Once, from the control thread, before any worker picks from it.
  virtual void Activate(MonotonicTime now) = 0;
  /// Picks a member and counts it as active, so that concurrent picks see each other; the caller
  /// adopts the count with an `ActiveGuard`. nullopt: `WhyNone` says why.
  [[nodiscard]] virtual std::optional<MemberIndex> Pick(const PickContext& context) = 0;
  /// Meaningful after a `Pick` that found nobody.
  [[nodiscard]] virtual NoPick WhyNone(const PickContext& context) const = 0;
  /// May this member take new requests now (0.2 "Eligible member", 9.6 fail open)? For sticky
  /// sessions.
  [[nodiscard]] virtual bool Eligible(MemberIndex member) const = 0;
  /// Counts a request as active on a member that somebody else chose, if it is eligible; the caller
  /// adopts the count as after `Pick`. The algorithm does not advance (6.2).
  [[nodiscard]] virtual bool Take(MemberIndex member) = 0;
  /// The eligible and untried member with the highest score for a hash (6.4), whatever the
  /// algorithm. Counts and advances nothing. For application cookies (7.3).
  [[nodiscard]] virtual std::optional<MemberIndex> ByHash(std::uint64_t hash,
                                                          const PickContext& context) = 0;
  /// Some member's health changed. Any thread; picks that start afterwards see it.
  virtual void Refresh(MonotonicTime now) = 0;
};

/// The scheduler for `roster`'s algorithm. `predecessor`: the one in force for the same pool, or
/// null.
[[nodiscard]] std::shared_ptr<Scheduler> CreateScheduler(Roster roster,
                                                         std::shared_ptr<Scheduler> predecessor);

/// Counts a request as active on a member while it lives (data-plane.md 6.3). One thread.
class ActiveGuard {
 public:
  ActiveGuard() = default;
  /// Takes over a count that `Pick` made.
  [[nodiscard]] static ActiveGuard Adopt(contract::MemberCell& cell) { return ActiveGuard(cell); }
  /// Counts one more.
  [[nodiscard]] static ActiveGuard Count(contract::MemberCell& cell) {
    cell.active.fetch_add(1, std::memory_order_relaxed);
    return ActiveGuard(cell);
  }
  ActiveGuard(ActiveGuard&& other) noexcept : cell_(other.cell_) { other.cell_ = nullptr; }
  ActiveGuard& operator=(ActiveGuard&& other) noexcept {
    if (this != &other) {
      Release();
      cell_ = other.cell_;
      other.cell_ = nullptr;
    }
    return *this;
  }
  ActiveGuard(const ActiveGuard&) = delete;
  ActiveGuard& operator=(const ActiveGuard&) = delete;
  ~ActiveGuard() { Release(); }
  void Release() {
    if (cell_ != nullptr) {
      cell_->active.fetch_sub(1, std::memory_order_relaxed);
      cell_ = nullptr;
    }
  }

 private:
  explicit ActiveGuard(contract::MemberCell& cell) : cell_(&cell) {}
  contract::MemberCell* cell_ = nullptr;
};

}  // namespace elb::balancer
