#pragma once

#include <optional>

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// Answers the read-only parts of the API: flavors, availability zones, quotas and system security
/// policies (api-v3.md 2.8, 2.11 to 2.13). nullopt: not one of those paths.
[[nodiscard]] std::optional<Response> RouteCatalogue(const control::Control& control,
                                                     const Call& call);

}  // namespace elb::rest
