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

#include "model/certificate.h"
#include "model/health_monitor.h"
#include "model/listener.h"
#include "model/load_balancer.h"
#include "model/member.h"
#include "model/pool.h"

namespace elb::control {

/// Objects of one kind by id, and in order of creation.
template <typename T>
class Table {
 public:
  using Pointer = std::shared_ptr<const T>;

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
    by_id_[object->identity.id] = std::pair(sequence, object);
  }
  void Erase(const std::string& id) {
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) {
      by_sequence_.erase(found->second.first);
      by_id_.erase(found);
    }
  }
  [[nodiscard]] Pointer Get(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.second;
  }
  [[nodiscard]] const std::map<std::uint64_t, Pointer>& in_order() const { return by_sequence_; }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  absl::flat_hash_map<std::string, std::pair<std::uint64_t, Pointer>> by_id_;
  std::map<std::uint64_t, Pointer> by_sequence_;
};

/// Ids of objects that refer to something, in order of creation.
using Referrers = std::map<std::uint64_t, std::string>;

/// Every object of the installation in memory, with the references between them. Control thread.
class State {
 public:
  Table<model::LoadBalancer> load_balancers;
  Table<model::Listener> listeners;
  Table<model::Pool> pools;
  Table<model::Member> members;
  Table<model::HealthMonitor> monitors;
  Table<model::Certificate> certificates;

  /// The table of `T`.
  template <typename T>
  [[nodiscard]] Table<T>& Of();
  template <typename T>
  [[nodiscard]] const Table<T>& Of() const {
    return const_cast<State*>(this)->Of<T>();
  }

  /// Who refers to `id` by this relation; empty when nobody does.
  [[nodiscard]] const Referrers& By(std::string_view relation, const std::string& id) const;
  /// Adds or removes the relations of one object.
  template <typename T>
  void Link(const T& object, std::uint64_t sequence, bool add);

  std::uint64_t next_sequence = 1;
  absl::flat_hash_map<std::string, std::uint64_t> revisions;  ///< Newest, by project.

 private:
  void Set(std::string_view relation, const std::string& target, std::uint64_t sequence,
           const std::string& id, bool add);
  absl::flat_hash_map<std::string, Referrers> relations_;
};

/// Names of relations: what refers to what.
inline constexpr std::string_view kListenersOfLoadBalancer = "listener.loadbalancer";
inline constexpr std::string_view kPoolsOfLoadBalancer = "pool.loadbalancer";
inline constexpr std::string_view kListenersOfPool = "listener.pool";
inline constexpr std::string_view kMembersOfPool = "member.pool";
inline constexpr std::string_view kMonitorsOfPool = "monitor.pool";
inline constexpr std::string_view kListenersOfCertificate = "listener.certificate";
inline constexpr std::string_view kLoadBalancersOfAddress = "loadbalancer.address";

}  // namespace elb::control
