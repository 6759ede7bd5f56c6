#include "proxy/policy_target.h"

#include <cstddef>

namespace elb::proxy {

PoolDecision ChoosePool(const PolicyTarget& target) {
  PoolDecision decision{.pool = nullptr, .reason = PoolReason::kOnly};
  std::size_t index = 0;
  if (target.choice != nullptr) {
    const auto picked = target.choice->Pick();
    if (!picked) {
      return {.pool = nullptr, .reason = PoolReason::kZeroWeight};
    }
    index = *picked;
    decision.reason = PoolReason::kWeighted;
  }
  if (index < target.pools.size()) {
    decision.pool = target.pools[index].get();
  }
  if (decision.pool == nullptr) {
    decision.reason = PoolReason::kMissing;
  }
  return decision;
}

}  // namespace elb::proxy
