#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace elb::net {

void TimerNode::Unlink() {
  if (wheel_ != nullptr) {
    wheel_->Disarm(*this);
  }
}

TimerWheel::TimerWheel(MonotonicTime start) : start_(start) {}

TimerWheel::~TimerWheel() {
  for (auto& level : slots_) {
    for (const List& list : level) {
      while (TimerNode* node = list.head) {
        Remove(*node);
      }
    }
  }
}

std::uint64_t TimerWheel::TickOf(MonotonicTime when) const {
  if (when <= start_) {
    return 0;
  }
  const auto past_start = when - start_;  // Rounded up without a sum that could overflow.
  return static_cast<std::uint64_t>(past_start / kTick) +
         (past_start % kTick > MonotonicTime::duration::zero() ? 1 : 0);
}

void TimerWheel::Arm(TimerNode& node, MonotonicTime deadline) {
  node.deadline_ = deadline;
  if (node.wheel_ != nullptr && deadline >= node.slot_time_) {
    return;  // The wheel looks at it in time and moves it then.
  }
  if (node.wheel_ != nullptr) {
    Remove(node);
  }
  if (deadline != MonotonicTime::max()) {
    Insert(node, deadline);
  }
}

void TimerWheel::Disarm(TimerNode& node) {
  if (node.wheel_ != nullptr) {
    Remove(node);
  }
  node.deadline_ = MonotonicTime::max();
}

void TimerWheel::Insert(TimerNode& node, MonotonicTime when) {
  constexpr std::uint64_t kHorizon = std::uint64_t{1} << (8 * kLevels);
  std::uint64_t tick = std::max(TickOf(when), tick_ + 1);
  tick = std::min(tick, tick_ + kHorizon - 1);
  std::size_t level = 0;
  while (level + 1 < kLevels && (tick >> (8 * level)) - (tick_ >> (8 * level)) >= kSlots) {
    ++level;
  }
  const std::size_t slot = (tick >> (8 * level)) % kSlots;
  node.level_ = static_cast<std::uint8_t>(level);
  node.slot_ = static_cast<std::uint8_t>(slot);
  node.slot_time_ = start_ + kTick * static_cast<std::int64_t>(tick >> (8 * level) << (8 * level));
  node.wheel_ = this;
  List& list = slots_[level][slot];
  node.previous_ = nullptr;
  node.next_ = list.head;
  if (list.head != nullptr) {
    list.head->previous_ = &node;
  }
  list.head = &node;
  occupied_[level][slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimerWheel::Remove(TimerNode& node) {
  List& list = slots_[node.level_][node.slot_];
  if (node.previous_ != nullptr) {
    node.previous_->next_ = node.next_;
  } else {
    list.head = node.next_;
  }
  if (node.next_ != nullptr) {
    node.next_->previous_ = node.previous_;
  }
  if (list.head == nullptr) {
    occupied_[node.level_][node.slot_ / 64U] &= ~(std::uint64_t{1} << (node.slot_ % 64U));
  }
  node.previous_ = node.next_ = nullptr;
  node.wheel_ = nullptr;
  node.slot_time_ = MonotonicTime::max();
}

/// Takes a slot's nodes out: those due fire, the others go where they belong now.
bool TimerWheel::Drain(std::size_t level, std::size_t slot, MonotonicTime now) {
  bool fired = false;
  while (TimerNode* node = slots_[level][slot].head) {
    Remove(*node);
    if (node->deadline_ > now) {
      if (node->deadline_ != MonotonicTime::max()) {
        Insert(*node, node->deadline_);
      }
      continue;
    }
    node->deadline_ = MonotonicTime::max();
    node->OnTimer();
    fired = true;
  }
  return fired;
}

bool TimerWheel::Advance(MonotonicTime now) {
  bool fired = false;
  const std::uint64_t target =
      now <= start_ ? 0 : static_cast<std::uint64_t>((now - start_) / kTick);
  while (tick_ < target) {
    const std::uint64_t next = NextOccupiedTick();
    if (next > target) {
      tick_ = target;
      break;
    }
    tick_ = next;
    for (std::size_t level = kLevels; level-- > 1;) {
      if (tick_ % (std::uint64_t{1} << (8 * level)) == 0) {
        fired |= Drain(level, (tick_ >> (8 * level)) % kSlots, now);
      }
    }
    fired |= Drain(0, tick_ % kSlots, now);
  }
  return fired;
}

/// The next tick after the present one at which some slot is due; UINT64_MAX when none is.
std::uint64_t TimerWheel::NextOccupiedTick() const {
  std::uint64_t best = UINT64_MAX;
  for (std::size_t level = 0; level < kLevels; ++level) {
    best = std::min(best, NextOccupiedTick(level));
  }
  return best;
}

std::uint64_t TimerWheel::NextOccupiedTick(std::size_t level) const {
  const std::uint64_t first = (tick_ >> (8 * level)) + 1;
  for (std::uint64_t step = 0; step < kSlots;) {
    const std::size_t slot = (first + step) % kSlots;
    const std::uint64_t word = occupied_[level][slot / 64] >> (slot % 64);
    if (word != 0) {
      const std::uint64_t ahead = step + static_cast<std::uint64_t>(std::countr_zero(word));
      return ahead < kSlots ? (first + ahead) << (8 * level) : UINT64_MAX;
    }
    step += 64 - slot % 64;
  }
  return UINT64_MAX;
}

MonotonicTime TimerWheel::NextWakeUp() const {
  const std::uint64_t tick = NextOccupiedTick();
  return tick == UINT64_MAX ? MonotonicTime::max()
                            : start_ + kTick * static_cast<std::int64_t>(tick);
}

}  // namespace elb::net
