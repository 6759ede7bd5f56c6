#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/id.h"
#include "base/ip.h"
#include "contract/pool_config.h"

namespace elb::contract {

template <typename T>
using Shared = std::shared_ptr<const T>;

enum class ListenerProtocol : std::uint8_t { kHttp, kHttps, kTcp, kUdp };
enum class AccessMode : std::uint8_t { kEveryone, kWhite, kBlack };
enum class SniMatch : std::uint8_t { kWildcard, kLongestSuffix };
enum class ForwardedForMode : std::uint8_t { kAppend, kPreserve, kRemove };

/// PEM texts of one certificate; parsed once per content by the data plane.
struct CertificateConfig {
  CertificateId id;
  std::string chain_pem;
  std::string key_pem;               ///< Empty for CA certificates.
  std::vector<std::string> domains;  ///< Lower case.
  friend bool operator==(const CertificateConfig&, const CertificateConfig&) = default;
};

struct IpGroupConfig {
  IpGroupId id;
  std::vector<IpPrefix> prefixes;
  friend bool operator==(const IpGroupConfig&, const IpGroupConfig&) = default;
};

/// Headers added to requests (data-plane.md 4.7). An empty name means off; a name differing from
/// the usual one is an alias.
struct InsertHeadersConfig {
  ForwardedForMode forwarded_for = ForwardedForMode::kAppend;
  bool elb_ip = false;
  bool port = false;
  bool for_port = false;
  bool host = true;
  bool proto = false;
  bool real_ip = false;
  bool elb_id = false;
  bool tls_certificate_id = false;
  std::string tls_protocol;
  std::string tls_cipher;
  std::string clientcert_subjectdn;
  std::string clientcert_issuerdn;
  std::string clientcert_fingerprint;
  std::string clientcert_clientverify;
  std::string clientcert_serialnumber;
  std::string clientcert;
  std::string clientcert_ciphers;
  std::string clientcert_end;
  std::string tls_alpn_protocol;
  std::string tls_sni;
  std::string tls_ja3;
  std::string tls_ja4;
  friend bool operator==(const InsertHeadersConfig&, const InsertHeadersConfig&) = default;
};

struct TlsConfig {
  std::vector<std::string> protocols;  ///< Of the policy in force, `TLSv1.2` and so on.
  std::vector<std::string> ciphers;    ///< Server order, OpenSSL names.
  CertificateId default_certificate;
  CertificateId client_ca;  ///< Empty: one-way authentication.
  std::vector<CertificateId> sni_certificates;
  SniMatch sni_match = SniMatch::kWildcard;
  bool http2 = false;
  /// Changes when server certificates, CA or policy change (data-plane.md 2.7).
  std::uint64_t tls_generation = 0;
  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

enum class RuleType : std::uint8_t { kHostName, kPath, kMethod, kHeader, kQueryString, kSourceIp };
enum class RuleCompare : std::uint8_t { kEqualTo, kStartsWith, kRegex };

struct L7RuleConfig {
  RuleType type = RuleType::kPath;
  RuleCompare compare = RuleCompare::kEqualTo;
  bool invert = false;
  std::string key;                  ///< HEADER and QUERY_STRING.
  std::vector<std::string> values;  ///< OR-ed.
  friend bool operator==(const L7RuleConfig&, const L7RuleConfig&) = default;
};

enum class PolicyAction : std::uint8_t { kToPool, kToListener, kToUrl, kFixedResponse };

struct WeightedPool {
  PoolId pool;
  std::uint32_t weight = 0;
  friend bool operator==(const WeightedPool&, const WeightedPool&) = default;
};

struct L7PolicyConfig {
  L7PolicyId id;
  PolicyAction action = PolicyAction::kToPool;
  std::vector<L7RuleConfig> rules;
  std::vector<WeightedPool> pools;    ///< kToPool; one with weight 1 for redirect_pool_id.
  std::uint16_t listener_port = 443;  ///< kToListener.
  std::string url_protocol, url_host, url_port, url_path, url_query;  ///< kToUrl, with `${…}`.
  int status_code = 0;                                                ///< kToUrl, kFixedResponse.
  std::string content_type;                                           ///< kFixedResponse.
  std::string message_body;
  friend bool operator==(const L7PolicyConfig&, const L7PolicyConfig&) = default;
};

enum class RequestIdMode : std::uint8_t { kOff, kAlways, kTrusted };
enum class FrontProxyMode : std::uint8_t { kOff, kProxyProtocol, kXForwardedFor, kForwarded };

struct RequestIdConfig {
  RequestIdMode mode = RequestIdMode::kOff;
  std::string header = "X-Request-Id";
  bool uuid_format = false;
  bool in_response = true;
  IpGroupId trusted;  ///< Empty: every peer.
  friend bool operator==(const RequestIdConfig&, const RequestIdConfig&) = default;
};

struct FrontProxyConfig {
  FrontProxyMode mode = FrontProxyMode::kOff;
  IpGroupId trusted;
  bool others_direct = false;
  friend bool operator==(const FrontProxyConfig&, const FrontProxyConfig&) = default;
};

/// What an L7 specification promises; 0: nothing is promised.
struct FlavorLimits {
  std::int64_t connections = 0;
  std::int64_t connections_per_s = 0;
  std::int64_t requests_per_s = 0;
  std::int64_t kilobits_per_s = 0;
  friend bool operator==(const FlavorLimits&, const FlavorLimits&) = default;
};

/// The load balancer as its listeners see it.
struct LoadBalancerFacts {
  LoadBalancerId id;
  ProjectId project;
  LoadBalancerKind kind = LoadBalancerKind::kDedicated;
  std::optional<IpAddress> vip;
  std::optional<IpAddress> vip6;
  std::optional<IpAddress> eip;
  FlavorLimits flavor;
  std::string log_topic_id;  ///< Of its logtank; empty: access log off.
  friend bool operator==(const LoadBalancerFacts&, const LoadBalancerFacts&) = default;
};

/// One listener with everything its connections need.
struct ListenerConfig {
  ListenerId id;
  LoadBalancerFacts load_balancer;
  ListenerProtocol protocol = ListenerProtocol::kHttp;
  std::uint16_t port = 0;
  std::vector<IpAddress> addresses;  ///< Where it listens.
  std::optional<TlsConfig> tls;      ///< HTTPS.
  PoolId default_pool;
  std::vector<L7PolicyConfig> policies;  ///< Those in force, in order of evaluation.
  InsertHeadersConfig insert_headers;
  std::chrono::seconds keepalive_timeout{60};
  std::chrono::seconds client_timeout{60};
  std::chrono::seconds member_timeout{60};
  bool member_retry = true;
  AccessMode access_mode = AccessMode::kEveryone;
  IpGroupId access_group;
  std::int64_t connection_limit = -1;
  std::int64_t cps_limit = -1;
  std::uint64_t request_body_bytes_max = 10'737'418'240;
  RequestIdConfig request_id;
  FrontProxyConfig front_proxy;
  std::vector<std::string> log_headers;  ///< access_log_customized_headers_config, enabled.
  bool log_headers_exclude = false;
  friend bool operator==(const ListenerConfig&, const ListenerConfig&) = default;
};

/// Everything the data plane needs, immutable. Unchanged parts are shared with the previous one, so
/// pointer equality means "nothing changed".
struct ConfigSnapshot {
  std::uint64_t generation = 0;
  absl::flat_hash_map<ListenerId, Shared<ListenerConfig>> listeners;
  absl::flat_hash_map<PoolId, Shared<PoolConfig>> pools;
  absl::flat_hash_map<CertificateId, Shared<CertificateConfig>> certificates;
  absl::flat_hash_map<IpGroupId, Shared<IpGroupConfig>> ip_groups;
  std::chrono::seconds connect_timeout{5};
};

}  // namespace elb::contract
