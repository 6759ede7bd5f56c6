#pragma once

#include <memory>
#include <vector>

#include "contract/config_snapshot.h"
#include "control/node_config.h"
#include "control/state.h"

namespace elb::control {

/// What decides about the policies and rules of a listener.
[[nodiscard]] model::ForwardingTraits TraitsOf(const State& state, const model::Listener& listener);

/// The listener's policies, also those out of force, in the order in which they are evaluated: by
/// priority with advanced forwarding, otherwise as data-plane.md 10.2 orders them.
[[nodiscard]] std::vector<std::shared_ptr<const model::L7Policy>> PoliciesInOrder(
    const State& state, const model::Listener& listener);

/// Those in force, in that order. Out of force are: what is disabled, duplicates (api-v3.md 2.9),
/// policies of which every rule is disabled, and what exceeds `l7policies_per_listener`, oldest
/// first (data-plane.md 10.1).
[[nodiscard]] std::vector<contract::L7PolicyConfig> CompilePolicies(
    const State& state, const NodeConfig& node, const model::Listener& listener);

}  // namespace elb::control
