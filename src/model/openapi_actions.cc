#include "model/openapi_actions.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "model/openapi_parts.h"

namespace elb::model {
namespace {

using std::string;
using std::string_view;

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
  out["post"] = WriteOperation(group, verb, summary, {.schema_suffix = "Update", .status = "200"});
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
  SetListRequest("members", element, out["post"]);
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
  SetListRequest("l7policies", element, out["post"]);
  Json answer{{"type", "object"}, {"required", Json::array({"request_id"})}};
  answer["properties"]["request_id"] = RequestIdProperty();
  out["post"]["responses"]["202"] = Success("Done.", std::move(answer));
  AddErrors({400, 404, 409}, out["post"]["responses"]);
  return out;
}

/// Several objects in one call, all or none.
Json BatchDeletion(const Resource& resource) {
  Json out;
  out["post"] = Operation(resource, "batchDelete",
                          fmt::format("Deletes several {}, or none of them.", resource.plural));
  Json element{{"type", "object"}, {"required", Json::array({"id"})}};
  element["properties"]["id"] = {{"type", "string"}};
  SetListRequest(resource.plural, element, out["post"]);
  Json result = element;
  result["required"].push_back("ret_status");
  result["properties"]["ret_status"] = Described("string", "successful, or not found.");
  out["post"]["responses"]["200"] = Success(
      "What became of each.", Envelope(resource.plural, {{"type", "array"}, {"items", result}}));
  AddErrors({400, 409}, out["post"]["responses"]);
  return out;
}

Json Cascade(string_view singular, const string& summary) {
  Json out;
  out["post"] = Operation(*FindResource(singular), "deleteCascade", summary);
  out["post"]["parameters"] = Json::array({Reference("parameters", "IfMatch")});
  out["post"]["responses"]["204"] = NoContent();
  AddErrors({400, 404, 409, 412}, out["post"]["responses"]);
  return out;
}

void AddDeletions(Json& paths) {
  for (const char* singular : {"loadbalancer", "listener", "pool", "certificate"}) {
    const Resource& resource = *FindResource(singular);
    AddPath(fmt::format("{}/batch-delete", resource.path), BatchDeletion(resource), paths);
  }
  Json balancer = Cascade("loadbalancer", "Deletes a load balancer with what belongs to it.");
  Json options{{"type", "object"}};
  options["properties"]["unbounded_pool"] =
      Described("boolean", "Accepted; groups are never used outside their load balancer.");
  options["properties"]["public_ip"] =
      Described("boolean", "True: the public address is released too.");
  Json request{{"type", "object"}, {"required", Json::array({"loadbalancer"})}};
  request["properties"]["loadbalancer"] = std::move(options);
  SetRequest(std::move(request), balancer["post"]);
  AddPath("loadbalancers/{loadbalancer_id}/delete-cascade", balancer, paths);
  AddPath("pools/{pool_id}/delete-cascade",
          Cascade("pool", "Deletes a backend server group, its servers and its health check."),
          paths);
}

/// A call that reads what belongs to no resource's table.
struct Reading {
  const char* id;
  const char* summary;
  const char* key;  ///< Of the answer.
};

Json Read(const Reading& reading, Json value) {
  Json operation{{"operationId", reading.id},
                 {"summary", reading.summary},
                 {"tags", Json::array({"loadbalancers"})}};
  operation["responses"]["200"] = Success("The answer.", Envelope(reading.key, std::move(value)));
  AddErrors({400, 404}, operation["responses"]);
  Json out;
  out["get"] = std::move(operation);
  return out;
}

void AddReads(Json& paths) {
  Json feature{{"type", "object"}, {"required", {"feature", "type", "value"}}};
  feature["properties"]["feature"] = Described("string", "Name of the feature.");
  feature["properties"]["type"] = Described("string", "BOOL, INT or STRING.");
  feature["properties"]["value"] = Described("string", "Its value, as text.");
  const Json features{{"type", "array"}, {"items", feature}};
  AddPath("feature/configs",
          Read({.id = "listFeatureConfigs",
                .summary = "Lists what the node's configuration decides.",
                .key = "configs"},
               features),
          paths);
  AddPath("loadbalancers/{loadbalancer_id}/features",
          Read({.id = "listFeaturesOfLoadBalancer",
                .summary = "Lists what a load balancer can do, by its kind and flavors.",
                .key = "features"},
               features),
          paths);
  Json count{{"type", "object"}, {"required", Json::array({"total"})}};
  count["properties"]["total"] = Described("integer", "Addresses.");
  AddPath("preoccupy-ip-num",
          Read({.id = "countPreoccupyIpNum",
                .summary = "Counts the addresses that a load balancer takes from backend subnets.",
                .key = "preoccupy_ip"},
               std::move(count)),
          paths);
  AddPath("jobs",
          Read({.id = "listJobs",
                .summary = "Lists running jobs; there are none, since calls are synchronous.",
                .key = "jobs"},
               {{"type", "array"}, {"items", {{"type", "object"}}}}),
          paths);
}

}  // namespace

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
  AddPath("loadbalancers/{loadbalancer_id}/force-elb", ForcedDeletion("loadbalancer"), paths);
  AddPath("loadbalancers/{loadbalancer_id}/statuses", StatusTree(), paths);
  AddPath("listeners/{listener_id}/force", ForcedDeletion("listener"), paths);
  AddDeletions(paths);
  AddReads(paths);
}

}  // namespace elb::model
