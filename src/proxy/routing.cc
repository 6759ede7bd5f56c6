#include "proxy/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace elb::proxy {
namespace {

using contract::L7PolicyConfig;
using contract::L7RuleConfig;

enum class Verdict : std::uint8_t { kUnknown, kFails, kHolds };

}  // namespace

Result<std::shared_ptr<const Router>> Router::Compile(const contract::ListenerConfig& listener) {
  auto router = std::make_shared<Router>();
  router->source_ = listener.policies;
  std::vector<L7RuleConfig> known;
  for (const L7PolicyConfig& source : router->source_) {
    Policy policy;
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
    if (std::ranges::all_of(policy.by_cost, [&](ConditionNumber number) {
          return Holds(number, subject, scratch.verdicts);
        })) {
      decision.reason = RouteReason::kFirstMatch;
      decision.policy = decision.tried++;
      return decision;
    }
    ++decision.tried;
  }
  decision.reason = RouteReason::kDefault;
  return decision;
}

std::vector<PolicyTrace> Router::Explain(const RouteRequest& request,
                                         RoutingScratch& scratch) const {
  RoutingSubject subject(request, keys_, scratch);
  scratch.verdicts.assign(conditions_.size(), static_cast<std::uint8_t>(Verdict::kUnknown));
  std::vector<PolicyTrace> traces;
  for (PolicyPosition position = 0; position < policies_.size(); ++position) {
    PolicyTrace trace{.policy = position, .matched = true, .rules = {}};
    for (const ConditionNumber number : policies_[position].rules) {
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
  return source_ == listener.policies;
}

}  // namespace elb::proxy
