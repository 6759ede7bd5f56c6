#include "model/openapi_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace elb::model {

using std::string;
using std::string_view;

namespace {

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

string Plural(string_view noun) {
  return noun.ends_with('y') ? fmt::format("{}ies", noun.substr(0, noun.size() - 1))
                             : fmt::format("{}s", noun);
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

}  // namespace

std::span<const ErrorAnswer> ErrorAnswers() { return kErrorAnswers; }

string One(string_view noun) {
  return fmt::format("{} {}", string_view("aeiouI").contains(noun.front()) ? "an" : "a", noun);
}

Json Reference(string_view kind, string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

Json Described(const char* type, const char* doc) { return {{"type", type}, {"description", doc}}; }

Json RequestIdProperty() { return Described("string", "ID of the request."); }

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

void SetRequest(Json schema, Json& operation) {
  operation["requestBody"] = {{"required", true}, {"content", Body(std::move(schema))}};
}

void SetListRequest(string_view key, const Json& element, Json& operation) {
  Json request{{"type", "object"}, {"required", Json::array({key})}};
  request["properties"][string(key)] = {{"type", "array"}, {"minItems", 1}, {"items", element}};
  SetRequest(std::move(request), operation);
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

void AddErrors(std::initializer_list<int> statuses, Json& responses) {
  for (const ErrorAnswer& answer : ErrorAnswers()) {
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
                    const WriteForm& form) {
  Json out = Operation(resource, verb, summary);
  Json request{{"type", "object"}, {"required", Json::array({resource.singular})}};
  request["properties"][string(resource.singular)] =
      Reference("schemas", fmt::format("{}{}", resource.type_name, form.schema_suffix));
  SetRequest(std::move(request), out);
  out["responses"][form.status] =
      Success("The object.", Envelope(resource.singular, Reference("schemas", resource.type_name)));
  return out;
}

void AddPathAt(const string& path, const Json& operations, Json& paths) {
  Json& item = paths[path];
  item["parameters"] = PathParameters(path);
  item.update(operations);
}

void AddPath(const string& below, const Json& operations, Json& paths) {
  AddPathAt("/v3/{project_id}/elb/" + below, operations, paths);
}

}  // namespace elb::model
