#pragma once

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// Answers `network/v1/{project}/...` in the VPC API's words (api-v3.md 4.5): the VPCs and subnets
/// of the node's configuration, the project's public addresses and their bandwidths. Public
/// addresses can be listed, shown and released; they are allocated with a load balancer.
[[nodiscard]] Response RouteNetwork(control::Control& control, const Call& call);

}  // namespace elb::rest
