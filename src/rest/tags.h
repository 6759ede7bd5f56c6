#pragma once

#include <string>
#include <vector>

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// Does the path belong to the tag calls of load balancers and listeners (api-v3.md 2.15)?
/// `/v2.0/{project_id}/<kind>/...` and the same under `/v3`.
[[nodiscard]] bool IsTagPath(const std::vector<std::string>& path);

/// Answers a tag call. `known`: how authentication went; errors of these calls look like the VPC
/// service's.
[[nodiscard]] Response RouteTags(control::Control& control, Call& call, const Result<void>& known);

}  // namespace elb::rest
