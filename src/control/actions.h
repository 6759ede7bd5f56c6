#pragma once

#include "control/control.h"

namespace elb::control {

/// What `Control::Perform` does inside the one write. Errors carry paths in the body's words.
[[nodiscard]] Result<Json> DoAction(Draft& draft, UseCase& use, const Place& place, Action action,
                                    const Json& body);

}  // namespace elb::control
