#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace elb::net {

class TimerWheel;

/// An entry of a `TimerWheel`. It stores its own deadline; moving it later only writes that field,
/// the wheel notices when it reaches the old slot. Deregisters itself when destroyed.
class TimerNode {
 public:
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  TimerNode(TimerNode&&) = delete;
  TimerNode& operator=(TimerNode&&) = delete;

 protected:
  ~TimerNode() { Unlink(); }
  /// The deadline passed. Called from the reactor's turn; the node is not armed any more.
  virtual void OnTimer() = 0;

 private:
  friend class TimerWheel;
  void Unlink();
  TimerNode* previous_ = nullptr;
  TimerNode* next_ = nullptr;
  MonotonicTime deadline_ = MonotonicTime::max();
  MonotonicTime slot_time_ = MonotonicTime::max();  ///< When the wheel will look at it.
  TimerWheel* wheel_ = nullptr;                     ///< Null when not linked.
  std::uint8_t level_ = 0;
  std::uint8_t slot_ = 0;
};

/// Hierarchical timer wheel with 4 ms ticks (4 levels of 256 slots: 198 days). One thread.
/// Never early. Insertion, removal and lazy postponement are O(1).
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{4};

  explicit TimerWheel(MonotonicTime start);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  TimerWheel(TimerWheel&&) = delete;
  TimerWheel& operator=(TimerWheel&&) = delete;

  /// Arms, or moves earlier or later. `MonotonicTime::max()` disarms lazily.
  void Arm(TimerNode& node, MonotonicTime deadline);
  void Disarm(TimerNode& node);
  /// Fires everything due at `now`. True when something fired.
  bool Advance(MonotonicTime now);
  /// Earliest moment at which `Advance` may have something to do; max() when empty.
  [[nodiscard]] MonotonicTime NextWakeUp() const;

 private:
  struct List {
    TimerNode* head = nullptr;
  };
  static constexpr std::size_t kLevels = 4;
  static constexpr std::size_t kSlots = 256;
  [[nodiscard]] std::uint64_t TickOf(MonotonicTime when) const;
  [[nodiscard]] std::uint64_t NextOccupiedTick() const;
  /// Of one level, in ticks of the lowest.
  [[nodiscard]] std::uint64_t NextOccupiedTick(std::size_t level) const;
  void Insert(TimerNode& node, MonotonicTime when);
  void Remove(TimerNode& node);
  bool Drain(std::size_t level, std::size_t slot, MonotonicTime now);

  std::array<std::array<List, kSlots>, kLevels> slots_{};
  std::array<std::array<std::uint64_t, kSlots / 64>, kLevels> occupied_{};
  MonotonicTime start_;
  std::uint64_t tick_ = 0;
};

}  // namespace elb::net
