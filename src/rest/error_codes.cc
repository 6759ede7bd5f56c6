#include "rest/error_codes.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;

/// Codes of a shared load balancer that say what was wrong (api-v3.md 1.9.2, 1.9.3).
std::string_view SharedInvalidCode(std::string_view path) {
  struct Entry {
    std::string_view path;
    std::string_view code;
  };
  static constexpr auto kEntries = std::to_array<Entry>({
      {"listener.protocol_port", "ELB.6041"},
      {"listener.protocol", "ELB.6061"},
      {"pool.protocol", "ELB.6071"},
      {"pool.lb_algorithm", "ELB.6051"},
      {"listener.name", "ELB.6011"},
      {"listener.description", "ELB.6031"},
      {"loadbalancer.name", "ELB.1021"},
      {"loadbalancer.description", "ELB.1031"},
      {"healthmonitor.delay", "ELB.7001"},
  });
  for (const Entry& entry : kEntries) {
    if (path == entry.path) {
      return entry.code;
    }
  }
  return "ELB.9899";
}

std::string_view SharedImmutableCode(std::string_view path) {
  return path.starts_with("listener.") ? "ELB.6015" : "ELB.9899";
}

WireError Make(int status, std::string_view code) {
  return {.status = status, .code = std::string(code)};
}

}  // namespace

WireError ToWire(const Problem& problem) {
  const std::string_view path = problem.path;
  // Errors of extensions are the same on every load balancer (api-extensions.md 10).
  const bool shared = problem.shared && !path.contains(".extensions");
  const bool update = problem.update;
  switch (problem.kind) {
    case ErrorKind::kInvalid:
      return Make(400, shared ? SharedInvalidCode(path) : "ELB.8902");
    case ErrorKind::kMissing:
      return Make(400, shared ? "ELB.9805" : "ELB.8902");
    case ErrorKind::kImmutable:
      return Make(400, shared ? SharedImmutableCode(path) : "ELB.8902");
    case ErrorKind::kEmptyBody:
      return Make(400, "ELB.0002");
    case ErrorKind::kNotFound:
      return Make(404, "ELB.8904");
    case ErrorKind::kReferenceNotFound:
      return shared && path.contains("container_ref") ? Make(400, "ELB.5040")
                                                      : Make(404, "ELB.8904");
    case ErrorKind::kBadCertificateReference:
      return Make(400, "ELB.5020");
    case ErrorKind::kConflict:
      return Make(409, "ELB.8907");
    case ErrorKind::kPortTaken:
      return shared ? Make(400, "ELB.6200") : Make(409, "ELB.8907");
    case ErrorKind::kHasMembers:
      return shared ? Make(400, "ELB.1018") : Make(409, "ELB.8907");
    case ErrorKind::kQuota:
      return shared ? Make(400, "ELB.9807") : Make(409, "ELB.8905");
    case ErrorKind::kRestricted:
      return Make(400, shared ? "ELB.9899" : "ELB.8902");
    case ErrorKind::kUnauthenticated:
      return Make(401, "SYS.0401");
    case ErrorKind::kForbiddenProject:
      return Make(403, "SYS.0403");
    case ErrorKind::kForbiddenAction:
      return Make(403, "ELB.9802");
    case ErrorKind::kUnsupported:
      return Make(403, "ELB.8962");
    case ErrorKind::kPrecondition:
      return Make(412, "ELB.9710");
    case ErrorKind::kBadOption:
      return Make(400, "ELB.9702");
    case ErrorKind::kUnusableCertificate:
      return Make(400, update ? "ELB.5013" : "ELB.1011");
    case ErrorKind::kUnusableCaCertificate:
      return Make(400, update ? "ELB.5053" : "ELB.5051");
    case ErrorKind::kSoldOut:
      return Make(400, "ELB.8950");
    case ErrorKind::kFlavorChange:
      return Make(400, "ELB.8959");
    case ErrorKind::kNoIpTarget:
      return Make(400, "ELB.8939");
    case ErrorKind::kIpTargetProtocol:
      return Make(400, "ELB.8938");
    case ErrorKind::kIpVersion:
      return Make(400, "ELB.8933");
    case ErrorKind::kNoIpv6:
      return Make(400, "ELB.8932");
    case ErrorKind::kTooManyAttempts:
      return Make(429, "ELB.9721");
    case ErrorKind::kTooLarge:
      return Make(413, "ELB.9761");
    case ErrorKind::kStorage:
    case ErrorKind::kInternal:
      break;
  }
  return Make(500, "ELB.8906");
}

namespace {

/// All problems of an error, the first of which gives status and code.
Json DetailsOf(const Error& error, bool update) {
  Json details = Json::array();
  for (const ErrorDetail& detail : error.details) {
    const WireError wire = ToWire(
        {.path = detail.path, .kind = detail.kind, .shared = error.shared, .update = update});
    Json shown{{"path", detail.path}, {"code", wire.code}, {"message", detail.message}};
    for (const auto& [key, value] : detail.facts) {
      shown[key] = value;
    }
    details.push_back(std::move(shown));
  }
  return details;
}

}  // namespace

Response ErrorResponse(const Error& error, bool update, const std::string& request_id) {
  const WireError wire =
      ToWire({.path = error.path, .kind = error.kind, .shared = error.shared, .update = update});
  Json body{{"error_code", wire.code}, {"error_msg", error.message}, {"request_id", request_id}};
  if (!error.details.empty()) {
    body["details"] = DetailsOf(error, update);
  } else if (!error.path.empty()) {
    body["details"] =
        Json::array({{{"path", error.path}, {"code", wire.code}, {"message", error.message}}});
  }
  if (error.blockers_total > 0) {
    body["blockers"] = Json::array();
    for (const Blocker& blocker : error.blockers) {
      body["blockers"].push_back(
          {{"kind", blocker.kind}, {"id", blocker.id}, {"name", blocker.name}});
    }
    body["blockers_total"] = error.blockers_total;
  }
  return {.status = wire.status, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace elb::rest
