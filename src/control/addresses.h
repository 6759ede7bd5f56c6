#pragma once

#include "control/draft.h"
#include "control/services.h"

namespace elb::control {

/// A load balancer that gets its addresses; `before` is null when it is new.
struct Addressed {
  model::LoadBalancer* balancer = nullptr;
  const model::LoadBalancer* before = nullptr;
};

/// Gives the load balancer the private IPv4 address asked for or a free one of its subnet, and the
/// subnet's VPC; without a subnet it has none (api-v3.md 2.1, `vip_subnet_cidr_id`, `vip_address`).
/// Errors: kReferenceNotFound, kInvalid, kConflict.
[[nodiscard]] Result<void> AssignAddress(Draft& draft, const UseCase& use, Addressed addressed,
                                         const model::Given& given);

/// Allocates the public address that `publicip` asks for, or binds the one that `publicip_ids`
/// names (api-v3.md 2.1). Errors: kReferenceNotFound, kConflict when it is bound, kNoIpv6.
[[nodiscard]] Result<void> BindPublicAddress(Draft& draft, const UseCase& use,
                                             model::LoadBalancer& balancer);

/// Unbinds a public address from its load balancer, if any, and gives it back.
void ReleasePublicAddress(Draft& draft, const std::string& id);
/// Every load balancer's public address has an object of its own from now on: in stores of old it
/// was a part of the load balancer.
void SeparatePublicAddresses(Draft& draft);

/// No subnet of a node has IPv6. Errors: kReferenceNotFound, kNoIpv6.
[[nodiscard]] Result<void> CheckIpv6(const NodeConfig& node, const model::LoadBalancer& balancer);

}  // namespace elb::control
