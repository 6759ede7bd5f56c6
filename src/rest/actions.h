#pragma once

#include <optional>

#include "control/control.h"
#include "rest/call.h"

namespace elb::rest {

/// Calls below an object that do something to it: entries of IP address groups and so on
/// (api-v3.md 2.7, 2.18). Nullopt: the path is none of theirs.
[[nodiscard]] std::optional<Response> RouteActions(control::Control& control, Call& call);

/// The object in its envelope, with its entity tag.
[[nodiscard]] Response ShowResponse(const Call& call, const control::Shown& shown,
                                    control::Resource resource, int status);

}  // namespace elb::rest
