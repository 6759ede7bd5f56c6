#include "model/resources.h"

#include <algorithm>

#include "model/certificate.h"
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

namespace elb::model {
namespace {

using Parameters = std::vector<ListParameter>;

ListParameter Text(std::string_view name) { return {.name = name, .place = name}; }
ListParameter At(std::string_view name, std::string_view place) {
  return {.name = name, .place = place};
}
ListParameter Number(std::string_view name) {
  return {.name = name, .place = name, .form = ValueType::kNumber};
}
ListParameter Flag(std::string_view name) {
  return {.name = name, .place = name, .form = ValueType::kFlag, .repeat = Repeat::kOnce};
}

Parameters OfLoadBalancers() {
  return {Text("id"),
          Text("name"),
          Text("description"),
          Flag("admin_state_up"),
          Text("provisioning_status"),
          Text("operating_status"),
          Flag("guaranteed"),
          Text("vpc_id"),
          Text("vip_port_id"),
          Text("vip_address"),
          Text("vip_subnet_cidr_id"),
          Text("ipv6_vip_port_id"),
          Text("ipv6_vip_address"),
          Text("ipv6_vip_virsubnet_id"),
          At("availability_zone_list", "availability_zone_list[]"),
          Text("l4_flavor_id"),
          Text("l4_scale_flavor_id"),
          Text("l7_flavor_id"),
          Text("l7_scale_flavor_id"),
          Text("enterprise_project_id"),
          Flag("deletion_protection_enable"),
          Text("elb_virsubnet_type"),
          Text("protection_status")};
}

Parameters OfListeners() {
  return {Text("id"),
          Text("name"),
          Text("description"),
          Text("protocol"),
          Number("protocol_port"),
          At("loadbalancer_id", "loadbalancers[].id"),
          Text("default_pool_id"),
          Text("default_tls_container_ref"),
          Text("client_ca_tls_container_ref"),
          At("sni_container_refs", "sni_container_refs[]"),
          Flag("admin_state_up"),
          Number("connection_limit"),
          Flag("http2_enable"),
          Text("tls_ciphers_policy"),
          Flag("enable_member_retry"),
          Number("member_timeout"),
          Number("client_timeout"),
          Number("keepalive_timeout"),
          Flag("transparent_client_ip_enable"),
          Flag("enhance_l7policy_enable"),
          Text("protection_status")};
}

Parameters OfPools() {
  return {Text("id"),
          Text("name"),
          Text("description"),
          Text("protocol"),
          Text("lb_algorithm"),
          At("loadbalancer_id", "loadbalancers[].id"),
          At("listener_id", "listeners[].id"),
          Text("healthmonitor_id"),
          Flag("admin_state_up"),
          Text("ip_version"),
          Flag("member_deletion_protection_enable"),
          Text("vpc_id"),
          Text("type"),
          Text("enterprise_project_id"),
          Text("protection_status")};
}

Parameters OfMembers() {
  return {Text("id"),
          Text("name"),
          Number("weight"),
          Flag("admin_state_up"),
          Text("subnet_cidr_id"),
          Text("address"),
          Number("protocol_port"),
          Text("operating_status"),
          Text("ip_version"),
          Text("member_type"),
          Text("instance_id"),
          Text("availability_zone"),
          Text("pool_id"),
          Text("loadbalancer_id")};
}

Parameters OfHealthMonitors() {
  return {Text("id"),
          Text("name"),
          Text("type"),
          Number("delay"),
          Number("timeout"),
          Number("max_retries"),
          Number("max_retries_down"),
          Number("monitor_port"),
          Text("domain_name"),
          Text("url_path"),
          Text("http_method"),
          Text("expected_codes"),
          Flag("admin_state_up"),
          Text("http_version"),
          Flag("content_check_enable"),
          Text("content_format"),
          At("pool_id", "pools[].id")};
}

Parameters OfCertificates() {
  return {Text("id"),     Text("name"), Text("description"), Flag("admin_state_up"),
          Text("domain"), Text("type")};
}

Parameters OfIpGroups() {
  return {Text("id"), Text("name"), Text("description"), At("ip_list", "ip_list[].ip")};
}

Parameters OfSecurityPolicies() {
  return {Text("id"), Text("name"), Text("description"), At("protocols", "protocols[]"),
          At("ciphers", "ciphers[]")};
}

Parameters OfL7Policies() {
  return {Text("id"),
          Text("name"),
          Text("description"),
          Flag("admin_state_up"),
          Text("listener_id"),
          Number("position"),
          Text("action"),
          Text("redirect_url"),
          Text("redirect_pool_id"),
          Text("redirect_listener_id"),
          Text("provisioning_status"),
          Number("priority")};
}

Parameters OfRules() {
  return {Text("id"),
          Text("compare_type"),
          Text("provisioning_status"),
          Flag("invert"),
          Flag("admin_state_up"),
          Text("value"),
          Text("key"),
          Text("type")};
}

Parameters OfLogtanks() {
  return {Text("id"), Text("loadbalancer_id"), Text("log_group_id"), Text("log_topic_id")};
}

std::vector<Resource> All() {
  return {
      {"LoadBalancer", "load balancer", "loadbalancer", "loadbalancers", "loadbalancers",
       &LoadBalancerSchema, Served::kYes, OfLoadBalancers()},
      {"Listener", "listener", "listener", "listeners", "listeners", &ListenerSchema, Served::kYes,
       OfListeners()},
      {"Pool", "backend server group", "pool", "pools", "pools", &PoolSchema, Served::kYes,
       OfPools()},
      {"Member", "backend server", "member", "members", "pools/{pool_id}/members", &MemberSchema,
       Served::kYes, OfMembers()},
      {"HealthMonitor", "health check", "healthmonitor", "healthmonitors", "healthmonitors",
       &HealthMonitorSchema, Served::kYes, OfHealthMonitors()},
      {"Certificate", "certificate", "certificate", "certificates", "certificates",
       &CertificateSchema, Served::kYes, OfCertificates()},
      {"IpGroup", "IP address group", "ipgroup", "ipgroups", "ipgroups", &IpGroupSchema,
       Served::kYes, OfIpGroups()},
      {"SecurityPolicy", "custom security policy", "security_policy", "security_policies",
       "security-policies", &SecurityPolicySchema, Served::kYes, OfSecurityPolicies()},
      {"L7Policy", "forwarding policy", "l7policy", "l7policies", "l7policies", &L7PolicySchema,
       Served::kYes, OfL7Policies()},
      {"L7Rule", "forwarding rule", "rule", "rules", "l7policies/{l7policy_id}/rules",
       &L7RuleSchema, Served::kYes, OfRules()},
      {"Logtank", "log", "logtank", "logtanks", "logtanks", &LogtankSchema, Served::kYes,
       OfLogtanks()},
  };
}

}  // namespace

std::span<const Resource> Resources() {
  static const std::vector<Resource> all = All();
  return all;
}

const Resource* FindResource(std::string_view singular) {
  const auto all = Resources();
  const auto found = std::ranges::find(all, singular, &Resource::singular);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace elb::model
