#pragma once

#include <string_view>

#include "base/fault.h"
#include "http/message.h"
#include "proxy/attempt.h"

namespace elb::proxy {

/// Server name for TLS to a member: the host of the request's authority when it is a DNS name, else
/// empty (data-plane.md 2.9). Views into the request.
[[nodiscard]] std::string_view BackendServerName(const http::RequestHead& request);

/// What a failed connect means for the attempt.
[[nodiscard]] AttemptFailure FailureOfConnect(const Fault& fault);

}  // namespace elb::proxy
