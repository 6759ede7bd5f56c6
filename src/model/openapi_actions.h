#pragma once

#include "model/schema.h"

namespace elb::model {

/// Describes the calls that are no resource's own create, list, show, update or delete
/// (api-v3.md 2.7, 2.9, 2.16, 2.18).
void AddActions(Json& paths);

/// Describes the tag calls on both faces (api-v3.md 2.15).
void AddTagPaths(Json& paths);
/// The form of their errors.
[[nodiscard]] Json TagErrorSchema();

}  // namespace elb::model
