#include "rest/tags.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "rest/request_reading.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;
using control::Action;
using control::Resource;
using model::Tag;

constexpr std::int64_t kLimitMax = 1000;

/// Errors of the tag calls have a form and codes of their own (api-v3.md 2.15).
Response TagFail(const Call& call, const Error& error) {
  int status = 400;
  const char* code = "VPC.1801";
  switch (error.kind) {
    case ErrorKind::kNotFound:
      status = 404;
      break;
    case ErrorKind::kUnauthenticated:
      status = 401;
      code = "VPC.0008";
      break;
    case ErrorKind::kForbiddenProject:
    case ErrorKind::kForbiddenAction:
      status = 403;
      code = "VPC.0007";
      break;
    case ErrorKind::kPrecondition:
      status = 412;
      break;
    case ErrorKind::kStorage:
    case ErrorKind::kInternal:
      status = 500;
      break;
    default:
      break;
  }
  return JsonResponse(
      status, {{"code", code}, {"message", error.message}, {"request_id", call.request_id}});
}

/// An object as the tag calls see it.
struct Tagged {
  std::string id;
  std::string name;
  const std::vector<Tag>* tags = nullptr;
};

template <typename Table>
std::vector<Tagged> AllIn(const Table& table, const std::string& project) {
  std::vector<Tagged> all;
  for (const auto& [sequence, object] : table.In(project)) {
    all.push_back({.id = object->identity.id, .name = object->name, .tags = &object->tags});
  }
  return all;
}

std::vector<Tagged> All(const control::Control& control, const Call& call, Resource resource) {
  const std::string& project = call.caller.project;
  return resource == Resource::kListener ? AllIn(control.state().listeners, project)
                                         : AllIn(control.state().load_balancers, project);
}

/// The tags of one object of the caller's project; null when there is none.
const std::vector<Tag>* TagsOf(const control::Control& control, const Call& call, Resource resource,
                               const std::string& id) {
  const auto in = [&](const auto& table) -> const std::vector<Tag>* {
    const auto* object = table.Find(id);
    const bool own = object != nullptr && object->identity.project_id == call.caller.project;
    return own ? &object->tags : nullptr;
  };
  return resource == Resource::kListener ? in(control.state().listeners)
                                         : in(control.state().load_balancers);
}

Json TagsJson(const std::vector<Tag>& tags) {
  Json list = Json::array();
  for (const Tag& tag : tags) {
    list.push_back({{"key", tag.key}, {"value", tag.value}});
  }
  return list;
}

// --- one object ----------------------------------------------------------------------------------

std::unexpected<Error> NoSuchObject(const std::string& id) {
  return Failure(ErrorKind::kNotFound, "", id + " could not be found");
}

/// What a write asks for.
struct Edit {
  Action action = Action::kPutTags;
  Json tags;
};

/// `{"action": "create" | "delete", "tags": [...]}`
Result<Edit> ReadAction(const Request& request) {
  ELB_ASSIGN_OR_RETURN(const Json body, ReadBody(request.body, "action"));
  const Json action = body.value("action", Json());
  if (action != "create" && action != "delete") {
    return Invalid("action", "action must be create or delete");
  }
  return Edit{.action = action == "create" ? Action::kPutTags : Action::kRemoveTags,
              .tags = body.value("tags", Json())};
}

Result<Edit> ReadOne(const Request& request) {
  ELB_ASSIGN_OR_RETURN(const Json tag, ReadEnvelope(request.body, "tag"));
  return Edit{.action = Action::kPutTags, .tags = Json::array({tag})};
}

Response Write(control::Control& control, Call& call, const control::Place& place,
               const Result<Edit>& edit) {
  if (!edit) {
    return TagFail(call, edit.error());
  }
  const auto condition = ReadPrecondition(*call.request);
  Result<std::string> comment = ReadOptions(*call.request);
  if (!condition || !comment) {
    return TagFail(call, !condition ? condition.error() : comment.error());
  }
  call.caller.comment = *std::move(comment);
  const Result<Json> done =
      control.Perform(call.caller, place, edit->action, edit->tags, *condition);
  return done ? Response{.status = 204, .body = {}} : TagFail(call, done.error());
}

Response RouteOne(control::Control& control, Call& call, Resource resource) {
  const std::vector<std::string>& path = call.path;
  const control::Place place{.resource = resource, .parent = {}, .id = path[0]};
  const std::string& method = call.request->method;
  const std::vector<Tag>* tags = TagsOf(control, call, resource, path[0]);
  if (path.size() == 2 && method == "POST") {
    return Write(control, call, place, ReadOne(*call.request));
  }
  if (path.size() == 2) {
    if (!call.reads()) {
      return NotAllowed(call, "GET, HEAD, POST");
    }
    return tags == nullptr ? TagFail(call, NoSuchObject(path[0]).error())
                           : JsonResponse(200, {{"tags", TagsJson(*tags)}});
  }
  if (path[2] == "action" && method == "POST") {
    return Write(control, call, place, ReadAction(*call.request));
  }
  if (method != "DELETE") {
    return NotAllowed(call, path[2] == "action" ? "DELETE, POST" : "DELETE");
  }
  const bool known = tags != nullptr && std::ranges::find(*tags, path[2], &Tag::key) != tags->end();
  if (!known) {
    return TagFail(call, NoSuchObject(tags == nullptr ? path[0] : "tag " + path[2]).error());
  }
  return Write(control, call, place,
               Edit{.action = Action::kRemoveTags, .tags = Json::array({{{"key", path[2]}}})});
}

// --- all objects ---------------------------------------------------------------------------------

/// Every key in use with its values, in order of first use.
Response ListKeys(const control::Control& control, const Call& call, Resource resource) {
  std::vector<std::pair<std::string, std::vector<std::string>>> keys;
  for (const Tagged& object : All(control, call, resource)) {
    for (const Tag& tag : *object.tags) {
      auto known = std::ranges::find(keys, tag.key, [](const auto& entry) { return entry.first; });
      if (known == keys.end()) {
        known = keys.insert(keys.end(), {tag.key, {}});
      }
      if (std::ranges::find(known->second, tag.value) == known->second.end()) {
        known->second.push_back(tag.value);
      }
    }
  }
  Json list = Json::array();
  for (const auto& [key, values] : keys) {
    list.push_back({{"key", key}, {"values", values}});
  }
  return JsonResponse(200, {{"tags", list}});
}

/// A text equals another, or holds it when that begins with `*`.
bool Fits(const std::string& text, std::string_view wanted) {
  return wanted.starts_with('*') ? text.contains(wanted.substr(1)) : text == wanted;
}

/// What `resource_instances/action` asks for.
struct Search {
  bool counts = false;
  std::vector<std::pair<std::string, std::vector<std::string>>> tags;
  std::vector<std::string> names;
  std::int64_t limit = kLimitMax;
  std::int64_t offset = 0;
};

Result<std::int64_t> ReadNumber(const Json& body, const char* name, std::int64_t otherwise) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) {
    return otherwise;
  }
  std::int64_t number = -1;
  if (found->is_number_integer()) {
    number = found->get<std::int64_t>();
  } else if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    number = read.ec == std::errc{} && read.ptr == text.data() + text.size() ? number : -1;
  }
  if (number < 0) {
    return Invalid(name, std::string(name) + " must be a number, not below 0");
  }
  return number;
}

/// The list `name` of objects; null and absent are empty.
Result<Json> ReadList(const Json& body, const char* name) {
  Json list = body.value(name, Json());
  if (list.is_null()) {
    return Json::array();
  }
  if (!list.is_array() || !std::ranges::all_of(list, [](const Json& element) {
        return element.is_object() && element.value("key", Json()).is_string();
      })) {
    return Invalid(name, std::string(name) + " must be a list of objects with a key");
  }
  return list;
}

Result<void> ReadConditions(const Json& body, Search& search) {
  ELB_ASSIGN_OR_RETURN(const Json tags, ReadList(body, "tags"));
  for (const Json& tag : tags) {
    const Json values = tag.value("values", Json::array());
    if (!values.is_array() || !std::ranges::all_of(values, &Json::is_string)) {
      return Invalid("tags", "values must be a list of texts");
    }
    search.tags.emplace_back(tag["key"].get<std::string>(), values.get<std::vector<std::string>>());
  }
  ELB_ASSIGN_OR_RETURN(const Json matches, ReadList(body, "matches"));
  for (const Json& match : matches) {
    const Json value = match.value("value", Json());
    if (match["key"] != "resource_name" || !value.is_string()) {
      return Invalid("matches", "matches may name a resource_name only");
    }
    search.names.push_back(value.get<std::string>());
  }
  return {};
}

Result<Search> ReadSearch(const Request& request) {
  ELB_ASSIGN_OR_RETURN(const Json body, ReadBody(request.body, "action"));
  const Json action = body.value("action", Json());
  if (action != "filter" && action != "count") {
    return Invalid("action", "action must be filter or count");
  }
  Search search{.counts = action == "count"};
  ELB_RETURN_IF_ERROR(ReadConditions(body, search));
  ELB_ASSIGN_OR_RETURN(search.limit, ReadNumber(body, "limit", kLimitMax));
  ELB_ASSIGN_OR_RETURN(search.offset, ReadNumber(body, "offset", 0));
  if (search.limit < 1 || search.limit > kLimitMax) {
    return Invalid("limit", "limit must be 1 to 1000");
  }
  return search;
}

bool Matches(const Tagged& object, const Search& search) {
  const auto has = [&](const auto& condition) {
    const auto& [key, values] = condition;
    const auto tag = std::ranges::find(*object.tags, key, &Tag::key);
    return tag != object.tags->end() &&
           (values.empty() || std::ranges::any_of(values, [&](const std::string& value) {
              return Fits(tag->value, value);
            }));
  };
  return std::ranges::all_of(search.tags, has) &&
         std::ranges::all_of(search.names,
                             [&](const std::string& name) { return Fits(object.name, name); });
}

Response Find(const control::Control& control, const Call& call, Resource resource) {
  const Result<Search> search = ReadSearch(*call.request);
  if (!search) {
    return TagFail(call, search.error());
  }
  std::int64_t total = 0;
  Json resources = Json::array();
  for (const Tagged& object : All(control, call, resource)) {
    if (!Matches(object, *search)) {
      continue;
    }
    const bool wanted = total >= search->offset && total - search->offset < search->limit;
    ++total;
    if (wanted && !search->counts) {
      resources.push_back({{"resource_id", object.id},
                           {"resource_name", object.name},
                           {"resource_detail", ""},
                           {"tags", TagsJson(*object.tags)}});
    }
  }
  if (search->counts) {
    return JsonResponse(200, {{"total_count", total}});
  }
  return JsonResponse(200, {{"resources", resources}, {"total_count", total}});
}

/// The path behind `<kind>`.
Response RouteKind(control::Control& control, Call& call, Resource resource) {
  const std::vector<std::string>& path = call.path;
  if (path.size() == 1) {  // IsTagPath: "tags"
    return call.reads() ? ListKeys(control, call, resource) : NotAllowed(call, "GET, HEAD");
  }
  if (path[0] == "resource_instances") {
    return call.request->method == "POST" ? Find(control, call, resource)
                                          : NotAllowed(call, "POST");
  }
  return RouteOne(control, call, resource);
}

}  // namespace

bool IsTagPath(const std::vector<std::string>& path) {
  const bool kind = path.size() >= 4 && (path[0] == "v2.0" || path[0] == "v3") &&
                    (path[2] == "loadbalancers" || path[2] == "listeners");
  if (!kind) {
    return false;
  }
  if (path.size() == 4) {
    return path[3] == "tags";
  }
  const bool instances = path.size() == 5 && path[3] == "resource_instances" && path[4] == "action";
  return instances || (path.size() <= 6 && path[4] == "tags");
}

Response RouteTags(control::Control& control, Call& call, const Result<void>& known) {
  if (!known) {
    return TagFail(call, known.error());
  }
  if (call.caller.project.empty() || call.path[1] != call.caller.project) {
    return TagFail(call, {.kind = ErrorKind::kForbiddenProject,
                          .path = {},
                          .message = "the token is not for this project"});
  }
  const Resource resource =
      call.path[2] == "listeners" ? Resource::kListener : Resource::kLoadBalancer;
  call.path.erase(call.path.begin(), call.path.begin() + 3);
  return RouteKind(control, call, resource);
}

}  // namespace elb::rest
