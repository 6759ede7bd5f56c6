#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace elb::proxy {

/// Counters written by one worker each and read by whoever scrapes. `Name` is an enum that ends in
/// kCount. Each worker's slot stands on cache lines of its own; an increment is a plain load and
/// store.
template <typename Name>
class CounterSet {
 public:
  explicit CounterSet(std::size_t workers) : slots_(workers) {}

  /// Worker's thread only.
  void Add(std::size_t worker, Name name, std::uint64_t amount = 1) {
    auto& value = slots_[worker].values[static_cast<std::size_t>(name)];
    value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  /// Sum over all workers. Any thread.
  [[nodiscard]] std::uint64_t Sum(Name name) const {
    std::uint64_t sum = 0;
    for (const Slot& slot : slots_) {
      sum += slot.values[static_cast<std::size_t>(name)].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  struct alignas(64) Slot {
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Name::kCount)> values{};
  };
  std::vector<Slot> slots_;  ///< Never resized.
};

/// Latency in buckets that double from 100 us; one writer per worker.
class LatencyHistogram {
 public:
  static constexpr std::size_t kBuckets = 22;  ///< Up to 209 s, then infinity.

  explicit LatencyHistogram(std::size_t workers) : slots_(workers) {}

  /// Upper bound of a bucket in microseconds.
  [[nodiscard]] static constexpr std::uint64_t UpperMicros(std::size_t bucket) {
    return std::uint64_t{100} << bucket;
  }

  /// Worker's thread only.
  void Record(std::size_t worker, std::uint64_t micros) {
    std::size_t bucket = 0;
    while (bucket < kBuckets && micros > UpperMicros(bucket)) {
      ++bucket;
    }
    Slot& slot = slots_[worker];
    Bump(slot.counts[bucket], 1);
    Bump(slot.sum, micros);
  }

  struct Totals {
    std::array<std::uint64_t, kBuckets + 1> counts{};
    std::uint64_t sum_micros = 0;
  };
  /// Any thread.
  [[nodiscard]] Totals Sum() const {
    Totals totals;
    for (const Slot& slot : slots_) {
      for (std::size_t bucket = 0; bucket <= kBuckets; ++bucket) {
        totals.counts[bucket] += slot.counts[bucket].load(std::memory_order_relaxed);
      }
      totals.sum_micros += slot.sum.load(std::memory_order_relaxed);
    }
    return totals;
  }

 private:
  struct alignas(64) Slot {
    std::array<std::atomic<std::uint64_t>, kBuckets + 1> counts{};
    std::atomic<std::uint64_t> sum{0};
  };
  static void Bump(std::atomic<std::uint64_t>& value, std::uint64_t amount) {
    value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::vector<Slot> slots_;  ///< Never resized.
};

/// The minute that `time` is in, counted from a fixed point.
[[nodiscard]] inline std::int64_t MinuteOf(MonotonicTime time) {
  return std::chrono::duration_cast<std::chrono::minutes>(time.time_since_epoch()).count();
}

/// Smallest and largest latency of the current and the last minute; one writer per worker.
class LatencyExtremes {
 public:
  explicit LatencyExtremes(std::size_t workers) : slots_(workers) {}

  /// Worker's thread only. `minute` counts from any fixed point and never falls.
  void Record(std::size_t worker, std::int64_t minute, std::uint64_t micros) {
    Minute& cell = slots_[worker].minutes[static_cast<std::size_t>(minute & 1)];
    if (cell.minute.load(std::memory_order_relaxed) != minute) {
      cell.least.store(micros, std::memory_order_relaxed);
      cell.most.store(micros, std::memory_order_relaxed);
      cell.minute.store(minute, std::memory_order_release);
    } else if (micros > cell.most.load(std::memory_order_relaxed)) {
      cell.most.store(micros, std::memory_order_relaxed);
    } else if (micros < cell.least.load(std::memory_order_relaxed)) {
      cell.least.store(micros, std::memory_order_relaxed);
    }
  }

  struct Bounds {
    std::uint64_t least_micros = 0;  ///< 0 when there was nothing.
    std::uint64_t most_micros = 0;
  };
  /// Over `minute` and the one before. Any thread.
  [[nodiscard]] Bounds Between(std::int64_t minute) const {
    Bounds bounds{.least_micros = UINT64_MAX, .most_micros = 0};
    for (const Slot& slot : slots_) {
      for (const Minute& cell : slot.minutes) {
        const std::int64_t of = cell.minute.load(std::memory_order_acquire);
        if (of == minute || of == minute - 1) {
          bounds.least_micros =
              std::min(bounds.least_micros, cell.least.load(std::memory_order_relaxed));
          bounds.most_micros =
              std::max(bounds.most_micros, cell.most.load(std::memory_order_relaxed));
        }
      }
    }
    return bounds.least_micros == UINT64_MAX ? Bounds{} : bounds;
  }

 private:
  struct Minute {
    std::atomic<std::int64_t> minute{-1};
    std::atomic<std::uint64_t> least{0};
    std::atomic<std::uint64_t> most{0};
  };
  struct alignas(64) Slot {
    std::array<Minute, 2> minutes;
  };
  std::vector<Slot> slots_;  ///< Never resized.
};

}  // namespace elb::proxy
