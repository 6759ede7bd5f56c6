#include "balancer/smooth_round_robin.h"

#include <algorithm>
#include <utility>

namespace elb::balancer {

SmoothRoundRobin::SmoothRoundRobin(std::span<const Candidate> candidates) {
  for (const Candidate& candidate : candidates) {
    sum_ += candidate.share;
    auto found = std::ranges::find(classes_, candidate.share, &Class::share);
    if (found == classes_.end()) {
      found = classes_.insert(classes_.end(), Class{.share = candidate.share, .heap = {}});
    }
    found->heap.push_back({.base = candidate.credit, .position = candidate.position});
  }
  for (Class& group : classes_) {
    std::ranges::make_heap(group.heap, &Entry::IsLess);
  }
}

SmoothRoundRobin::Class* SmoothRoundRobin::BestClass() {
  Class* best = nullptr;
  std::int64_t best_credit = 0;
  for (Class& group : classes_) {
    if (group.heap.empty()) {
      continue;
    }
    const Entry& top = group.heap.front();
    const std::int64_t credit = top.base + group.share * ticks_;
    if (best == nullptr || credit > best_credit ||
        (credit == best_credit && top.position < best->heap.front().position)) {
      best = &group;
      best_credit = credit;
    }
  }
  return best;
}

std::optional<std::uint32_t> SmoothRoundRobin::Pick(std::span<const std::uint32_t> excluded) {
  ++ticks_;
  std::optional<std::uint32_t> picked;
  while (Class* group = BestClass()) {
    std::ranges::pop_heap(group->heap, &Entry::IsLess);
    Entry entry = group->heap.back();
    group->heap.pop_back();
    const bool take = std::ranges::find(excluded, entry.position) == excluded.end();
    if (take) {
      picked = entry.position;
      entry.base -= sum_;
    }
    skipped_.emplace_back(group, entry);
    if (take) {
      break;
    }
  }
  for (const auto& [group, entry] : skipped_) {
    group->heap.push_back(entry);
    std::ranges::push_heap(group->heap, &Entry::IsLess);
  }
  skipped_.clear();
  if (!picked) {
    --ticks_;  // Nobody was served: no credit is earned.
  }
  return picked;
}

std::vector<SmoothRoundRobin::Candidate> SmoothRoundRobin::Candidates() const {
  std::vector<Candidate> all;
  for (const Class& group : classes_) {
    for (const Entry& entry : group.heap) {
      all.push_back({.position = entry.position,
                     .share = group.share,
                     .credit = entry.base + group.share * ticks_});
    }
  }
  return all;
}

void BalanceCredits(std::vector<SmoothRoundRobin::Candidate>& candidates) {
  if (candidates.empty()) {
    return;
  }
  std::int64_t sum = 0;
  for (const auto& candidate : candidates) {
    sum += candidate.share;
  }
  std::int64_t total = 0;
  for (auto& candidate : candidates) {
    candidate.credit = std::clamp(candidate.credit, -sum, sum);
    total += candidate.credit;
  }
  const auto count = static_cast<std::int64_t>(candidates.size());
  const std::int64_t mean = total / count;
  std::int64_t rest = total % count;
  for (auto& candidate : candidates) {
    candidate.credit -= mean;
    if (rest != 0) {
      const std::int64_t one = rest > 0 ? 1 : -1;
      candidate.credit -= one;
      rest -= one;
    }
  }
}

}  // namespace elb::balancer
