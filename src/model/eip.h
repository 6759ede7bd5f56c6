#pragma once

#include <optional>
#include <string>

#include "model/load_balancer.h"

namespace elb::model {

/// A public address (EIP) of a project. The load balancer whose `eip_id` it is has it bound; it
/// outlives the load balancer, unbound, until it is released (api-v3.md 2.1).
struct Eip {
  Identity identity;
  std::string address;
  std::optional<PublicAddress> asked;  ///< As it was allocated; none of addresses of old stores.
  friend bool operator==(const Eip&, const Eip&) = default;
};

/// The fields as they are stored; no call sets them through this table.
[[nodiscard]] const Schema& EipDocumentSchema();

}  // namespace elb::model
