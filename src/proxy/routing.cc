#include "proxy/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

namespace elb::proxy {
namespace {

using contract::L7PolicyConfig;
using contract::L7RuleConfig;
using contract::PolicyAction;
using contract::RuleCompare;
using contract::RuleType;

enum class Verdict : std::uint8_t { kUnknown, kFails, kHolds };

const L7RuleConfig* FindRule(const L7PolicyConfig& policy, RuleType type) {
  const auto found = std::ranges::find(policy.rules, type, &L7RuleConfig::type);
  return found == policy.rules.end() ? nullptr : &*found;
}

std::size_t LongestValue(const L7RuleConfig& rule) {
  std::size_t longest = 0;
  for (const std::string& value : rule.values) {
    longest = std::max(longest, value.size());
  }
  return longest;
}

/// Compares as basic forwarding orders policies; smaller ones come first.
using BasicRank = std::tuple<int, int, std::size_t>;

BasicRank RankInBasicMode(const L7PolicyConfig& policy) {
  enum Group : std::uint8_t { kEverything, kWithHost, kWithoutHost, kRest };
  enum Kind : std::uint8_t { kExact, kPrefix, kRegex };
  const auto longer_first = [](std::size_t length) {
    return std::numeric_limits<std::size_t>::max() - length;
  };
  if (policy.rules.empty()) {
    return {policy.action == PolicyAction::kToListener ? kEverything : kRest, kExact, 0};
  }
  const Group group = FindRule(policy, RuleType::kHostName) != nullptr ? kWithHost : kWithoutHost;
  const L7RuleConfig* path = FindRule(policy, RuleType::kPath);
  if (path == nullptr) {
    return {group, kPrefix, longer_first(1)};
  }
  Kind kind = kRegex;
  if (path->compare == RuleCompare::kEqualTo) {
    kind = kExact;
  } else if (path->compare == RuleCompare::kStartsWith) {
    kind = kPrefix;
  }
  return {group, kind, longer_first(LongestValue(*path))};
}

using AdvancedRank = std::tuple<bool, bool, std::int32_t>;

AdvancedRank RankInAdvancedMode(const L7PolicyConfig& policy) {
  const bool to_listener = policy.action == PolicyAction::kToListener;
  return {!to_listener, to_listener && !policy.rules.empty(), policy.priority};
}

}  // namespace

std::vector<PolicyPosition> EvaluationOrder(std::span<const L7PolicyConfig> policies,
                                            bool advanced) {
  std::vector<PolicyPosition> order(policies.size());
  for (PolicyPosition at = 0; at < order.size(); ++at) {
    order[at] = at;
  }
  const auto sort_by = [&](const auto& rank) {
    std::ranges::sort(order, {}, [&](PolicyPosition at) {
      return std::pair(rank(policies[at]), at);  // Equal ranks: as given.
    });
  };
  if (advanced) {
    sort_by(&RankInAdvancedMode);
  } else {
    sort_by(&RankInBasicMode);
  }
  return order;
}

Result<std::shared_ptr<const Router>> Router::Compile(const contract::ListenerConfig& listener) {
  auto router = std::make_shared<Router>();
  router->source_ = listener.policies;
  router->advanced_ = listener.advanced_forwarding;
  std::vector<L7RuleConfig> known;
  for (const PolicyPosition position : EvaluationOrder(router->source_, router->advanced_)) {
    const L7PolicyConfig& source = router->source_[position];
    Policy policy{.position = position, .rules = {}, .by_cost = {}};
    for (const L7RuleConfig& rule : source.rules) {
      auto number = router->AddRule(rule, known);
      if (!number) {
        Error error = std::move(number).error();
        error.message = fmt::format("forwarding policy {}: {}", source.id.value(), error.message);
        return std::unexpected(std::move(error));
      }
      policy.rules.push_back(*number);
    }
    policy.by_cost = policy.rules;
    std::ranges::sort(policy.by_cost, {}, [&](ConditionNumber number) {
      return std::pair(router->conditions_[number].cost(), number);
    });
    const auto repeated = std::ranges::unique(policy.by_cost);
    policy.by_cost.erase(repeated.begin(), repeated.end());
    router->policies_.push_back(std::move(policy));
  }
  return router;
}

Result<Router::ConditionNumber> Router::AddRule(const L7RuleConfig& rule,
                                                std::vector<L7RuleConfig>& known) {
  const auto found = std::ranges::find(known, rule);
  if (found != known.end()) {
    return static_cast<ConditionNumber>(found - known.begin());
  }
  if (known.size() > std::numeric_limits<ConditionNumber>::max()) {
    return Invalid("rule", "the listener has too many different rules");
  }
  ELB_ASSIGN_OR_RETURN(RoutingCondition condition, RoutingCondition::Compile(rule, keys_));
  conditions_.push_back(std::move(condition));
  known.push_back(rule);
  return static_cast<ConditionNumber>(known.size() - 1);
}

bool Router::Holds(ConditionNumber number, RoutingSubject& subject,
                   std::vector<std::uint8_t>& verdicts) const {
  std::uint8_t& verdict = verdicts[number];
  if (verdict == static_cast<std::uint8_t>(Verdict::kUnknown)) {
    verdict = static_cast<std::uint8_t>(conditions_[number].Matches(subject) ? Verdict::kHolds
                                                                             : Verdict::kFails);
  }
  return verdict == static_cast<std::uint8_t>(Verdict::kHolds);
}

RouteDecision Router::Decide(const RouteRequest& request, RoutingScratch& scratch) const {
  RouteDecision decision;
  if (policies_.empty()) {
    return decision;
  }
  RoutingSubject subject(request, keys_, scratch);
  scratch.verdicts.assign(conditions_.size(), static_cast<std::uint8_t>(Verdict::kUnknown));
  for (const Policy& policy : policies_) {
    ++decision.tried;
    if (std::ranges::all_of(policy.by_cost, [&](ConditionNumber number) {
          return Holds(number, subject, scratch.verdicts);
        })) {
      decision.reason = RouteReason::kFirstMatch;
      decision.policy = policy.position;
      return decision;
    }
  }
  decision.reason = RouteReason::kDefault;
  return decision;
}

std::vector<PolicyTrace> Router::Explain(const RouteRequest& request,
                                         RoutingScratch& scratch) const {
  RoutingSubject subject(request, keys_, scratch);
  scratch.verdicts.assign(conditions_.size(), static_cast<std::uint8_t>(Verdict::kUnknown));
  std::vector<PolicyTrace> traces;
  for (const Policy& policy : policies_) {
    PolicyTrace trace{.policy = policy.position, .matched = true, .rules = {}};
    for (const ConditionNumber number : policy.rules) {
      const bool holds = Holds(number, subject, scratch.verdicts);
      trace.rules.push_back(holds);
      trace.matched = trace.matched && holds;
    }
    traces.push_back(std::move(trace));
    if (traces.back().matched) {
      break;
    }
  }
  return traces;
}

bool Router::IsFor(const contract::ListenerConfig& listener) const {
  return advanced_ == listener.advanced_forwarding && source_ == listener.policies;
}

}  // namespace elb::proxy
