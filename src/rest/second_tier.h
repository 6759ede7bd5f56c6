#pragma once

#include <optional>

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// The calls of api-v3.md 2.18 that concern no single resource's own routes: deletion in batches
/// and cascades, jobs, features, and those that this deployment does not offer (403 ELB.8962).
/// Nullopt: the path is none of theirs.
[[nodiscard]] std::optional<Response> RouteSecondTier(control::Control& control, const Call& call);

}  // namespace elb::rest
