#pragma once

#include <string>
#include <string_view>

#include "control/control.h"
#include "control/state.h"

namespace elb::control {

/// Identity of the object of that kind, or null.
[[nodiscard]] const model::Identity* IdentityOf(const State& state, Resource resource,
                                                const std::string& id);
/// The pool of a member, the policy of a rule; empty for all others.
[[nodiscard]] std::string ParentOf(const State& state, Resource resource, const std::string& id);
/// The word of errors: `loadbalancer`.
[[nodiscard]] std::string_view NameOf(Resource resource);

}  // namespace elb::control
