#pragma once

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// Answers `network/v1/{project}/...`: the VPCs and subnets of the node's configuration, in the VPC
/// API's words (api-v3.md 4.5).
[[nodiscard]] Response RouteNetwork(const control::Control& control, const Call& call);

}  // namespace elb::rest
