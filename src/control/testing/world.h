#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "control/control.h"
#include "control/testing/failing_store.h"
#include "control/testing/fake_data_plane.h"
#include "crypto/make_certificate.h"

namespace elb::control {

inline constexpr const char* kProject = "0123456789abcdef0123456789abcdef";
inline constexpr const char* kOtherProject = "fedcba9876543210fedcba9876543210";

/// A server certificate for `name` with its key, as PEM texts.
inline crypto::Credentials MakeServerPem(const std::string& name) {
  const auto start = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000));
  auto authority = crypto::MakeAuthority({.common_name = "test CA",
                                          .names = {},
                                          .not_before = start,
                                          .not_after = start + std::chrono::hours{24}});
  return *crypto::MakeCertificate({.common_name = name,
                                   .names = {name},
                                   .not_before = start,
                                   .not_after = start + std::chrono::hours{24}},
                                  *authority);
}

/// Two pairs that tests share: making keys costs time.
inline const crypto::Credentials& ServerPem(std::size_t number = 0) {
  static const std::vector<crypto::Credentials> all{MakeServerPem("a.test"),
                                                    MakeServerPem("b.test")};
  return all[number];
}

/// The control plane over a store in memory and a data plane that is none.
class World {
 public:
  explicit World(NodeConfig node_config = {}) : node(std::move(node_config)) { Restart(); }

  /// As after the end of the process.
  void Restart() {
    control = std::make_unique<Control>(Control::Parts{.node = node,
                                                       .store = &store,
                                                       .data_plane = &data_plane,
                                                       .clock = &clock,
                                                       .random = &random});
    const Result<void> started = control->Start();
    ASSERT_TRUE(started) << started.error().message;
  }

  [[nodiscard]] Result<Shown> TryCreate(Resource resource, const Json& body,
                                        const std::string& parent = {}) {
    return control->Create(caller, resource, parent, body);
  }
  /// Creates an object that must be accepted; returns its id.
  std::string Create(Resource resource, const Json& body, const std::string& parent = {}) {
    const Result<Shown> made = TryCreate(resource, body, parent);
    if (!made) {
      ADD_FAILURE() << made.error().path << ": " << made.error().message;
      return {};
    }
    return (*made->object)["id"].get<std::string>();
  }
  [[nodiscard]] Json Show(Resource resource, const std::string& id,
                          const std::string& parent = {}) const {
    const Result<Shown> shown = control->Show(caller, resource, parent, id);
    return shown ? *shown->object : Json();
  }
  [[nodiscard]] Result<Shown> Update(Resource resource, const std::string& id, const Json& body) {
    return control->Update(caller, {.resource = resource, .parent = {}, .id = id}, body,
                           std::nullopt);
  }
  [[nodiscard]] Result<Json> Perform(const Place& place, Action action, const Json& body) {
    return control->Perform(caller, place, action, body, std::nullopt);
  }
  [[nodiscard]] Result<void> Delete(Resource resource, const std::string& id,
                                    DeleteMode mode = DeleteMode::kPlain) {
    return control->Delete(caller, {.resource = resource, .parent = {}, .id = id}, mode,
                           std::nullopt);
  }

  std::string Balancer(Json extra = Json::object()) {
    Json body{{"availability_zone_list", {"eu-de-01"}},
              {"vip_subnet_cidr_id", node.subnets.front().subnet_id},
              {"ip_target_enable", true}};
    body.update(extra);
    return Create(Resource::kLoadBalancer, body);
  }
  std::string SharedBalancer() {
    return Create(Resource::kLoadBalancer,
                  {{"guaranteed", false}, {"vip_subnet_cidr_id", node.subnets.front().subnet_id}});
  }
  std::string Listener(const std::string& balancer, int port, Json extra = Json::object()) {
    Json body{{"loadbalancer_id", balancer}, {"protocol", "HTTP"}, {"protocol_port", port}};
    body.update(extra);
    return Create(Resource::kListener, body);
  }
  std::string Pool(const std::string& balancer, Json extra = Json::object()) {
    Json body{{"loadbalancer_id", balancer}, {"protocol", "HTTP"}, {"lb_algorithm", "ROUND_ROBIN"}};
    body.update(extra);
    return Create(Resource::kPool, body);
  }
  std::string Member(const std::string& pool, const std::string& address, int port = 80,
                     Json extra = Json::object()) {
    Json body{{"address", address}, {"protocol_port", port}};
    body.update(extra);
    return Create(Resource::kMember, body, pool);
  }
  std::string Monitor(const std::string& pool, const std::string& type = "HTTP") {
    return Create(
        Resource::kHealthMonitor,
        {{"pool_id", pool}, {"type", type}, {"delay", 1}, {"timeout", 1}, {"max_retries", 1}});
  }
  std::string Certificate(std::size_t number = 0, Json extra = Json::object()) {
    Json body{{"certificate", ServerPem(number).certificate},
              {"private_key", ServerPem(number).private_key}};
    body.update(extra);
    return Create(Resource::kCertificate, body);
  }
  std::string Authority() {
    return Create(Resource::kCertificate,
                  {{"certificate", ServerPem().certificate}, {"type", "client"}});
  }
  std::string IpGroup(const std::vector<std::string>& addresses) {
    Json list = Json::array();
    for (const std::string& address : addresses) {
      list.push_back({{"ip", address}});
    }
    return Create(Resource::kIpGroup, {{"ip_list", list}});
  }
  std::string HttpsListener(const std::string& balancer, int port, const std::string& certificate,
                            Json extra = Json::object()) {
    extra["protocol"] = "HTTPS";
    extra["default_tls_container_ref"] = certificate;
    return Listener(balancer, port, std::move(extra));
  }

  [[nodiscard]] std::shared_ptr<const contract::ListenerConfig> ListenerInForce(
      const std::string& id) const {
    const auto found = data_plane.current().listeners.find(ListenerId(id));
    return found == data_plane.current().listeners.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::shared_ptr<const contract::PoolConfig> PoolInForce(
      const std::string& id) const {
    const auto found = data_plane.current().pools.find(PoolId(id));
    return found == data_plane.current().pools.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::uint64_t revision() const { return control->RevisionOf(kProject); }
  /// The record of a revision as it is stored.
  [[nodiscard]] Json Record(std::uint64_t number) {
    const auto record =
        store.Read([&](store::Reader& reader) { return reader.GetRevision(kProject, number); });
    return record && *record ? Json::parse((*record)->json) : Json();
  }

  NodeConfig node;
  ManualClock clock;
  SeededRandom random{1};
  FailingStore store;
  FakeDataPlane data_plane;
  Caller caller{.project = kProject,
                .user_id = "u1",
                .user_name = "alice",
                .address = "192.0.2.7",
                .user_agent = "test",
                .comment = {}};
  std::unique_ptr<Control> control;
};

/// The kind of a failure; nullopt of a success.
template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().kind);
}

/// Ids of what stands in the way.
template <typename T>
std::vector<std::string> BlockersOf(const Result<T>& result) {
  std::vector<std::string> ids;
  if (!result) {
    for (const Blocker& blocker : result.error().blockers) {
      ids.push_back(blocker.id);
    }
  }
  return ids;
}

}  // namespace elb::control
