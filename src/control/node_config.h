#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ip.h"

namespace elb::control {

/// A subnet that load balancers take their private addresses from (architecture: addresses).
struct SubnetConfig {
  std::string name;
  std::string vpc_id;
  std::string network_id;  ///< The VPC API's `id`.
  std::string subnet_id;   ///< `neutron_subnet_id`: what `vip_subnet_cidr_id` names.
  std::string cidr;
  std::string gateway;
};

/// What the operator decides about a node (api-extensions.md 12). The defaults work on a laptop,
/// on loopback, without root.
struct NodeConfig {
  std::string region = "eu-de";
  std::string vpc_id = "c1d6b0aa-3c2e-4f0b-9a51-0d6f2a7e0001";
  std::string vpc_name = "vpc-default";
  std::vector<SubnetConfig> subnets{{.name = "subnet-default",
                                     .vpc_id = "c1d6b0aa-3c2e-4f0b-9a51-0d6f2a7e0001",
                                     .network_id = "c1d6b0aa-3c2e-4f0b-9a51-0d6f2a7e0002",
                                     .subnet_id = "c1d6b0aa-3c2e-4f0b-9a51-0d6f2a7e0003",
                                     .cidr = "127.0.0.0/8",
                                     .gateway = "127.0.0.1"}};
  std::string first_vip = "127.20.0.10";  ///< Automatic addresses start here.
  std::string first_eip = "127.30.0.10";  ///< Public addresses start here.
  std::vector<std::string> availability_zones{"eu-de-01", "eu-de-02", "eu-de-03",
                                              "eu-nl-01", "eu-nl-02", "eu-nl-03"};
  std::map<std::string, std::int64_t> quotas;  ///< Overrides of api-v3.md 2.13.
  std::string default_tls_ciphers_policy = "tls-1-0";
  std::chrono::seconds connect_timeout{5};
  std::int64_t request_body_bytes_max = 10'737'418'240;
  std::chrono::hours token_life{24};
  std::int64_t revisions_max = 2'000;     ///< Per project (api-extensions.md 4.2).
  std::chrono::days revisions_life{400};  ///< Likewise, but the newest 100 are kept always.
  std::string api_base_url;               ///< Empty: from the request's Host.
};

}  // namespace elb::control
