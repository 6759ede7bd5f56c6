#include "control/state.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace elb::control {

std::string AddressText(const std::string& address) {
  const auto parsed = IpAddress::Parse(address);
  return parsed ? parsed->ToString() : address;
}

std::string PortKey(const model::Listener& listener) {
  return listener.loadbalancer_id + (listener.protocol == "UDP" ? "|udp|" : "|tcp|") +
         std::to_string(listener.protocol_port);
}

std::string EndpointKey(const model::Member& member) {
  return member.pool_id + '|' + AddressText(member.address) + '|' +
         std::to_string(member.protocol_port);
}

namespace {

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  return text;
}

/// Appends a text so that its end can be told from what follows.
void AppendText(std::string_view text, std::string& out) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

/// The same for rules that compare the same, whatever the order of their values and, where case
/// does not count, their letters.
std::string RuleKey(const model::L7Rule& rule) {
  const bool caseless = rule.type == "HOST_NAME" || rule.type == "HEADER";
  const bool keyed = rule.type == "HEADER" || rule.type == "QUERY_STRING";
  const auto normal = [&](const std::string& text) { return caseless ? Lower(text) : text; };
  std::set<std::string> values;
  for (const model::RuleCondition& condition : rule.conditions) {
    values.insert(normal(condition.value));
  }
  if (values.empty()) {
    values.insert(normal(rule.value));
  }
  const std::string& key = rule.conditions.empty() ? rule.key : rule.conditions.front().key;
  std::string text;
  AppendText(rule.type, text);
  AppendText(rule.compare_type, text);
  AppendText(rule.invert ? "!" : "", text);
  AppendText(keyed ? normal(key) : "", text);
  for (const std::string& value : values) {
    AppendText(value, text);
  }
  return text;
}

}  // namespace

std::string RuleSetKey(const std::string& listener_id,
                       const std::vector<const model::L7Rule*>& rules) {
  std::set<std::string> texts;
  for (const model::L7Rule* rule : rules) {
    if (rule->admin_state_up) {
      texts.insert(RuleKey(*rule));
    }
  }
  std::string key = texts.empty() ? "" : listener_id;
  for (const std::string& text : texts) {
    AppendText(text, key);
  }
  return key;
}

template <>
Table<model::LoadBalancer>& State::Of<model::LoadBalancer>() {
  return load_balancers;
}
template <>
Table<model::Listener>& State::Of<model::Listener>() {
  return listeners;
}
template <>
Table<model::Pool>& State::Of<model::Pool>() {
  return pools;
}
template <>
Table<model::Member>& State::Of<model::Member>() {
  return members;
}
template <>
Table<model::HealthMonitor>& State::Of<model::HealthMonitor>() {
  return monitors;
}
template <>
Table<model::Certificate>& State::Of<model::Certificate>() {
  return certificates;
}
template <>
Table<model::IpGroup>& State::Of<model::IpGroup>() {
  return ip_groups;
}
template <>
Table<model::SecurityPolicy>& State::Of<model::SecurityPolicy>() {
  return security_policies;
}
template <>
Table<model::Logtank>& State::Of<model::Logtank>() {
  return logtanks;
}
template <>
Table<model::L7Policy>& State::Of<model::L7Policy>() {
  return l7_policies;
}
template <>
Table<model::L7Rule>& State::Of<model::L7Rule>() {
  return l7_rules;
}
template <>
Table<model::Eip>& State::Of<model::Eip>() {
  return eips;
}

const Referrers& State::By(std::string_view relation, const std::string& id) const {
  static const Referrers none;
  const auto found = relations_.find(std::string(relation) + ':' + id);
  return found == relations_.end() ? none : found->second;
}

void State::Set(std::string_view relation, const std::string& target, std::uint64_t sequence,
                const std::string& id, bool add) {
  if (target.empty()) {
    return;
  }
  const std::string key = std::string(relation) + ':' + target;
  if (add) {
    relations_[key][sequence] = id;
    return;
  }
  const auto found = relations_.find(key);
  if (found != relations_.end()) {
    found->second.erase(sequence);
    if (found->second.empty()) {
      relations_.erase(found);
    }
  }
}

template <>
void State::Link(const model::LoadBalancer& object, std::uint64_t sequence, bool add) {
  Set(kLoadBalancersOfAddress, object.vip_address, sequence, object.identity.id, add);
  Set(kLoadBalancersOfPublicAddress, object.eip_id, sequence, object.identity.id, add);
}
template <>
void State::Link(const model::Listener& object, std::uint64_t sequence, bool add) {
  const std::string& id = object.identity.id;
  Set(kListenersOfLoadBalancer, object.loadbalancer_id, sequence, id, add);
  Set(kListenersOfPort, PortKey(object), sequence, id, add);
  Set(kListenersOfPool, object.default_pool_id, sequence, id, add);
  Set(kListenersOfCertificate, object.default_tls_container_ref, sequence, id, add);
  Set(kListenersOfCertificate, object.client_ca_tls_container_ref, sequence, id, add);
  for (const std::string& reference : object.sni_container_refs) {
    Set(kListenersOfCertificate, reference, sequence, id, add);
  }
  if (object.ipgroup) {
    Set(kListenersOfIpGroup, object.ipgroup->ipgroup_id, sequence, id, add);
  }
  Set(kListenersTrustingIpGroup, object.extensions.request_id.trusted_ipgroup_id, sequence, id,
      add);
  Set(kListenersTrustingIpGroup, object.extensions.front_proxy.trusted_ipgroup_id, sequence, id,
      add);
  Set(kListenersOfSecurityPolicy, object.security_policy_id, sequence, id, add);
}
template <>
void State::Link(const model::Pool& object, std::uint64_t sequence, bool add) {
  Set(kPoolsOfLoadBalancer, object.loadbalancer_id, sequence, object.identity.id, add);
}
template <>
void State::Link(const model::Member& object, std::uint64_t sequence, bool add) {
  Set(kMembersOfPool, object.pool_id, sequence, object.identity.id, add);
  Set(kMembersOfEndpoint, EndpointKey(object), sequence, object.identity.id, add);
  Set(kMembersOfAddress, AddressText(object.address), sequence, object.identity.id, add);
}
template <>
void State::Link(const model::HealthMonitor& object, std::uint64_t sequence, bool add) {
  Set(kMonitorsOfPool, object.pool_id, sequence, object.identity.id, add);
}
template <>
void State::Link(const model::Certificate& /*object*/, std::uint64_t /*sequence*/, bool /*add*/) {}
template <>
void State::Link(const model::IpGroup& /*object*/, std::uint64_t /*sequence*/, bool /*add*/) {}
template <>
void State::Link(const model::Logtank& object, std::uint64_t sequence, bool add) {
  Set(kLogtanksOfLoadBalancer, object.loadbalancer_id, sequence, object.identity.id, add);
}
template <>
void State::Link(const model::SecurityPolicy& /*object*/, std::uint64_t /*sequence*/,
                 bool /*add*/) {}
template <>
void State::Link(const model::L7Policy& object, std::uint64_t sequence, bool add) {
  const std::string& id = object.identity.id;
  Set(kPoliciesOfListener, object.listener_id, sequence, id, add);
  Set(kPoliciesToListener, object.redirect_listener_id, sequence, id, add);
  for (const std::string& pool : object.PoolIds()) {
    Set(kPoliciesOfPool, pool, sequence, id, add);
  }
  IndexRules(id);
}
template <>
void State::Link(const model::L7Rule& object, std::uint64_t sequence, bool add) {
  Set(kRulesOfPolicy, object.l7policy_id, sequence, object.identity.id, add);
  IndexRules(object.l7policy_id);
}

template <>
void State::Link(const model::Eip& object, std::uint64_t sequence, bool add) {
  Set(kEipsOfAddress, object.address, sequence, object.identity.id, add);
}

/// Files a policy anew under the rules that it has now.
void State::IndexRules(const std::string& policy_id) {
  const model::L7Policy* policy = l7_policies.Find(policy_id);
  if (policy == nullptr) {
    return;
  }
  std::vector<const model::L7Rule*> rules;
  for (const auto& [sequence, id] : By(kRulesOfPolicy, policy_id)) {
    rules.push_back(l7_rules.Find(id));
  }
  const std::string key = RuleSetKey(policy->listener_id, rules);
  const std::uint64_t sequence = l7_policies.SequenceOf(policy_id);
  const auto known = rule_sets_.find(policy_id);
  if (known != rule_sets_.end()) {
    Set(kPoliciesOfRuleSet, known->second, sequence, policy_id, false);
    rule_sets_.erase(known);
  }
  if (!key.empty()) {
    Set(kPoliciesOfRuleSet, key, sequence, policy_id, true);
    rule_sets_.emplace(policy_id, key);
  }
}

bool State::IsDuplicate(const std::string& policy_id) const {
  const auto known = rule_sets_.find(policy_id);
  return known != rule_sets_.end() &&
         By(kPoliciesOfRuleSet, known->second).begin()->second != policy_id;
}

}  // namespace elb::control
