#pragma once

#include <string>

#include "base/error.h"
#include "rest/message.h"

namespace elb::rest {

/// What a kind of error looks like on the wire (api-v3.md 1.9; api-extensions.md 1.5).
struct WireError {
  int status = 500;
  std::string code;
};

/// The one place that turns kinds into statuses and codes. `update`: the call changes an object.
[[nodiscard]] WireError ToWire(const Error& error, ErrorKind kind, bool update);

/// The complete answer.
[[nodiscard]] Response ErrorResponse(const Error& error, bool update,
                                     const std::string& request_id);

}  // namespace elb::rest
