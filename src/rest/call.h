#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "control/services.h"
#include "rest/message.h"

namespace elb::rest {

/// One call on its way through the router.
struct Call {
  const Request* request = nullptr;
  std::string request_id;
  std::string base_url;
  std::vector<std::string> path;  ///< Segments; in the routes of ELB those behind `elb`.
  control::Caller caller;

  [[nodiscard]] bool reads() const { return request->method == "GET" || request->method == "HEAD"; }
};

[[nodiscard]] Response JsonResponse(int status, const nlohmann::ordered_json& body);
/// The answer to a failed call.
[[nodiscard]] Response Fail(const Call& call, const Error& error);
/// 405; `allow` lists the methods that the path knows (RFC 9110 section 15.5.6).
[[nodiscard]] Response NotAllowed(const Call& call, std::string_view allow);
/// 404 of a path that nothing has.
[[nodiscard]] Response Unknown(const Call& call);

}  // namespace elb::rest
