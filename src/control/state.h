#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/ip.h"
#include "model/certificate.h"
#include "model/eip.h"
#include "model/health_monitor.h"
#include "model/ip_group.h"
#include "model/l7_policy.h"
#include "model/l7_rule.h"
#include "model/listener.h"
#include "model/load_balancer.h"
#include "model/logtank.h"
#include "model/member.h"
#include "model/pool.h"
#include "model/security_policy.h"

namespace elb::control {

/// Objects of one kind by id, and in order of creation, altogether and per project.
template <typename T>
class Table {
 public:
  using Pointer = std::shared_ptr<const T>;
  using InOrder = std::map<std::uint64_t, Pointer>;

  [[nodiscard]] const T* Find(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.second.get();
  }
  [[nodiscard]] std::uint64_t SequenceOf(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? 0 : found->second.first;
  }
  void Put(std::uint64_t sequence, const Pointer& object) {
    by_sequence_[sequence] = object;
    by_project_[object->identity.project_id][sequence] = object;
    by_id_[object->identity.id] = std::pair(sequence, object);
  }
  void Erase(const std::string& id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
      return;
    }
    const auto& [sequence, object] = found->second;
    by_sequence_.erase(sequence);
    const auto own = by_project_.find(object->identity.project_id);
    own->second.erase(sequence);
    if (own->second.empty()) {
      by_project_.erase(own);
    }
    by_id_.erase(found);
  }
  [[nodiscard]] Pointer Get(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.second;
  }
  [[nodiscard]] const InOrder& in_order() const { return by_sequence_; }
  /// Those of one project. Its size costs nothing to ask.
  [[nodiscard]] const InOrder& In(const std::string& project) const {
    static const InOrder none;
    const auto found = by_project_.find(project);
    return found == by_project_.end() ? none : found->second;
  }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  absl::flat_hash_map<std::string, std::pair<std::uint64_t, Pointer>> by_id_;
  InOrder by_sequence_;
  absl::flat_hash_map<std::string, InOrder> by_project_;
};

/// Ids of objects that refer to something, in order of creation.
using Referrers = std::map<std::uint64_t, std::string>;

/// Every object of the installation in memory, with the references between them. Control thread.
class State {
 public:
  // NOLINTBEGIN(misc-non-private-member-variables-in-classes): tables for every use case.
  Table<model::LoadBalancer> load_balancers;
  Table<model::Listener> listeners;
  Table<model::Pool> pools;
  Table<model::Member> members;
  Table<model::HealthMonitor> monitors;
  Table<model::Certificate> certificates;
  Table<model::IpGroup> ip_groups;
  Table<model::SecurityPolicy> security_policies;
  Table<model::Logtank> logtanks;
  Table<model::L7Policy> l7_policies;
  Table<model::L7Rule> l7_rules;
  Table<model::Eip> eips;
  // NOLINTEND(misc-non-private-member-variables-in-classes)

  /// The table of `T`.
  template <typename T>
  [[nodiscard]] Table<T>& Of();
  template <typename T>
  [[nodiscard]] const Table<T>& Of() const {
    return const_cast<State*>(this)->Of<T>();
  }

  /// Who refers to `id` by this relation; empty when nobody does.
  [[nodiscard]] const Referrers& By(std::string_view relation, const std::string& id) const;
  /// Does an older policy of the listener have the same rules (api-v3.md 2.9)? Policies without
  /// rules have none in common.
  [[nodiscard]] bool IsDuplicate(const std::string& policy_id) const;
  /// Adds or removes the relations of one object.
  template <typename T>
  void Link(const T& object, std::uint64_t sequence, bool add);

  // NOLINTBEGIN(misc-non-private-member-variables-in-classes): likewise.
  std::uint64_t next_sequence = 1;
  /// Where the search for a free address goes on, by subnet id; of public addresses under "". Not
  /// undone: any place is right, a good one saves time.
  std::map<std::string, IpAddress> next_addresses;
  absl::flat_hash_map<std::string, std::uint64_t> revisions;  ///< Newest, by project.
  // NOLINTEND(misc-non-private-member-variables-in-classes)

 private:
  void Set(std::string_view relation, const std::string& target, std::uint64_t sequence,
           const std::string& id, bool add);
  void IndexRules(const std::string& policy_id);
  absl::flat_hash_map<std::string, Referrers> relations_;
  absl::flat_hash_map<std::string, std::string> rule_sets_;  ///< `RuleSetKey` by policy.
};

/// Names of relations: what refers to what.
inline constexpr std::string_view kListenersOfLoadBalancer = "listener.loadbalancer";
inline constexpr std::string_view kPoolsOfLoadBalancer = "pool.loadbalancer";
inline constexpr std::string_view kListenersOfPool = "listener.pool";
inline constexpr std::string_view kMembersOfPool = "member.pool";
inline constexpr std::string_view kMonitorsOfPool = "monitor.pool";
inline constexpr std::string_view kListenersOfCertificate = "listener.certificate";
inline constexpr std::string_view kListenersOfIpGroup = "listener.ipgroup";
/// By the groups of their extensions: no binding, not shown by the group.
inline constexpr std::string_view kListenersTrustingIpGroup = "listener.trusted_ipgroup";
inline constexpr std::string_view kLogtanksOfLoadBalancer = "logtank.loadbalancer";
inline constexpr std::string_view kListenersOfSecurityPolicy = "listener.security_policy";
inline constexpr std::string_view kPoliciesOfListener = "l7policy.listener";
inline constexpr std::string_view kPoliciesOfPool = "l7policy.pool";
/// By the listener to which they redirect.
inline constexpr std::string_view kPoliciesToListener = "l7policy.redirect";
inline constexpr std::string_view kRulesOfPolicy = "rule.l7policy";
/// By `RuleSetKey`.
inline constexpr std::string_view kPoliciesOfRuleSet = "l7policy.rules";
/// By private address.
inline constexpr std::string_view kLoadBalancersOfAddress = "loadbalancer.address";
inline constexpr std::string_view kLoadBalancersOfPublicAddress = "loadbalancer.eip";  ///< By id.
inline constexpr std::string_view kEipsOfAddress = "publicip.address";
/// By `PortKey`.
inline constexpr std::string_view kListenersOfPort = "listener.port";
/// By `EndpointKey`.
inline constexpr std::string_view kMembersOfEndpoint = "member.endpoint";
/// By address, in one spelling.
inline constexpr std::string_view kMembersOfAddress = "member.address";

/// One spelling of an address; texts that are none stay as they are.
[[nodiscard]] std::string AddressText(const std::string& address);
/// A listener's port on its load balancer, which UDP has to itself (api-v3.md 2.19.3).
[[nodiscard]] std::string PortKey(const model::Listener& listener);
/// A member's place in its pool, under which it must be alone (api-v3.md 2.4).
[[nodiscard]] std::string EndpointKey(const model::Member& member);
/// The same for policies of a listener that take the same requests; empty without rules that are
/// enabled.
[[nodiscard]] std::string RuleSetKey(const std::string& listener_id,
                                     const std::vector<const model::L7Rule*>& rules);
/// Name of an object; rules have none.
template <typename T>
[[nodiscard]] std::string NameIn(const T& object) {
  if constexpr (requires { object.name; }) {
    return object.name;
  } else {
    return {};
  }
}

}  // namespace elb::control
