#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// `l7policies/batch-update-priority` (api-v3.md 2.9). nullopt: another path.
[[nodiscard]] std::optional<Response> RouteForwarding(control::Control& control, const Call& call);

/// Puts whole rules in place of the ids in the representation of a policy.
void ShowWholeRules(const control::Control& control, const Call& call,
                    nlohmann::ordered_json& policy);

}  // namespace elb::rest
