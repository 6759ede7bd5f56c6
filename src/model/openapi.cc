#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/json_schema.h"
#include "model/reference.h"
#include "model/resources.h"
#include "model/security_policy.h"

namespace elb::model {
namespace {

using std::string;
using std::string_view;

struct ErrorAnswer {
  int status;
  const char* name;
  const char* doc;
};
constexpr std::array kErrorAnswers = {
    ErrorAnswer{400, "BadRequest",
                "A value is missing, wrong or does not fit (ELB.8902, ELB.0002)."},
    ErrorAnswer{401, "Unauthenticated", "No valid token (SYS.0401)."},
    ErrorAnswer{403, "Forbidden",
                "Not allowed, or not available here (SYS.0403, ELB.9802, "
                "ELB.8962)."},
    ErrorAnswer{404, "NotFound",
                "The object, or one that the request names, does not exist "
                "(ELB.8904)."},
    ErrorAnswer{409, "Conflict",
                "In use, duplicate, protected, or over quota (ELB.8907, "
                "ELB.8905)."},
    ErrorAnswer{412, "PreconditionFailed", "If-Match does not hold (ELB.9710)."},
    ErrorAnswer{500, "InternalError", "The service failed; nothing was changed (ELB.8906)."},
};

/// With its article.
string One(string_view noun) {
  return fmt::format("{} {}", string_view("aeiouI").contains(noun.front()) ? "an" : "a", noun);
}

string Plural(string_view noun) {
  return noun.ends_with('y') ? fmt::format("{}ies", noun.substr(0, noun.size() - 1))
                             : fmt::format("{}s", noun);
}

Json Reference(string_view kind, string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

Json Described(const char* type, const char* doc) { return {{"type", type}, {"description", doc}}; }

Json RequestIdProperty() { return Described("string", "ID of the request."); }

/// `{"<key>": ..., "request_id": ...}`
Json Envelope(string_view key, Json value) {
  Json out{{"type", "object"}};
  out["properties"][string(key)] = std::move(value);
  out["properties"]["request_id"] = RequestIdProperty();
  out["required"] = {key, "request_id"};
  return out;
}

Json Body(Json schema) {
  Json out;
  out["application/json"]["schema"] = std::move(schema);
  return out;
}

Json Success(const char* doc, Json schema) {
  Json out{{"description", doc}};
  out["headers"]["X-Request-Id"] = Reference("headers", "RequestId");
  out["content"] = Body(std::move(schema));
  return out;
}

Json NoContent() {
  Json out{{"description", "Done."}};
  out["headers"]["X-Request-Id"] = Reference("headers", "RequestId");
  return out;
}

/// Adds the error answers of these statuses and those that every call may give.
void AddErrors(std::initializer_list<int> statuses, Json& responses) {
  for (const ErrorAnswer& answer : kErrorAnswers) {
    const bool always = answer.status == 401 || answer.status == 403 || answer.status == 500;
    if (always || std::ranges::find(statuses, answer.status) != statuses.end()) {
      responses[std::to_string(answer.status)] = Reference("responses", answer.name);
    }
  }
}

Json Operation(const Resource& resource, string_view verb, const string& summary) {
  Json out{{"operationId", fmt::format("{}{}", verb, resource.type_name)},
           {"summary", summary},
           {"tags", Json::array({resource.plural})}};
  return out;
}

Json QueryParameter(const ListParameter& parameter) {
  const char* text_or_flag = parameter.form == ValueType::kFlag ? "boolean" : "string";
  const char* type = parameter.form == ValueType::kNumber ? "integer" : text_or_flag;
  Json schema{{"type", type}};
  if (parameter.repeat == Repeat::kMany) {
    schema = {{"type", "array"}, {"items", schema}};
  }
  return {
      {"name", parameter.name},
      {"in", "query"},
      {"description", parameter.repeat == Repeat::kMany ? "Only objects with one of these values."
                                                        : "Only objects with this value."},
      {"schema", schema}};
}

Json ListOperation(const Resource& resource, string_view verb) {
  Json out = Operation(resource, verb, fmt::format("Lists {}.", Plural(resource.noun)));
  out["parameters"] = Json::array();
  for (const char* name : {"Limit", "Marker", "PageReverse"}) {
    out["parameters"].push_back(Reference("parameters", name));
  }
  for (const ListParameter& parameter : resource.parameters) {
    out["parameters"].push_back(QueryParameter(parameter));
  }
  if (resource.singular == "l7policy") {
    out["parameters"].push_back({{"name", "display_all_rules"},
                                 {"in", "query"},
                                 {"description", "True: whole rules instead of their ids."},
                                 {"schema", {{"type", "boolean"}}}});
  }
  Json envelope = Envelope(
      resource.plural, {{"type", "array"}, {"items", Reference("schemas", resource.type_name)}});
  envelope["properties"]["page_info"] = Reference("schemas", "PageInfo");
  envelope["required"].push_back("page_info");
  out["responses"]["200"] = Success("One page.", std::move(envelope));
  AddErrors({400, 404}, out["responses"]);
  return out;
}

Json WriteOperation(const Resource& resource, string_view verb, const string& summary,
                    const char* schema_suffix, const char* status) {
  Json out = Operation(resource, verb, summary);
  Json request{{"type", "object"}, {"required", Json::array({resource.singular})}};
  request["properties"][string(resource.singular)] =
      Reference("schemas", fmt::format("{}{}", resource.type_name, schema_suffix));
  out["requestBody"] = {{"required", true}, {"content", Body(std::move(request))}};
  out["responses"][status] =
      Success("The object.", Envelope(resource.singular, Reference("schemas", resource.type_name)));
  return out;
}

Json CollectionPath(const Resource& resource) {
  Json out;
  out["get"] = ListOperation(resource, "list");
  out["post"] = WriteOperation(resource, "create", fmt::format("Creates {}.", One(resource.noun)),
                               "Create", "201");
  AddErrors({400, 404, 409}, out["post"]["responses"]);
  return out;
}

Json ObjectPath(const Resource& resource) {
  Json out;
  out["get"] = Operation(resource, "show", fmt::format("Shows {}.", One(resource.noun)));
  out["get"]["responses"]["200"] =
      Success("The object.", Envelope(resource.singular, Reference("schemas", resource.type_name)));
  AddErrors({404}, out["get"]["responses"]);
  const Json precondition = Json::array({Reference("parameters", "IfMatch")});
  out["put"] = WriteOperation(resource, "update",
                              fmt::format("Changes the fields given of {}.", One(resource.noun)),
                              "Update", "200");
  out["put"]["parameters"] = precondition;
  AddErrors({400, 404, 409, 412}, out["put"]["responses"]);
  out["delete"] = Operation(resource, "delete", fmt::format("Deletes {}.", One(resource.noun)));
  out["delete"]["parameters"] = precondition;
  out["delete"]["responses"]["204"] = NoContent();
  AddErrors({404, 409, 412}, out["delete"]["responses"]);
  return out;
}

/// Parameters of a path, from the names in braces.
Json PathParameters(string_view path) {
  Json out = Json::array();
  for (std::size_t begin = path.find('{'); begin != string_view::npos;
       begin = path.find('{', begin + 1)) {
    const string_view name = path.substr(begin + 1, path.find('}', begin) - begin - 1);
    out.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  return out;
}

void AddPath(const string& below, const Json& operations, Json& paths) {
  const string path = "/v3/{project_id}/elb/" + below;
  Json& item = paths[path];
  item["parameters"] = PathParameters(path);
  item.update(operations);
}

Json ForcedDeletion(string_view singular) {
  const Resource& resource = *FindResource(singular);
  Json out;
  out["delete"] = Operation(resource, "forceDelete",
                            fmt::format("Deletes {} with what belongs to it.", One(resource.noun)));
  out["delete"]["responses"]["204"] = NoContent();
  AddErrors({404, 409}, out["delete"]["responses"]);
  return out;
}

Json StatusTree() {
  Json out;
  out["get"] = Operation(*FindResource("loadbalancer"), "showStatusOf",
                         "Shows the status of a load balancer and everything beneath it.");
  Json tree{{"type", "object"}, {"required", Json::array({"loadbalancer"})}};
  tree["properties"]["loadbalancer"] =
      Described("object", "Listeners, groups, servers and checks, each with its status.");
  out["get"]["responses"]["200"] = Success("The tree.", Envelope("statuses", std::move(tree)));
  AddErrors({404}, out["get"]["responses"]);
  return out;
}

/// Entries of an IP address group, added or removed.
Json EditEntries(string_view verb, const string& summary) {
  const Resource& group = *FindResource("ipgroup");
  Json out;
  out["post"] = WriteOperation(group, verb, summary, "Update", "200");
  AddErrors({400, 404, 409, 412}, out["post"]["responses"]);
  return out;
}

Json ListenersOfIpGroup() {
  Json out;
  out["get"] = Operation(*FindResource("ipgroup"), "listListenersOf",
                         "Lists the listeners bound to an IP address group, in short.");
  Json item{{"type", "object"}};
  for (const char* name : {"id", "name", "protocol"}) {
    item["properties"][name] = {{"type", "string"}};
  }
  item["properties"]["protocol_port"] = {{"type", "integer"}};
  item["properties"]["loadbalancers"] = {{"type", "array"}, {"items", {{"type", "object"}}}};
  out["get"]["responses"]["200"] =
      Success("The listeners.", Envelope("listeners", {{"type", "array"}, {"items", item}}));
  AddErrors({404}, out["get"]["responses"]);
  return out;
}

/// One call for several members; elements of the request are as `schema` says, with `id` unless
/// they are new.
Json MemberBatch(string_view verb, const string& summary, const char* schema, const char* status) {
  Json out;
  out["post"] = Operation(*FindResource("member"), verb, summary);
  Json element = *schema == '\0' ? Json{{"type", "object"}} : Reference("schemas", schema);
  if (string_view(verb) != "batchAdd") {
    Json named{{"type", "object"}, {"required", Json::array({"id"})}};
    named["properties"]["id"] = {{"type", "string"}};
    element = {{"allOf", Json::array({element, named})}};
  }
  Json request{{"type", "object"}, {"required", Json::array({"members"})}};
  request["properties"]["members"] = {{"type", "array"}, {"minItems", 1}, {"items", element}};
  out["post"]["requestBody"] = {{"required", true}, {"content", Body(std::move(request))}};
  Json result{{"type", "object"}};
  result["properties"]["ret_status"] =
      Described("string", "successful; existed: it was there already; not found.");
  Json member{{"allOf", Json::array({Reference("schemas", "Member"), result})}};
  if (string_view(verb) == "batchDelete") {
    member = result;
    member["properties"]["id"] = {{"type", "string"}};
  }
  out["post"]["responses"][status] =
      Success("What became of each.", Envelope("members", {{"type", "array"}, {"items", member}}));
  AddErrors({400, 404, 409, 412}, out["post"]["responses"]);
  return out;
}

/// Priorities of several policies at once.
Json PriorityBatch() {
  Json out;
  out["post"] = Operation(*FindResource("l7policy"), "batchUpdatePriorityOf",
                          "Changes the priorities of several forwarding policies, or of none.");
  Json element{{"type", "object"}, {"required", Json::array({"id", "priority"})}};
  element["properties"]["id"] = {{"type", "string"}};
  element["properties"]["priority"] = {{"type", "integer"}, {"minimum", 1}, {"maximum", 10000}};
  Json request{{"type", "object"}, {"required", Json::array({"l7policies"})}};
  request["properties"]["l7policies"] = {{"type", "array"}, {"minItems", 1}, {"items", element}};
  out["post"]["requestBody"] = {{"required", true}, {"content", Body(std::move(request))}};
  Json answer{{"type", "object"}, {"required", Json::array({"request_id"})}};
  answer["properties"]["request_id"] = RequestIdProperty();
  out["post"]["responses"]["202"] = Success("Done.", std::move(answer));
  AddErrors({400, 404, 409}, out["post"]["responses"]);
  return out;
}

void AddActions(Json& paths) {
  AddPath("l7policies/batch-update-priority", PriorityBatch(), paths);
  AddPath("l7policies/rules", Json{{"get", ListOperation(*FindResource("rule"), "listAll")}},
          paths);
  AddPath("ipgroups/{ipgroup_id}/iplist/create-or-update",
          EditEntries("addEntriesTo", "Adds addresses to an IP address group, or describes them."),
          paths);
  AddPath("ipgroups/{ipgroup_id}/iplist/batch-delete",
          EditEntries("removeEntriesFrom", "Removes addresses from an IP address group."), paths);
  AddPath("ipgroups/{ipgroup_id}/related-listeners", ListenersOfIpGroup(), paths);
  const string members = "pools/{pool_id}/members/";
  AddPath(
      members + "batch-add",
      MemberBatch("batchAdd", "Adds backend servers in one registration.", "MemberCreate", "201"),
      paths);
  AddPath(members + "batch-update",
          MemberBatch("batchUpdate", "Changes several backend servers.", "MemberUpdate", "200"),
          paths);
  AddPath(members + "batch-delete",
          MemberBatch("batchDelete", "Removes several backend servers.", "", "200"), paths);
}

Json SystemPolicies() {
  Json operation{{"operationId", "listSystemSecurityPolicy"},
                 {"summary", "Lists the system's security policies; not paginated."},
                 {"tags", Json::array({"security_policies"})}};
  operation["responses"]["200"] = Success(
      "All of them.",
      Envelope("system_security_policies",
               {{"type", "array"}, {"items", Reference("schemas", "SystemSecurityPolicy")}}));
  AddErrors({}, operation["responses"]);
  Json out;
  out["get"] = std::move(operation);
  return out;
}

Json Paths() {
  Json paths = Json::object();
  for (const Resource& resource : Resources()) {
    if (resource.served == Served::kNo) {
      continue;
    }
    const string path(resource.path);
    AddPath(path, CollectionPath(resource), paths);
    AddPath(fmt::format("{}/{{{}_id}}", path, resource.singular), ObjectPath(resource), paths);
  }
  AddPath("loadbalancers/{loadbalancer_id}/force-elb", ForcedDeletion("loadbalancer"), paths);
  AddPath("loadbalancers/{loadbalancer_id}/statuses", StatusTree(), paths);
  AddPath("listeners/{listener_id}/force", ForcedDeletion("listener"), paths);
  Json members;
  members["get"] = ListOperation(*FindResource("member"), "listAll");
  AddPath("members", members, paths);
  AddPath("system-security-policies", SystemPolicies(), paths);
  AddActions(paths);
  return paths;
}

Json ErrorSchema() {
  Json out{{"type", "object"}, {"required", {"error_code", "error_msg", "request_id"}}};
  Json& properties = out["properties"];
  properties["error_code"] = Described("string", "Code of the error, for example ELB.8902.");
  properties["error_msg"] = Described("string", "What is wrong, for people.");
  properties["request_id"] = RequestIdProperty();
  Json detail{{"type", "object"}, {"required", {"path", "code", "message"}}};
  detail["properties"]["path"] = Described("string", "The field, in the request's words.");
  detail["properties"]["code"] = Described("string", "Code of this problem.");
  detail["properties"]["message"] = Described("string", "What is wrong with the field.");
  properties["details"] = {{"type", "array"},
                           {"items", detail},
                           {"description", "Every problem found; the first gives error_code."},
                           {"x-elb-extension", true}};
  Json blocker{{"type", "object"}, {"required", {"kind", "id", "name"}}};
  for (const char* name : {"kind", "id", "name"}) {
    blocker["properties"][name] = {{"type", "string"}};
  }
  properties["blockers"] = {{"type", "array"},
                            {"items", blocker},
                            {"maxItems", 50},
                            {"description", "Objects that stand in the way."},
                            {"x-elb-extension", true}};
  properties["blockers_total"] = Described("integer", "How many there are.");
  properties["blockers_total"]["x-elb-extension"] = true;
  return out;
}

Json PageInfoSchema() {
  Json out{{"type", "object"}, {"required", Json::array({"current_count"})}};
  out["properties"]["previous_marker"] =
      Described("string", "ID of the first object of the page; absent when it is empty.");
  out["properties"]["next_marker"] =
      Described("string", "ID of the last object of the page; absent when there are no more.");
  out["properties"]["current_count"] = Described("integer", "Objects on the page.");
  return out;
}

Json Schemas() {
  Json out;
  for (const Resource& resource : Resources()) {
    const string name(resource.type_name);
    out[name] = ObjectSchema(resource.schema(), View::kResponse);
    out[name + "Create"] = ObjectSchema(resource.schema(), View::kCreate);
    out[name + "Update"] = ObjectSchema(resource.schema(), View::kUpdate);
  }
  out["SystemSecurityPolicy"] = ObjectSchema(SystemSecurityPolicySchema(), View::kResponse);
  out["PageInfo"] = PageInfoSchema();
  out["Error"] = ErrorSchema();
  return out;
}

Json CommonParameters() {
  Json out;
  out["Limit"] = {
      {"name", "limit"},
      {"in", "query"},
      {"description", "Objects per page; 0 means the default."},
      {"schema", {{"type", "integer"}, {"minimum", 0}, {"maximum", 2000}, {"default", 2000}}}};
  out["Marker"] = {{"name", "marker"},
                   {"in", "query"},
                   {"description", "ID of the last object of the previous page."},
                   {"schema", {{"type", "string"}}}};
  out["PageReverse"] = {{"name", "page_reverse"},
                        {"in", "query"},
                        {"description", "True: the page before the marker."},
                        {"schema", {{"type", "boolean"}, {"default", false}}}};
  out["IfMatch"] = {{"name", "If-Match"},
                    {"in", "header"},
                    {"description", "ETag of the state that the change is meant for, or *."},
                    {"schema", {{"type", "string"}}},
                    {"x-elb-extension", true}};
  return out;
}

Json Components() {
  Json out;
  out["securitySchemes"]["token"] = {
      {"type", "apiKey"}, {"in", "header"}, {"name", "X-Auth-Token"}};
  out["headers"]["RequestId"] = {{"description", "ID of the request, as in the body."},
                                 {"schema", {{"type", "string"}}}};
  out["parameters"] = CommonParameters();
  for (const ErrorAnswer& answer : kErrorAnswers) {
    Json& response = out["responses"][answer.name];
    response = {{"description", answer.doc}, {"content", Body(Reference("schemas", "Error"))}};
    response["headers"]["X-Request-Id"] = Reference("headers", "RequestId");
  }
  out["schemas"] = Schemas();
  return out;
}

}  // namespace

std::string OpenApiText() {
  Json document{{"openapi", "3.1.0"}};
  document["info"] = {{"title", "Elastic Load Balance"},
                      {"version", "v3"},
                      {"description", "Management API. Generated from the field tables."}};
  document["security"] = Json::array({{{"token", Json::array()}}});
  document["tags"] = Json::array();
  for (const Resource& resource : Resources()) {
    document["tags"].push_back({{"name", resource.plural},
                                {"description", fmt::format("Each is {}.", One(resource.noun))}});
  }
  document["paths"] = Paths();
  document["components"] = Components();
  return document.dump(2) + "\n";
}

}  // namespace elb::model
