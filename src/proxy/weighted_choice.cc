#include "proxy/weighted_choice.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace elb::proxy {
namespace {

using Candidate = balancer::SmoothRoundRobin::Candidate;

/// Those that can be picked, without credit.
std::vector<Candidate> Fresh(const std::vector<contract::WeightedPool>& pools) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    if (pools[i].weight > 0) {
      candidates.push_back(
          {.position = static_cast<std::uint32_t>(i), .share = pools[i].weight, .credit = 0});
    }
  }
  return candidates;
}

}  // namespace

WeightedChoice::WeightedChoice(std::vector<contract::WeightedPool> pools,
                               std::shared_ptr<WeightedChoice> predecessor)
    : pools_(std::move(pools)), predecessor_(std::move(predecessor)), rotation_(Fresh(pools_)) {}

std::vector<WeightedChoice::Candidate> WeightedChoice::Candidates() const {
  const MutexLock lock(mutex_);
  return rotation_.Candidates();
}

void WeightedChoice::Activate() {
  const auto predecessor = std::exchange(predecessor_, nullptr);
  if (predecessor == nullptr) {
    return;
  }
  std::vector<Candidate> candidates = Fresh(pools_);
  for (const Candidate& before : predecessor->Candidates()) {
    const PoolId& pool = predecessor->pools()[before.position].pool;
    const auto same = std::ranges::find_if(candidates, [&](const Candidate& candidate) {
      return pools_[candidate.position].pool == pool;
    });
    if (same != candidates.end()) {
      same->credit = before.credit;
    }
  }
  balancer::BalanceCredits(candidates);
  const MutexLock lock(mutex_);
  rotation_ = balancer::SmoothRoundRobin(candidates);
}

std::optional<std::size_t> WeightedChoice::Pick() {
  const MutexLock lock(mutex_);
  return rotation_.Pick({});
}

}  // namespace elb::proxy
