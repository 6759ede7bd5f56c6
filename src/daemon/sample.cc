#include "daemon/sample.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <span>

#include "crypto/make_certificate.h"

namespace elb::daemon {
namespace {

using control::Caller;
using control::Resource;
using model::Json;

constexpr std::string_view kArea = "sample";

bool MayBind443() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(443);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  const bool may =
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EADDRINUSE;
  close(descriptor);
  return may;
}

struct Keys {
  crypto::Credentials authority;
  crypto::Credentials server;
};

Result<Keys> MakeKeys(const std::string& vip, WallTime now) {
  const auto start = std::chrono::floor<std::chrono::seconds>(now) - std::chrono::hours{1};
  ELB_ASSIGN_OR_RETURN(crypto::Credentials authority,
                       crypto::MakeAuthority({.common_name = "ELB sample CA",
                                              .names = {},
                                              .not_before = start,
                                              .not_after = start + std::chrono::hours{24 * 3650}}));
  ELB_ASSIGN_OR_RETURN(crypto::Credentials server,
                       crypto::MakeCertificate({.common_name = "localhost",
                                                .names = {"localhost", "sample.elb.test", vip},
                                                .not_before = start,
                                                .not_after = start + std::chrono::hours{24 * 825}},
                                               authority));
  return Keys{.authority = std::move(authority), .server = std::move(server)};
}

/// Creates one object; returns how the API shows it.
Result<Json> Create(control::Control& control, const Caller& caller, Resource resource,
                    const std::string& parent, const Json& body) {
  ELB_ASSIGN_OR_RETURN(const control::Shown shown, control.Create(caller, resource, parent, body));
  return *shown.object;
}

Result<void> MakePool(control::Control& control, const Caller& caller, const std::string& pool) {
  for (std::size_t i = 0; i < std::size(kSampleAddresses); ++i) {
    ELB_RETURN_IF_ERROR(Create(control, caller, Resource::kMember, pool,
                               {{"name", fmt::format("sample-{}", i + 1)},
                                {"address", kSampleAddresses[i]},
                                {"protocol_port", kSamplePort}}));
  }
  ELB_RETURN_IF_ERROR(Create(control, caller, Resource::kHealthMonitor, "",
                             {{"pool_id", pool},
                              {"type", "HTTP"},
                              {"delay", 2},
                              {"timeout", 2},
                              {"max_retries", 2},
                              {"max_retries_down", 2},
                              {"url_path", "/health"}}));
  return {};
}

Result<void> MakeBelow(const SampleParts& parts, const Caller& caller, const Json& balancer) {
  control::Control& control = *parts.control;
  const auto id = balancer["id"].get<std::string>();
  const auto vip = balancer["vip_address"].get<std::string>();
  ELB_ASSIGN_OR_RETURN(const Keys keys, MakeKeys(vip, parts.clock->WallNow()));
  ELB_ASSIGN_OR_RETURN(const Json certificate, Create(control, caller, Resource::kCertificate, "",
                                                      {{"name", "sample"},
                                                       {"certificate", keys.server.certificate},
                                                       {"private_key", keys.server.private_key}}));
  ELB_ASSIGN_OR_RETURN(const Json pool, Create(control, caller, Resource::kPool, "",
                                               {{"name", "sample"},
                                                {"protocol", "HTTP"},
                                                {"lb_algorithm", "ROUND_ROBIN"},
                                                {"loadbalancer_id", id}}));
  ELB_RETURN_IF_ERROR(MakePool(control, caller, pool["id"].get<std::string>()));
  const int port = MayBind443() ? 443 : 8443;
  ELB_RETURN_IF_ERROR(Create(control, caller, Resource::kListener, "",
                             {{"name", "sample"},
                              {"protocol", "HTTPS"},
                              {"protocol_port", port},
                              {"loadbalancer_id", id},
                              {"default_pool_id", pool["id"]},
                              {"default_tls_container_ref", certificate["id"]},
                              {"tls_ciphers_policy", "tls-1-2-fs-with-1-3"},
                              {"http2_enable", true}}));
  ELB_RETURN_IF_ERROR(parts.data->WriteFile("sample.crt", keys.authority.certificate));
  return parts.data->WriteFile("sample.url", port == 443
                                                 ? fmt::format("https://{}/\n", vip)
                                                 : fmt::format("https://{}:{}/\n", vip, port));
}

Result<void> MakeService(const SampleParts& parts, const Caller& caller) {
  control::Control& control = *parts.control;
  const control::NodeConfig& node = control.node();
  ELB_ASSIGN_OR_RETURN(
      const Json balancer,
      Create(control, caller, Resource::kLoadBalancer, "",
             {{"name", "sample"},
              {"description", "Made by the first start; change or delete it as you like."},
              {"availability_zone_list", Json::array({node.availability_zones.front()})},
              {"vip_subnet_cidr_id", node.subnets.front().subnet_id},
              {"ip_target_enable", true}}));
  const Result<void> made = MakeBelow(parts, caller, balancer);
  if (!made) {  // Nothing half-made stays behind.
    static_cast<void>(control.Delete(caller,
                                     {.resource = Resource::kLoadBalancer,
                                      .parent = {},
                                      .id = balancer["id"].get<std::string>()},
                                     control::DeleteMode::kForce, std::nullopt));
  }
  return made;
}

}  // namespace
Result<void> MakeSample(const SampleParts& parts) {
  ELB_ASSIGN_OR_RETURN(const std::vector<store::StateEntry> done,
                       parts.data->store().LoadState(kArea));
  if (!done.empty()) {
    return {};
  }
  if (parts.accounts->projects().empty()) {
    return NotFound("", "there is no project yet: run elbd init first");
  }
  Caller caller;
  caller.project = parts.accounts->projects().front().id;
  caller.user_name = "setup";
  caller.method = "system";
  caller.origin = "setup";
  ELB_RETURN_IF_ERROR(MakeService(parts, caller));
  const store::StateEntry entry{.key = "made", .value = "1"};
  return parts.data->store().PutState(kArea, std::span(&entry, 1));
}

}  // namespace elb::daemon
