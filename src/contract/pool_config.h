#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/ip.h"

namespace elb::contract {

enum class LoadBalancerKind : std::uint8_t { kDedicated, kShared };
enum class PoolProtocol : std::uint8_t { kHttp, kHttps, kTcp, kUdp, kQuic };
enum class Algorithm : std::uint8_t { kRoundRobin, kLeastConnections, kSourceIp, kQuicCid };
enum class Stickiness : std::uint8_t { kOff, kLoadBalancerCookie, kApplicationCookie, kSourceIp };
enum class ProbeType : std::uint8_t { kTcp, kHttp, kHttps, kUdpConnect };

struct MemberConfig {
  MemberId id;
  Endpoint endpoint;
  std::uint32_t weight = 1;
  bool admin_up = true;
  bool ip_type = false;
  /// Number of the call that registered it: members of one call share it (slow start, 8.2).
  std::uint64_t registration = 0;
  bool slow_start_at_registration = false;  ///< Slow start was on when it was registered.
  friend bool operator==(const MemberConfig&, const MemberConfig&) = default;
};

struct HealthMonitorConfig {
  HealthMonitorId id;
  ProbeType type = ProbeType::kTcp;
  std::chrono::seconds delay{5};
  std::chrono::seconds timeout{3};
  int max_retries = 3;
  int max_retries_down = 3;
  std::optional<std::uint16_t> port;
  std::string domain_name;
  std::string url_path = "/";
  std::string http_method = "GET";
  std::string expected_codes = "200";
  std::uint64_t revision = 0;  ///< Changes with every edit: counters reset, probe soon.
  friend bool operator==(const HealthMonitorConfig&, const HealthMonitorConfig&) = default;
};

struct PoolConfig {
  PoolId id;
  ProjectId project;
  std::string name;
  LoadBalancerKind kind = LoadBalancerKind::kDedicated;
  PoolProtocol protocol = PoolProtocol::kHttp;
  Algorithm algorithm = Algorithm::kRoundRobin;
  Stickiness stickiness = Stickiness::kOff;
  std::chrono::minutes stickiness_duration{1440};
  std::string cookie_name;
  std::optional<std::chrono::seconds> slow_start;
  int minimum_healthy = 0;
  std::optional<HealthMonitorConfig> monitor;  ///< Present only when it is switched on.
  std::string probe_host;                      ///< Host of probes without domain_name: VIP or EIP.
  std::vector<MemberConfig> members;           ///< In creation order.
  bool attached = false;                       ///< To a load balancer or listener: probes run.
  std::vector<LoadBalancerId> load_balancers;
  friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

}  // namespace elb::contract
