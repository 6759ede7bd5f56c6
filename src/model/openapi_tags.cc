// The tag calls of the API description (api-v3.md 2.15).
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "model/openapi_actions.h"
#include "model/openapi_parts.h"

namespace elb::model {
namespace {

using std::string;
using std::string_view;

/// One face of the tags of one kind of object.
struct Face {
  const Resource* resource;
  string_view suffix;  ///< Of operation ids, so that they are unique.
};

Json TagSchema() {
  Json out{{"type", "object"}, {"required", {"key", "value"}}};
  out["properties"]["key"] = {{"type", "string"}, {"minLength", 1}, {"maxLength", 128}};
  out["properties"]["value"] = {{"type", "string"}, {"maxLength", 255}};
  return out;
}

/// A tag to be added, or removed by its key.
Json EditedTagSchema() {
  Json out = TagSchema();
  out["required"] = Json::array({"key"});
  return out;
}

/// A key with several values.
Json KeySchema() {
  Json out{{"type", "object"}, {"required", {"key", "values"}}};
  out["properties"]["key"] = {{"type", "string"}};
  out["properties"]["values"] = {{"type", "array"}, {"items", {{"type", "string"}}}};
  return out;
}

Json ListOf(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

Json Object(std::initializer_list<std::pair<const char*, Json>> properties) {
  Json out{{"type", "object"}};
  for (const auto& [name, schema] : properties) {
    out["properties"][name] = schema;
    out["required"].push_back(name);
  }
  return out;
}

Json TagOperation(const Face& face, string_view verb, const string& summary) {
  Json out = Operation(*face.resource, fmt::format("{}{}Of", verb, face.suffix), summary);
  for (const auto& [status, doc] :
       {std::pair{"400", "A tag or a parameter is wrong (VPC.1801)."},
        std::pair{"401", "No valid token (VPC.0008)."},
        std::pair{"403", "The token is not for this project (VPC.0007)."},
        std::pair{"404", "The object or the key does not exist (VPC.1801)."}}) {
    out["responses"][status] = {{"description", doc},
                                {"content", Body(Reference("schemas", "TagError"))}};
  }
  return out;
}

Json Actions(const Face& face) {
  Json out;
  out["post"] =
      TagOperation(face, "changeTags",
                   "Adds tags or overwrites their values (create), or removes them (delete).");
  SetRequest(Object({{"action", {{"type", "string"}, {"enum", {"create", "delete"}}}},
                     {"tags", ListOf(EditedTagSchema())}}),
             out["post"]);
  out["post"]["responses"]["204"] = NoContent();
  return out;
}

Json TagsOfOne(const Face& face) {
  Json out;
  out["get"] = TagOperation(face, "listTags", "Lists the tags of one object.");
  out["get"]["responses"]["200"] = Success("All of them.", Object({{"tags", ListOf(TagSchema())}}));
  out["post"] = TagOperation(face, "addTag", "Adds one tag or overwrites its value.");
  SetRequest(Object({{"tag", TagSchema()}}), out["post"]);
  out["post"]["responses"]["204"] = NoContent();
  return out;
}

Json OneTag(const Face& face) {
  Json out;
  out["delete"] = TagOperation(face, "removeTag", "Removes one tag.");
  out["delete"]["responses"]["204"] = NoContent();
  return out;
}

Json TagsOfAll(const Face& face) {
  Json out;
  out["get"] = TagOperation(face, "listTagsOfAll", "Lists every key in use with its values.");
  out["get"]["responses"]["200"] = Success("All of them.", Object({{"tags", ListOf(KeySchema())}}));
  return out;
}

Json Instances(const Face& face) {
  Json out;
  out["post"] =
      TagOperation(face, "findByTags", "Finds or counts objects by their tags and names.");
  Json request = Object({{"action", {{"type", "string"}, {"enum", {"filter", "count"}}}}});
  request["properties"]["tags"] = ListOf(KeySchema());
  request["properties"]["matches"] =
      ListOf(Object({{"key", {{"const", "resource_name"}}}, {"value", {{"type", "string"}}}}));
  request["properties"]["limit"] = {{"type", {"integer", "string"}}, {"default", 1000}};
  request["properties"]["offset"] = {{"type", {"integer", "string"}}, {"default", 0}};
  SetRequest(std::move(request), out["post"]);
  Json answer = Object({{"total_count", {{"type", "integer"}}}});
  answer["properties"]["resources"] = ListOf(Object({{"resource_id", {{"type", "string"}}},
                                                     {"resource_name", {{"type", "string"}}},
                                                     {"resource_detail", {{"type", "string"}}},
                                                     {"tags", ListOf(TagSchema())}}));
  out["post"]["responses"]["200"] = Success("Those found.", std::move(answer));
  return out;
}

}  // namespace

void AddTagPaths(Json& paths) {
  for (const auto& [prefix, suffix] : {std::pair{"/v2.0", "V2"}, std::pair{"/v3", ""}}) {
    for (const char* singular : {"loadbalancer", "listener"}) {
      const Face face{.resource = FindResource(singular), .suffix = suffix};
      const string all = fmt::format("{}/{{project_id}}/{}", prefix, face.resource->path);
      const string one = fmt::format("{}/{{{}_id}}", all, singular);
      AddPathAt(all + "/tags", TagsOfAll(face), paths);
      AddPathAt(all + "/resource_instances/action", Instances(face), paths);
      AddPathAt(one + "/tags", TagsOfOne(face), paths);
      AddPathAt(one + "/tags/action", Actions(face), paths);
      AddPathAt(one + "/tags/{key}", OneTag(face), paths);
    }
  }
}

Json TagErrorSchema() {
  Json out = Object({{"code", Described("string", "Code of the error, for example VPC.1801.")},
                     {"message", Described("string", "What is wrong, for people.")},
                     {"request_id", RequestIdProperty()}});
  return out;
}

}  // namespace elb::model
