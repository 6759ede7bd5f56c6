#include "rest/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "rest/actions.h"
#include "rest/catalogue.h"
#include "rest/error_codes.h"
#include "rest/forwarding.h"
#include "rest/identity.h"
#include "rest/listing.h"
#include "rest/network.h"
#include "rest/request_reading.h"
#include "rest/second_tier.h"
#include "rest/tags.h"

namespace elb::rest {

using Json = nlohmann::ordered_json;
using control::Place;
using control::Resource;
using control::Shown;

namespace {

/// The resource whose objects or whose list stand under the first segment behind `elb`.
std::optional<Resource> ResourceAt(std::string_view segment) {
  for (const Resource resource :
       {Resource::kLoadBalancer, Resource::kListener, Resource::kPool, Resource::kMember,
        Resource::kHealthMonitor, Resource::kCertificate, Resource::kIpGroup,
        Resource::kSecurityPolicy, Resource::kLogtank, Resource::kL7Policy}) {
    const model::Resource& table = TableOf(resource);
    if (table.path == segment || (resource == Resource::kMember && table.plural == segment)) {
      return resource;
    }
  }
  return std::nullopt;
}

/// The resource whose objects stand below one of another.
std::optional<Resource> ChildAt(const std::vector<std::string>& path) {
  if (path[0] == "pools" && path[2] == "members") {
    return Resource::kMember;
  }
  return path[0] == "l7policies" && path[2] == "rules" ? std::optional(Resource::kL7Rule)
                                                       : std::nullopt;
}

/// 32 hex digits: the names of extension calls never look like that.
bool IsProjectId(std::string_view segment) {
  return segment.size() == 32 &&
         segment.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Do the conditions on members below the object hold?
bool ServedBy(const control::Control& control, Resource resource, const std::string& id,
              const Conditions& conditions) {
  return std::ranges::all_of(conditions, [&](const Condition& condition) {
    return condition.parameter->compare != Compare::kMember ||
           std::ranges::any_of(condition.wanted, [&](const std::string& address) {
             return control.HasMember(resource, id, address);
           });
  });
}

/// Adds what every answer carries.
Response Finished(const Call& call, Response response) {
  response.headers.emplace_back("X-Request-Id", call.request_id);
  response.headers.emplace_back("X-Openstack-Request-Id", call.request_id);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace

Api::Api(control::Control& control, control::Accounts& accounts, Pages pages)
    : control_(control), accounts_(accounts), pages_(std::move(pages)) {}

Call Api::Begin(const Request& request) const {
  const std::string& base = control_.node().api_base_url;
  return {.request = &request,
          .request_id = NewUuid(control_.random()),
          .base_url = base.empty() ? "http://" + request.host : base,
          .path = SplitPath(request.path),
          .caller = {}};
}

Response Api::Handle(const Request& request) {
  Call call = Begin(request);
  return Finished(call, Route(call));
}

bool Api::SignsIn(const Request& request) {
  return request.method == "POST" &&
         SplitPath(request.path) == std::vector<std::string>{"v3", "auth", "tokens"};
}

std::optional<control::PasswordCheck> Api::CheckFor(const Request& request) {
  return SignsIn(request) ? Identity(accounts_, control_.node().region).CheckFor(request)
                          : std::nullopt;
}

Response Api::Refuse(const Request& request, const Error& error) {
  const Call call = Begin(request);
  return Finished(call, Fail(call, error));
}

Response Api::Route(Call& call) {
  if (auto open = RouteOpen(call, pages_)) {
    return *std::move(open);
  }
  Identity identity(accounts_, control_.node().region);
  if (auto answered = identity.Route(*call.request, call.path, call.base_url)) {
    return *std::move(answered);
  }
  const Result<void> known = Authenticate(call);
  if (IsTagPath(call.path)) {
    return RouteTags(control_, call, known);
  }
  if (!known) {
    return Fail(call, known.error());
  }
  const std::vector<std::string>& path = call.path;
  const bool elb = path.size() >= 4 && path[0] == "v3" && path[2] == "elb";
  const bool network = path.size() >= 4 && path[0] == "network" && path[1] == "v1";
  const bool extension = path.size() >= 3 && path[0] == "ext" && path[1] == "v1";
  const bool of_project = !extension || IsProjectId(path[2]);
  if (!elb && !network && !extension) {
    return Unknown(call);
  }
  const std::string& project = elb ? path[1] : path[2];
  if (of_project && (call.caller.project.empty() || project != call.caller.project)) {
    return Fail(call, {.kind = ErrorKind::kForbiddenProject,
                       .path = {},
                       .message = "the token is not for this project"});
  }
  if (extension) {
    return RouteExtensions(call);
  }
  return elb ? RouteElb(call) : RouteNetwork(control_, call);
}

Result<void> Api::Authenticate(Call& call) const {
  const control::Token* token = accounts_.Find(call.request->Header("x-auth-token"));
  const control::User* user = token == nullptr ? nullptr : accounts_.FindUser(token->user_id);
  if (user == nullptr) {
    return Failure(ErrorKind::kUnauthenticated, "", "a valid token is needed in X-Auth-Token");
  }
  call.caller = {.project = token->project_id,
                 .user_id = user->id,
                 .user_name = user->name,
                 .method = "token",
                 .address = call.request->peer,
                 .user_agent = call.request->Header("user-agent"),
                 .comment = {},
                 .sees_private_keys = true};
  return {};
}

Response Api::RouteElb(Call& call) {
  call.path.erase(call.path.begin(), call.path.begin() + 3);
  if (!call.reads()) {
    Result<std::string> comment = ReadOptions(*call.request);
    if (!comment) {
      return Fail(call, comment.error());
    }
    call.caller.comment = *std::move(comment);
  }
  Response response = RouteResource(call);
  if (response.status < 300) {
    response.headers.emplace_back("X-Elb-Revision",
                                  std::to_string(control_.RevisionOf(call.caller.project)));
  }
  return response;
}

Response Api::RouteResource(Call& call) {
  const std::vector<std::string>& path = call.path;
  if (auto catalogue = RouteCatalogue(control_, call)) {
    return *std::move(catalogue);
  }
  if (auto action = RouteActions(control_, call)) {
    return *std::move(action);
  }
  if (auto forwarding = RouteForwarding(control_, call)) {
    return *std::move(forwarding);
  }
  if (auto second_tier = RouteSecondTier(control_, call)) {
    return *std::move(second_tier);
  }
  const auto resource = ResourceAt(path[0]);
  if (!resource) {
    return Unknown(call);
  }
  if (path.size() == 2 && *resource == Resource::kL7Policy && path[1] == "rules") {
    return RouteCollection(call, Resource::kL7Rule, "");  // Of all policies (api-v3.md 2.18).
  }
  if (path.size() == 1) {
    return RouteCollection(call, *resource, "");
  }
  if (path.size() == 2 && *resource != Resource::kMember) {
    return RouteObject(call, *resource, "", path[1]);
  }
  const auto child = path.size() > 2 ? ChildAt(path) : std::nullopt;
  if (child && path.size() == 3) {
    return RouteCollection(call, *child, path[1]);
  }
  if (child && path.size() == 4) {
    return RouteObject(call, *child, path[1], path[3]);
  }
  return path.size() == 3 ? RouteBelow(call, *resource) : Unknown(call);
}

/// Paths below an object that are no objects: status tree, forced deletion.
Response Api::RouteBelow(Call& call, Resource resource) {
  const std::vector<std::string>& path = call.path;
  if (resource == Resource::kLoadBalancer && path[2] == "statuses") {
    if (!call.reads()) {
      return NotAllowed(call, "GET, HEAD");
    }
    Result<Json> tree = control_.StatusTree(call.caller, path[1]);
    if (!tree) {
      return Fail(call, tree.error());
    }
    return JsonResponse(
        200, {{"statuses", {{"loadbalancer", *std::move(tree)}}}, {"request_id", call.request_id}});
  }
  const bool force = (resource == Resource::kLoadBalancer && path[2] == "force-elb") ||
                     (resource == Resource::kListener && path[2] == "force");
  if (!force) {
    return Unknown(call);
  }
  if (call.request->method != "DELETE") {
    return NotAllowed(call, "DELETE");
  }
  return Delete(call, {.resource = resource, .parent = {}, .id = path[1]},
                control::DeleteMode::kForce);
}

Response Api::RouteCollection(Call& call, Resource resource, const std::string& parent) {
  const bool below = resource == Resource::kMember || resource == Resource::kL7Rule;
  const bool creates = !below || !parent.empty();
  if (call.reads()) {
    return List(call, resource, parent);
  }
  if (call.request->method == "POST" && creates) {
    return Create(call, resource, parent);
  }
  return NotAllowed(call, creates ? "GET, HEAD, POST" : "GET, HEAD");
}

Response Api::RouteObject(Call& call, Resource resource, const std::string& parent,
                          const std::string& id) {
  const Place place{.resource = resource, .parent = parent, .id = id};
  if (call.reads()) {
    const Result<Shown> shown = control_.Show(call.caller, resource, parent, id);
    return shown ? ShowResponse(call, *shown, resource, 200) : Fail(call, shown.error());
  }
  if (call.request->method == "PUT") {
    return Update(call, place);
  }
  if (call.request->method == "DELETE") {
    return Delete(call, place, control::DeleteMode::kPlain);
  }
  return NotAllowed(call, "GET, HEAD, PUT, DELETE");
}

Response Api::Create(Call& call, Resource resource, const std::string& parent) {
  if (!call.request->Header("if-match").empty()) {
    return Fail(call, {.kind = ErrorKind::kBadOption,
                       .path = "If-Match",
                       .message = "If-Match does not go with creating"});
  }
  const Result<Json> body = ReadEnvelope(call.request->body, TableOf(resource).singular);
  if (!body) {
    return Fail(call, body.error());
  }
  const Result<Shown> made = control_.Create(call.caller, resource, parent, *body);
  return made ? ShowResponse(call, *made, resource, 201) : Fail(call, made.error());
}

Response Api::Update(Call& call, const Place& place) {
  const auto condition = ReadPrecondition(*call.request);
  if (!condition) {
    return Fail(call, condition.error());
  }
  const Result<Json> body = ReadEnvelope(call.request->body, TableOf(place.resource).singular);
  if (!body) {
    return Fail(call, body.error());
  }
  const Result<Shown> changed = control_.Update(call.caller, place, *body, *condition);
  return changed ? ShowResponse(call, *changed, place.resource, 200) : Fail(call, changed.error());
}

Response Api::Delete(Call& call, const Place& place, control::DeleteMode mode) {
  const auto condition = ReadPrecondition(*call.request);
  if (!condition) {
    return Fail(call, condition.error());
  }
  const Result<void> deleted = control_.Delete(call.caller, place, mode, *condition);
  return deleted ? Response{.status = 204, .body = {}} : Fail(call, deleted.error());
}

Response Api::List(Call& call, Resource resource, const std::string& parent) {
  const Query query(call.request->query);
  Result<Conditions> conditions = ReadConditions(ParametersOf(resource), query);
  const Result<PageRange> range = ReadPageRange(query);
  if (!conditions || !range) {
    return Fail(call, !conditions ? conditions.error() : range.error());
  }
  if (!parent.empty()) {  // These narrow the list of all members only.
    std::erase_if(*conditions, [](const Condition& condition) {
      const std::string_view name = condition.parameter->name;
      return name == "pool_id" || name == "loadbalancer_id";
    });
  }
  const control::Selection selection = TakeSelection(*conditions);
  const auto ids = control_.Select(call.caller, resource, parent, selection);
  if (!ids) {
    return Fail(call, ids.error());
  }
  const Result<Page> page =
      CollectPage(*ids, *range, [&](const std::string& id) -> std::optional<Json> {
        if (!ServedBy(control_, resource, id, *conditions)) {
          return std::nullopt;
        }
        Json shown = control_.ShowItem(call.caller, resource, parent, id);
        if (!Matches(shown, *conditions)) {
          return std::nullopt;
        }
        if (IsSet(*conditions, kDisplayAllRules)) {
          ShowWholeRules(control_, call, shown);
        }
        return shown;
      });
  if (!page) {
    return Fail(call, page.error());
  }
  Json body = Json::object();
  body[std::string(TableOf(resource).plural)] = page->items;
  body["page_info"] = PageInfo(*page);
  body["request_id"] = call.request_id;
  return JsonResponse(200, body);
}

}  // namespace elb::rest
