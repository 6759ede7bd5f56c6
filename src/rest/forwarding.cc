#include "rest/forwarding.h"

#include <nlohmann/json.hpp>
#include <string>

#include "rest/request_reading.h"

namespace elb::rest {

using Json = nlohmann::ordered_json;

std::optional<Response> RouteForwarding(control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;
  if (path.size() != 2 || path[0] != "l7policies" || path[1] != "batch-update-priority") {
    return std::nullopt;
  }
  if (call.request->method != "POST") {
    return NotAllowed(call, "POST");
  }
  if (!call.request->Header("if-match").empty()) {
    return Fail(call, {.kind = ErrorKind::kBadOption,
                       .path = "If-Match",
                       .message = "If-Match does not go with several objects"});
  }
  const Result<Json> list = ReadListEnvelope(call.request->body, "l7policies");
  if (!list) {
    return Fail(call, list.error());
  }
  if (const Result<void> updated = control.UpdatePriorities(call.caller, *list); !updated) {
    return Fail(call, updated.error());
  }
  return JsonResponse(202, {{"request_id", call.request_id}});
}

void ShowWholeRules(const control::Control& control, const Call& call, Json& policy) {
  const auto parent = policy.at("id").get<std::string>();
  for (Json& rule : policy.at("rules")) {
    rule = control.ShowItem(call.caller, control::Resource::kL7Rule, parent,
                            rule.at("id").get<std::string>());
  }
}

}  // namespace elb::rest
