#include "control/state.h"

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
  Set(kLoadBalancersOfAddress, object.eip_address, sequence, object.identity.id, add);
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

}  // namespace elb::control
