#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// `ipv6_bandwidth`: a shared bandwidth for the public IPv6 address.
struct BandwidthReference {
  std::string id;
  friend bool operator==(const BandwidthReference&, const BandwidthReference&) = default;
};

/// `publicip.bandwidth`: an existing shared one by id, or a new one.
struct Bandwidth {
  std::string id;
  std::string name;
  std::optional<std::int64_t> size;  ///< Mbit/s.
  std::string share_type;
  std::string charge_mode;
  friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

/// `publicip`: a public address to allocate and bind.
struct PublicAddress {
  std::string network_type;
  std::int64_t ip_version = 4;
  std::string description;
  std::optional<Bandwidth> bandwidth;
  friend bool operator==(const PublicAddress&, const PublicAddress&) = default;
};

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
  std::optional<BandwidthReference> ipv6_bandwidth;
  std::vector<std::string> availability_zone_list;
  std::vector<Tag> tags;
  std::optional<PublicAddress> publicip;  ///< Only in create requests.
  std::vector<std::string> publicip_ids;  ///< Only in create requests.
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

/// Rules over several fields of one load balancer. `before` is null on create. Whether zones,
/// subnets, flavors and public addresses exist is `control`'s. Errors: kInvalid, kMissing,
/// kImmutable, kFlavorChange; kRestricted for what a shared load balancer does not offer.
[[nodiscard]] Result<void> CheckLoadBalancer(const LoadBalancer& balancer,
                                             const LoadBalancer* before);

}  // namespace elb::model
