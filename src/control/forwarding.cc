#include "control/forwarding.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "control/rules.h"

namespace elb::control {
namespace {

using contract::L7PolicyConfig;
using contract::L7RuleConfig;
using model::L7Policy;
using model::L7Rule;

/// The policy's rules that are enabled.
std::vector<const L7Rule*> RulesOf(const State& state, const std::string& policy) {
  std::vector<const L7Rule*> rules;
  for (const auto& [sequence, id] : state.By(kRulesOfPolicy, policy)) {
    const L7Rule* rule = state.l7_rules.Find(id);
    if (rule->admin_state_up) {
      rules.push_back(rule);
    }
  }
  return rules;
}

const L7Rule* RuleOf(const std::vector<const L7Rule*>& rules, std::string_view type) {
  const auto found = std::ranges::find(rules, type, &L7Rule::type);
  return found == rules.end() ? nullptr : *found;
}

contract::RuleCompare CompareOf(const L7Rule& rule) {
  if (rule.compare_type == "REGEX") {
    return contract::RuleCompare::kRegex;
  }
  return rule.compare_type == "STARTS_WITH" ? contract::RuleCompare::kStartsWith
                                            : contract::RuleCompare::kEqualTo;
}

/// Place in the order of evaluation: smaller comes first. Of paths, exact ones come before
/// prefixes before expressions, as the enum has them.
using Rank = std::tuple<int, contract::RuleCompare, std::int64_t>;

Rank BasicRank(const State& state, const L7Policy& policy) {
  const std::vector<const L7Rule*> rules = RulesOf(state, policy.identity.id);
  if (rules.empty()) {  // Takes everything: a redirection before all others, a pool after them.
    return {policy.action == "REDIRECT_TO_LISTENER" ? 0 : 3, {}, 0};
  }
  const int group = RuleOf(rules, "HOST_NAME") != nullptr ? 1 : 2;
  const L7Rule* path = RuleOf(rules, "PATH");
  if (path == nullptr) {  // Only a host: as the prefix `/`.
    return {group, contract::RuleCompare::kStartsWith, -1};
  }
  return {group, CompareOf(*path), -static_cast<std::int64_t>(path->value.size())};
}

/// Redirections to a listener come before all others, those of everything before the rest.
Rank AdvancedRank(const State& state, const L7Policy& policy) {
  if (policy.action == "REDIRECT_TO_LISTENER") {
    return {RulesOf(state, policy.identity.id).empty() ? 0 : 1, {}, 0};
  }
  return {2, {}, policy.priority.value_or(0)};
}

contract::RuleType TypeOf(const std::string& text) {
  if (text == "HOST_NAME") {
    return contract::RuleType::kHostName;
  }
  if (text == "METHOD") {
    return contract::RuleType::kMethod;
  }
  if (text == "HEADER") {
    return contract::RuleType::kHeader;
  }
  if (text == "QUERY_STRING") {
    return contract::RuleType::kQueryString;
  }
  return text == "SOURCE_IP" ? contract::RuleType::kSourceIp : contract::RuleType::kPath;
}

L7RuleConfig MakeRule(const L7Rule& rule) {
  L7RuleConfig config{.type = TypeOf(rule.type),
                      .compare = CompareOf(rule),
                      .invert = rule.invert,
                      .key = rule.key,
                      .values = {}};
  if (rule.conditions.empty()) {
    config.values.push_back(rule.value);
    return config;
  }
  config.key = rule.conditions.front().key;
  for (const model::RuleCondition& condition : rule.conditions) {
    config.values.push_back(condition.value);
  }
  return config;
}

int StatusCode(const std::string& text) {
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

void AddPools(const L7Policy& policy, L7PolicyConfig& config) {
  if (policy.redirect_pools_config.empty()) {
    config.pools.push_back({.pool = PoolId(policy.redirect_pool_id), .weight = 1});
    return;
  }
  for (const model::WeightedPool& pool : policy.redirect_pools_config) {
    config.pools.push_back(
        {.pool = PoolId(pool.pool_id), .weight = static_cast<std::uint32_t>(pool.weight)});
  }
}

void AddAction(const State& state, const L7Policy& policy, L7PolicyConfig& config) {
  if (policy.action == "REDIRECT_TO_LISTENER") {
    config.action = contract::PolicyAction::kToListener;
    if (const model::Listener* target = state.listeners.Find(policy.redirect_listener_id)) {
      config.listener_port = static_cast<std::uint16_t>(target->protocol_port);
    }
  } else if (policy.redirect_url_config) {
    const model::RedirectUrl& url = *policy.redirect_url_config;
    config.action = contract::PolicyAction::kToUrl;
    config.url_protocol = url.protocol;
    config.url_host = url.host;
    config.url_port = url.port;
    config.url_path = url.path;
    config.url_query = url.query;
    config.status_code = StatusCode(url.status_code);
  } else if (policy.fixed_response_config) {
    const model::FixedResponse& response = *policy.fixed_response_config;
    config.action = contract::PolicyAction::kFixedResponse;
    config.status_code = StatusCode(response.status_code);
    config.content_type = response.content_type;
    config.message_body = response.message_body;
  } else {
    config.action = contract::PolicyAction::kToPool;
    AddPools(policy, config);
  }
}

/// The oldest policies, as many as a listener may have.
std::set<std::string> Admitted(const State& state, const NodeConfig& node,
                               const std::string& listener) {
  const std::int64_t limit = QuotaOf(node, "l7policies_per_listener");
  std::set<std::string> admitted;
  for (const auto& [sequence, id] : state.By(kPoliciesOfListener, listener)) {
    if (limit < 0 || static_cast<std::int64_t>(admitted.size()) < limit) {
      admitted.insert(id);
    }
  }
  return admitted;
}

}  // namespace

model::ForwardingTraits TraitsOf(const State& state, const model::Listener& listener) {
  const model::LoadBalancer* balancer = state.load_balancers.Find(listener.loadbalancer_id);
  return {.listener_protocol = listener.protocol,
          .advanced = listener.enhance_l7policy_enable,
          .kind = balancer == nullptr ? model::Kind::kDedicated : balancer->kind()};
}

std::vector<std::shared_ptr<const L7Policy>> PoliciesInOrder(const State& state,
                                                             const model::Listener& listener) {
  // Equal ranks are told apart by the order of creation.
  std::map<std::pair<Rank, std::uint64_t>, std::shared_ptr<const L7Policy>> ranked;
  for (const auto& [sequence, id] : state.By(kPoliciesOfListener, listener.identity.id)) {
    auto policy = state.l7_policies.Get(id);
    const Rank rank =
        listener.enhance_l7policy_enable ? AdvancedRank(state, *policy) : BasicRank(state, *policy);
    ranked.emplace(std::pair(rank, sequence), std::move(policy));
  }
  std::vector<std::shared_ptr<const L7Policy>> policies;
  policies.reserve(ranked.size());
  for (const auto& [place, policy] : ranked) {
    policies.push_back(policy);
  }
  return policies;
}

std::vector<L7PolicyConfig> CompilePolicies(const State& state, const NodeConfig& node,
                                            const model::Listener& listener) {
  const std::set<std::string> admitted = Admitted(state, node, listener.identity.id);
  std::vector<L7PolicyConfig> configs;
  for (const auto& policy : PoliciesInOrder(state, listener)) {
    const std::string& id = policy->identity.id;
    const std::vector<const L7Rule*> rules = RulesOf(state, id);
    const bool all_disabled = rules.empty() && !state.By(kRulesOfPolicy, id).empty();
    if (!policy->admin_state_up || all_disabled || state.IsDuplicate(id) ||
        !admitted.contains(id)) {
      continue;
    }
    L7PolicyConfig config;
    config.id = L7PolicyId(id);
    for (const L7Rule* rule : rules) {
      config.rules.push_back(MakeRule(*rule));
    }
    AddAction(state, *policy, config);
    configs.push_back(std::move(config));
  }
  return configs;
}

}  // namespace elb::control
