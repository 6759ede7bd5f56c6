#pragma once

#include <string_view>

#include "base/clock.h"

namespace elb::server {

/// `now` as an IMF-fixdate (RFC 9110 section 5.6.7), formatted once per second and thread. Valid
/// until the next call on this thread.
[[nodiscard]] std::string_view DateText(WallTime now);

}  // namespace elb::server
