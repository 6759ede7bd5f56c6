#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/redirect.h"
#include "proxy/weighted_choice.h"

namespace elb::proxy {

struct CompiledPool;

/// What one forwarding policy needs to act, resolved. Immutable but for the state of its choice;
/// shared by workers.
struct PolicyTarget {
  std::vector<std::shared_ptr<const CompiledPool>> pools;  ///< As the policy's; null: missing.
  std::shared_ptr<WeightedChoice> choice;  ///< Null: the first pool takes everything.
  UrlTemplate url;                         ///< REDIRECT_TO_URL.
};

/// Why a policy's request goes to the pool it goes to, or to none.
enum class PoolReason : std::uint8_t {
  kOnly,        ///< The policy names one pool.
  kWeighted,    ///< Its turn among several.
  kZeroWeight,  ///< No pool has a weight.
  kMissing,     ///< The policy names no pool, or the one whose turn it was does not exist.
};

struct PoolDecision {
  const CompiledPool* pool = nullptr;  ///< Null with kZeroWeight and kMissing. As the target.
  PoolReason reason = PoolReason::kMissing;
};

/// Which of a policy's pools takes a request (data-plane.md 10.8): by weight alone, a pool that
/// cannot answer is not replaced by another. Any worker's thread.
[[nodiscard]] PoolDecision ChoosePool(const PolicyTarget& target);

}  // namespace elb::proxy
