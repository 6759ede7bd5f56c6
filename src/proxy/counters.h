#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"

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

}  // namespace elb::proxy
