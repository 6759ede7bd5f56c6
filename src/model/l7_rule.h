#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// What decides about the rules of a listener's forwarding policies.
struct ForwardingTraits {
  std::string listener_protocol;
  bool advanced = false;  ///< enhance_l7policy_enable
  Kind kind = Kind::kDedicated;
};

/// One of several values of a rule, any of which may match.
struct RuleCondition {
  std::string key;
  std::string value;
  friend bool operator==(const RuleCondition&, const RuleCondition&) = default;
};

/// What a request must look like to be taken by its forwarding policy (api-v3.md 2.10).
struct L7Rule {
  Identity identity;
  std::string l7policy_id;
  std::string type;
  std::string compare_type;
  std::string value;  ///< Echoed also where the conditions decide.
  std::vector<RuleCondition> conditions;
  bool invert = false;
  std::string key;
  bool admin_state_up = true;
  friend bool operator==(const L7Rule&, const L7Rule&) = default;
};

[[nodiscard]] const Schema& L7RuleSchema();
/// What is stored besides the table's fields.
[[nodiscard]] const Schema& L7RuleInternalSchema();

/// Rules over several fields of one rule. `path` is the rule's own, for example `rule` or
/// `l7policy.rules[2]`. Errors: kInvalid, kMissing; kRestricted on shared load balancers.
[[nodiscard]] Result<void> CheckL7Rule(const L7Rule& rule, const std::string& path,
                                       const ForwardingTraits& traits);

/// All rules of one policy: host, path, method and source at most once (kConflict), together at
/// most `conditions_max` conditions (the quota `condition_per_policy`; -1: no limit; kQuota).
[[nodiscard]] Result<void> CheckRuleSet(const std::vector<L7Rule>& rules, const std::string& path,
                                        std::int64_t conditions_max);

}  // namespace elb::model
