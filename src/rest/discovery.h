#pragma once

#include <functional>
#include <optional>
#include <string>

#include "rest/call.h"
#include "rest/message.h"

namespace elb::rest {

/// Pages beside the API, made elsewhere.
struct Pages {
  std::function<std::string()> metrics;    ///< Prometheus text.
  std::function<std::string()> not_ready;  ///< Why the node is not ready; empty when it is.
  std::string openapi;                     ///< `/openapi.json`
};

/// Answers what needs no authentication: health, metrics, the API's description and the version
/// documents (api-v3.md 1.1, 2.17, 4.3; api-extensions.md 1.3). nullopt: not one of those paths.
[[nodiscard]] std::optional<Response> RouteOpen(const Call& call, const Pages& pages);

/// Answers below `/ext/v1`, authenticated: which extensions the node has. Calls of those that it
/// has not are refused (api-extensions.md 1.3).
[[nodiscard]] Response RouteExtensions(const Call& call);

}  // namespace elb::rest
