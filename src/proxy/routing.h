#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "contract/config_snapshot.h"
#include "proxy/routing_condition.h"
#include "proxy/routing_subject.h"

namespace elb::proxy {

/// Why a request goes where it goes; words of api-extensions.md 6.2, step `policies`.
enum class RouteReason : std::uint8_t {
  kNone,        ///< The listener has no policies.
  kDefault,     ///< None matched.
  kFirstMatch,  ///< The first in order of evaluation whose rules all hold.
};

/// Positions are those of `ListenerConfig::policies`.
using PolicyPosition = std::uint32_t;

struct RouteDecision {
  RouteReason reason = RouteReason::kNone;
  PolicyPosition policy = 0;  ///< With kFirstMatch.
  std::uint32_t tried = 0;    ///< Policies asked, the matching one included.
};

/// What became of one policy that was asked.
struct PolicyTrace {
  PolicyPosition policy = 0;
  bool matched = false;
  std::vector<bool> rules;  ///< Verdicts, as in `L7PolicyConfig::rules`.
};

/// The forwarding policies of one listener, made ready (data-plane.md 10.3); they are asked in the
/// order in which the configuration has them. A rule that several policies share is asked once per
/// request, the cheap rules of a policy before the dear ones, and a policy ends at its first rule
/// that does not hold. Immutable, thread-safe.
class Router {
 public:
  /// kInvalid, path `rule.value`: names policy and rule that cannot be compiled.
  [[nodiscard]] static Result<std::shared_ptr<const Router>> Compile(
      const contract::ListenerConfig& listener);

  /// Decides about one request; allocates nothing once `scratch` has grown.
  [[nodiscard]] RouteDecision Decide(const RouteRequest& request, RoutingScratch& scratch) const;
  /// The same decision step by step: every policy that is asked with all of its rules. Allocates.
  [[nodiscard]] std::vector<PolicyTrace> Explain(const RouteRequest& request,
                                                 RoutingScratch& scratch) const;

  /// True when `Compile(listener)` would make the same matchers.
  [[nodiscard]] bool IsFor(const contract::ListenerConfig& listener) const;

 private:
  using ConditionNumber = std::uint16_t;
  struct Policy {
    std::vector<ConditionNumber> rules;    ///< As configured.
    std::vector<ConditionNumber> by_cost;  ///< Without repetitions.
  };

  [[nodiscard]] Result<ConditionNumber> AddRule(const contract::L7RuleConfig& rule,
                                                std::vector<contract::L7RuleConfig>& known);
  [[nodiscard]] bool Holds(ConditionNumber number, RoutingSubject& subject,
                           std::vector<std::uint8_t>& verdicts) const;

  std::vector<contract::L7PolicyConfig> source_;
  KeyTables keys_;
  std::vector<RoutingCondition> conditions_;
  std::vector<Policy> policies_;  ///< By `PolicyPosition`.
};

}  // namespace elb::proxy
