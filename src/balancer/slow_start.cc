#include "balancer/slow_start.h"

#include <algorithm>

namespace elb::balancer {
namespace {

bool Starting(const SlowStartMember& member) { return member.since_entry.count() >= 0; }

/// f x weight in fixed point, at least 1.
std::int64_t Ramped(const SlowStartMember& member, std::chrono::seconds duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  const auto passed = std::clamp<std::int64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(member.since_entry).count(), 1000,
      whole);
  return std::max<std::int64_t>(1, member.weight * kShareOne * passed / whole);
}

}  // namespace

void ComputeShares(std::span<SlowStartMember> members, std::chrono::seconds duration) {
  std::int64_t weights = 0;
  std::int64_t settled_weights = 0;
  std::int64_t ramped = 0;
  for (SlowStartMember& member : members) {
    weights += member.weight;
    if (Starting(member)) {
      member.share = Ramped(member, duration);
      ramped += member.share;
    } else {
      settled_weights += member.weight;
    }
  }
  const std::int64_t rest = weights * kShareOne - ramped;
  for (SlowStartMember& member : members) {
    if (!Starting(member)) {
      member.share = std::max<std::int64_t>(1, member.weight * rest / settled_weights);
    }
  }
}

}  // namespace elb::balancer
