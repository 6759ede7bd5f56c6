#include "rest/actions.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "rest/listing.h"
#include "rest/request_reading.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;
using control::Action;
using control::Resource;

/// `ipgroups/{id}/iplist/...`
Response EditIpList(control::Control& control, const Call& call, Action action) {
  if (call.request->method != "POST") {
    return NotAllowed(call, "POST");
  }
  const auto condition = ReadPrecondition(*call.request);
  if (!condition) {
    return Fail(call, condition.error());
  }
  const Result<Json> body = ReadEnvelope(call.request->body, "ipgroup");
  if (!body) {
    return Fail(call, body.error());
  }
  const std::string& id = call.path[1];
  const Result<Json> done =
      control.Perform(call.caller, {.resource = Resource::kIpGroup, .parent = {}, .id = id}, action,
                      *body, *condition);
  if (!done) {
    return Fail(call, done.error());
  }
  const auto shown = control.Show(call.caller, Resource::kIpGroup, "", id);
  return shown ? ShowResponse(call, *shown, Resource::kIpGroup, 200) : Fail(call, shown.error());
}

Response ListListenersOfIpGroup(const control::Control& control, const Call& call) {
  if (!call.reads()) {
    return NotAllowed(call, "GET, HEAD");
  }
  const Result<Json> listeners = control.ListenersOfIpGroup(call.caller, call.path[1]);
  if (!listeners) {
    return Fail(call, listeners.error());
  }
  return JsonResponse(200, {{"listeners", *listeners}, {"request_id", call.request_id}});
}

std::optional<Response> RouteIpGroups(control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;
  if (path.size() == 3 && path[2] == "related-listeners") {
    return ListListenersOfIpGroup(control, call);
  }
  if (path.size() != 4 || path[2] != "iplist") {
    return std::nullopt;
  }
  if (path[3] == "create-or-update") {
    return EditIpList(control, call, Action::kAddIpEntries);
  }
  if (path[3] == "batch-delete") {
    return EditIpList(control, call, Action::kRemoveIpEntries);
  }
  return std::nullopt;
}

/// `pools/{id}/members/batch-...`: the members after it, each with what became of it.
Response EditMembers(control::Control& control, const Call& call, Action action, int status) {
  if (call.request->method != "POST") {
    return NotAllowed(call, "POST");
  }
  const auto condition = ReadPrecondition(*call.request);
  if (!condition) {
    return Fail(call, condition.error());
  }
  const Result<Json> list = ReadListEnvelope(call.request->body, "members");
  if (!list) {
    return Fail(call, list.error());
  }
  const std::string& pool = call.path[1];
  const Result<Json> done =
      control.Perform(call.caller, {.resource = Resource::kPool, .parent = {}, .id = pool}, action,
                      *list, *condition);
  if (!done) {
    return Fail(call, done.error());
  }
  Json members = Json::array();
  for (const Json& entry : *done) {
    const auto id = entry["id"].get<std::string>();
    const auto shown = control.Show(call.caller, Resource::kMember, pool, id);
    Json member = shown ? *shown->object : Json{{"id", id}};
    member["ret_status"] = entry["ret_status"];
    members.push_back(std::move(member));
  }
  return JsonResponse(status, {{"members", members}, {"request_id", call.request_id}});
}

std::optional<Response> RouteMembers(control::Control& control, const Call& call) {
  const std::vector<std::string>& path = call.path;
  if (path.size() != 4 || path[2] != "members") {
    return std::nullopt;
  }
  if (path[3] == "batch-add") {
    return EditMembers(control, call, Action::kAddMembers, 201);
  }
  if (path[3] == "batch-update") {
    return EditMembers(control, call, Action::kUpdateMembers, 200);
  }
  if (path[3] == "batch-delete") {
    return EditMembers(control, call, Action::kRemoveMembers, 200);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Response> RouteActions(control::Control& control, Call& call) {
  if (call.path[0] == "pools") {
    return RouteMembers(control, call);
  }
  return call.path[0] == "ipgroups" ? RouteIpGroups(control, call) : std::nullopt;
}

Response ShowResponse(const Call& call, const control::Shown& shown, Resource resource,
                      int status) {
  Json body = Json::object();
  body[std::string(TableOf(resource).singular)] = *shown.object;
  body["request_id"] = call.request_id;
  Response response = JsonResponse(status, body);
  response.headers.emplace_back("ETag", fmt::format("\"r{}\"", shown.revision));
  return response;
}

}  // namespace elb::rest
