#pragma once

#include <chrono>
#include <cstdint>
#include <span>

namespace elb::balancer {

/// Fixed point of shares: a weight of 1 is 2^16.
inline constexpr std::int64_t kShareOne = std::int64_t{1} << 16;

/// One eligible member as slow start sees it.
struct SlowStartMember {
  std::uint32_t weight = 0;
  /// Time since it entered slow start; negative: not in slow start.
  std::chrono::nanoseconds since_entry{-1};
  std::int64_t share = 0;  ///< Result, > 0.
};

/// Shares for smooth round robin (data-plane.md 8.3): a member in slow start gets the part
/// f = max(t, 1 s)/duration of its full share of the requests, the others split the rest by weight;
/// nobody but slow starters: in proportion to f x weight. Pure.
void ComputeShares(std::span<SlowStartMember> members, std::chrono::seconds duration);

}  // namespace elb::balancer
