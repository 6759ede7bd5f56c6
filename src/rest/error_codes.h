#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "rest/message.h"

namespace elb::rest {

/// What a kind of error looks like on the wire (api-v3.md 1.9; api-extensions.md 1.5).
struct WireError {
  int status = 500;
  std::string code;
};

/// What decides about status and code.
struct Problem {
  std::string_view path;
  ErrorKind kind = ErrorKind::kInternal;
  bool shared = false;  ///< A shared load balancer is concerned.
  bool update = false;  ///< The call changes an object.
};

/// The one place that turns kinds into statuses and codes (api-v3.md 1.9, api-extensions.md 1.5).
[[nodiscard]] WireError ToWire(const Problem& problem);

/// The complete answer.
[[nodiscard]] Response ErrorResponse(const Error& error, bool update,
                                     const std::string& request_id);

}  // namespace elb::rest
