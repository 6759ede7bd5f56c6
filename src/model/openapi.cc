#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/json_schema.h"
#include "model/openapi_actions.h"
#include "model/openapi_parts.h"
#include "model/reference.h"
#include "model/resources.h"
#include "model/security_policy.h"

namespace elb::model {
namespace {

using std::string;
using std::string_view;

Json CollectionPath(const Resource& resource) {
  Json out;
  out["get"] = ListOperation(resource, "list");
  out["post"] = WriteOperation(resource, "create", fmt::format("Creates {}.", One(resource.noun)),
                               {.schema_suffix = "Create", .status = "201"});
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
                              {.schema_suffix = "Update", .status = "200"});
  out["put"]["parameters"] = precondition;
  AddErrors({400, 404, 409, 412}, out["put"]["responses"]);
  out["delete"] = Operation(resource, "delete", fmt::format("Deletes {}.", One(resource.noun)));
  out["delete"]["parameters"] = precondition;
  out["delete"]["responses"]["204"] = NoContent();
  AddErrors({404, 409, 412}, out["delete"]["responses"]);
  return out;
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
  Json members;
  members["get"] = ListOperation(*FindResource("member"), "listAll");
  AddPath("members", members, paths);
  AddPath("system-security-policies", SystemPolicies(), paths);
  AddActions(paths);
  AddTagPaths(paths);
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
  out["TagError"] = TagErrorSchema();
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
  for (const ErrorAnswer& answer : ErrorAnswers()) {
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
