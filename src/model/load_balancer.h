#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// Receives traffic on a private address, a public one, or both (api-v3.md 2.1).
struct LoadBalancer {
  Identity identity;
  std::string name;
  std::string description;
  bool admin_state_up = true;
  std::string provider = "vlb";
  bool guaranteed = true;
  std::string vpc_id;
  std::string vip_subnet_cidr_id;
  std::string vip_address;
  std::string vip_port_id;
  std::string ipv6_vip_virsubnet_id;
  std::vector<std::string> availability_zone_list;
  std::vector<Tag> tags;
  std::vector<std::string> elb_virsubnet_ids;
  bool ip_target_enable = false;
  std::string l4_flavor_id;
  std::string l7_flavor_id;
  bool deletion_protection_enable = false;
  std::string waf_failure_action = "forward";
  std::string charge_mode = "flavor";
  std::string protection_status = "nonProtection";
  std::string protection_reason;
  // Not set through the table.
  std::string eip_id;
  std::string eip_address;

  [[nodiscard]] Kind kind() const { return guaranteed ? Kind::kDedicated : Kind::kShared; }
  friend bool operator==(const LoadBalancer&, const LoadBalancer&) = default;
};

[[nodiscard]] const Schema& LoadBalancerSchema();

}  // namespace elb::model
