#include "rest/call.h"

#include <nlohmann/json.hpp>

#include "rest/error_codes.h"

namespace elb::rest {

using Json = nlohmann::ordered_json;

Response JsonResponse(int status, const Json& body) {
  return {.status = status, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Response Fail(const Call& call, const Error& error) {
  return ErrorResponse(error, call.request->method == "PUT", call.request_id);
}

Response NotAllowed(const Call& call, std::string_view allow) {
  Response response = JsonResponse(405, {{"error_code", "ELB.8902"},
                                         {"error_msg", "the method is not allowed here"},
                                         {"request_id", call.request_id}});
  response.headers.emplace_back("Allow", allow);
  return response;
}

Response Unknown(const Call& call) {
  return Fail(call, {.kind = ErrorKind::kNotFound,
                     .path = {},
                     .message = call.request->path + " does not exist"});
}

}  // namespace elb::rest
