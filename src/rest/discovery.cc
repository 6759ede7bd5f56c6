#include "rest/discovery.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kFeatures = std::to_array<std::string_view>(
    {"dry_run", "changesets", "config",          "revisions", "audit",    "users",
     "explain", "runtime",    "flight_recorder", "rehearsal", "guards",   "metrics",
     "events",  "logs",       "probes",          "try",       "webhooks", "acme",
     "pages",   "backup"});

Response TextResponse(int status, std::string body) {
  return {.status = status, .body = std::move(body), .content_type = "text/plain; version=0.0.4"};
}

std::optional<Response> RoutePages(const std::string& path, const Pages& pages) {
  if (path == "/healthz") {
    return TextResponse(200, "ok\n");
  }
  if (path == "/readyz") {
    const std::string why = pages.not_ready();
    return TextResponse(why.empty() ? 200 : 503, why.empty() ? "ready\n" : why + "\n");
  }
  if (path == "/metrics") {
    return TextResponse(200, pages.metrics());
  }
  if (path == "/openapi.json" && !pages.openapi.empty()) {
    return Response{.status = 200, .body = pages.openapi};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Response> RouteOpen(const Call& call, const Pages& pages) {
  const std::string& path = call.request->path;
  if (!call.reads()) {
    return std::nullopt;
  }
  if (auto text = RoutePages(path, pages)) {
    return text;
  }
  if (path == "/versions") {
    return JsonResponse(200, {{"versions", Json::array({{{"id", "v3"}, {"status", "CURRENT"}},
                                                        {{"id", "v2"}, {"status", "STABLE"}},
                                                        {{"id", "v2.0"}, {"status", "STABLE"}}})}});
  }
  if (path == "/ext") {
    return JsonResponse(200, {{"versions", Json::array({{{"id", "v1"}, {"status", "CURRENT"}}})}});
  }
  const auto link = [&](const std::string& to) {
    return Json::array({{{"rel", "self"}, {"href", call.base_url + to}}});
  };
  if (path == "/") {
    return JsonResponse(
        300,
        {{"versions",
          {{"values",
            Json::array({{{"id", "v3.14"}, {"status", "stable"}, {"links", link("/v3/")}}})}}}});
  }
  if (path == "/network/" || path == "/network") {
    return JsonResponse(
        200, {{"versions",
               Json::array(
                   {{{"id", "v2.0"}, {"status", "CURRENT"}, {"links", link("/network/v2.0/")}}})}});
  }
  if (path == "/network/v2.0/" || path == "/network/v2.0") {
    return JsonResponse(200, {{"resources", Json::array()}});
  }
  if (path.starts_with("/compute/v2.1")) {
    return JsonResponse(200, {{"version",
                               {{"id", "v2.1"},
                                {"status", "CURRENT"},
                                {"version", "2.79"},
                                {"min_version", "2.1"},
                                {"links", link("/compute/v2.1/")}}}});
  }
  if (path == "/image/" || path == "/image") {
    return JsonResponse(
        300,
        {{"versions",
          Json::array({{{"id", "v2.9"}, {"status", "CURRENT"}, {"links", link("/image/v2/")}}})}});
  }
  return std::nullopt;
}

Response RouteExtensions(const Call& call) {
  const std::vector<std::string>& path = call.path;  // ext v1 [project] name ...
  const std::size_t at = path.size() > 2 && path[2] == call.caller.project ? 3 : 2;
  if (path.size() <= at) {
    return Unknown(call);
  }
  if (at == 2 && path[2] == "features" && path.size() == 3) {
    if (!call.reads()) {
      return NotAllowed(call, "GET, HEAD");
    }
    Json features = Json::object();
    for (const std::string_view feature : kFeatures) {
      features[std::string(feature)] = {{"enabled", false}};
    }
    return JsonResponse(200, {{"features", features}, {"request_id", call.request_id}});
  }
  if (std::ranges::find(kFeatures, path[at]) == kFeatures.end()) {
    return Unknown(call);
  }
  return Fail(call, {.kind = ErrorKind::kUnsupported,
                     .path = {},
                     .message = path[at] + " is not available on this node"});
}

}  // namespace elb::rest
