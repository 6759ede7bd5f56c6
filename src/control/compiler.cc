#include "control/compiler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/forwarding.h"
#include "model/catalogue.h"

namespace elb::control {
namespace {

using contract::ConfigSnapshot;
using contract::InsertHeadersConfig;
using contract::ListenerConfig;
using contract::PoolConfig;

/// FNV-1a, for numbers that must be the same after a restart.
class StableHash {
 public:
  void Add(std::string_view text) {
    for (const char letter : text) {
      value_ = (value_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    }
    value_ = (value_ ^ 0xff) * 0x100000001b3;
  }
  void Add(std::int64_t number) { Add(std::to_string(number)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

bool Flag(const model::Listener& listener, std::string_view key, bool otherwise) {
  const auto found = std::ranges::find(listener.insert_headers, key, &model::InsertHeader::key);
  return found == listener.insert_headers.end() ? otherwise : found->flag;
}

std::string Text(const model::Listener& listener, std::string_view key) {
  const auto found = std::ranges::find(listener.insert_headers, key, &model::InsertHeader::key);
  return found == listener.insert_headers.end() ? std::string() : found->text;
}

/// The name under which a fact is sent; empty while its toggle is off.
std::string Named(const model::Listener& listener, const std::string& name,
                  std::string_view enable_suffix) {
  if (!Flag(listener, name + std::string(enable_suffix), false)) {
    return {};
  }
  const std::string alias = Text(listener, name + "-alias");
  return alias.empty() ? name : alias;
}

contract::ForwardedForMode ForwardedFor(std::string_view mode) {
  if (mode == "remove") {
    return contract::ForwardedForMode::kRemove;
  }
  return mode == "preserve" ? contract::ForwardedForMode::kPreserve
                            : contract::ForwardedForMode::kAppend;
}

InsertHeadersConfig InsertHeaders(const model::Listener& listener) {
  InsertHeadersConfig config;
  config.forwarded_for = ForwardedFor(Text(listener, "X-Forwarded-For-Processing-Mode"));
  config.elb_ip = Flag(listener, "X-Forwarded-ELB-IP", false);
  config.port = Flag(listener, "X-Forwarded-Port", false);
  config.for_port = Flag(listener, "X-Forwarded-For-Port", false);
  config.host = Flag(listener, "X-Forwarded-Host", true);
  config.proto = Flag(listener, "X-Forwarded-Proto", false);
  config.real_ip = Flag(listener, "X-Real-IP", false);
  config.elb_id = Flag(listener, "X-Forwarded-ELB-ID", false);
  config.tls_certificate_id = Flag(listener, "X-Forwarded-TLS-Certificate-ID", false);
  config.tls_protocol = Named(listener, "X-Forwarded-TLS-Protocol", "");
  config.tls_cipher = Named(listener, "X-Forwarded-TLS-Cipher", "");
  config.clientcert_subjectdn = Named(listener, "X-Forwarded-Clientcert-subjectdn", "-enable");
  config.clientcert_issuerdn = Named(listener, "X-Forwarded-Clientcert-issuerdn", "-enable");
  config.clientcert_fingerprint = Named(listener, "X-Forwarded-Clientcert-fingerprint", "-enable");
  config.clientcert_clientverify =
      Named(listener, "X-Forwarded-Clientcert-clientverify", "-enable");
  config.clientcert_serialnumber =
      Named(listener, "X-Forwarded-Clientcert-serialnumber", "-enable");
  config.clientcert = Named(listener, "X-Forwarded-Clientcert", "-enable");
  config.clientcert_ciphers = Named(listener, "X-Forwarded-Clientcert-ciphers", "-enable");
  config.clientcert_end = Named(listener, "X-Forwarded-Clientcert-end", "-enable");
  config.tls_alpn_protocol = Named(listener, "X-Forwarded-Tls-Alpn-Protocol", "-enable");
  config.tls_sni = Named(listener, "X-Forwarded-Tls-Sni", "-enable");
  config.tls_ja3 = Named(listener, "X-Forwarded-Tls-Ja3", "-enable");
  config.tls_ja4 = Named(listener, "X-Forwarded-Tls-Ja4", "-enable");
  return config;
}

/// Where the load balancer's access log goes; empty: nowhere.
std::string LogTopic(const State& state, const model::LoadBalancer& balancer) {
  const Referrers& logtanks = state.By(kLogtanksOfLoadBalancer, balancer.identity.id);
  return logtanks.empty() ? std::string()
                          : state.logtanks.Find(logtanks.begin()->second)->log_topic_id;
}

contract::FlavorLimits LimitsOf(const model::LoadBalancer& balancer) {
  const model::Flavor* flavor = model::FindFlavor(balancer.l7_flavor_id);
  if (flavor == nullptr) {
    return {};
  }
  return {.connections = flavor->connection,
          .connections_per_s = flavor->cps,
          .requests_per_s = flavor->qps,
          .kilobits_per_s = flavor->bandwidth};
}

contract::LoadBalancerFacts FactsOf(const State& state, const model::LoadBalancer& balancer) {
  return {.id = LoadBalancerId(balancer.identity.id),
          .project = ProjectId(balancer.identity.project_id),
          .kind = balancer.guaranteed ? contract::LoadBalancerKind::kDedicated
                                      : contract::LoadBalancerKind::kShared,
          .vip = IpAddress::Parse(balancer.vip_address),
          .vip6 = std::nullopt,
          .eip = IpAddress::Parse(balancer.eip_address),
          .flavor = LimitsOf(balancer),
          .log_topic_id = LogTopic(state, balancer)};
}

/// A custom policy's suites as the server prefers them: ECDSA, RSA, TLS 1.3, in each group in the
/// order given (data-plane.md 2.2).
std::vector<std::string> ServerOrder(const std::vector<std::string>& ciphers) {
  const auto group_of = [](const std::string& cipher) {
    const int by_key = cipher.contains("ECDSA") ? 0 : 1;
    return cipher.starts_with("TLS_") ? 2 : by_key;
  };
  std::vector<std::string> ordered;
  for (const int group : {0, 1, 2}) {
    std::ranges::copy_if(ciphers, std::back_inserter(ordered),
                         [&](const std::string& cipher) { return group_of(cipher) == group; });
  }
  return ordered;
}

/// Lets in, or keeps out, whom the listener's group lists; a binding that is off does nothing.
void ApplyAccess(const model::Listener& listener, ListenerConfig& config) {
  if (!listener.ipgroup || !listener.ipgroup->enable_ipgroup) {
    return;
  }
  config.access_mode = listener.ipgroup->type == "black" ? contract::AccessMode::kBlack
                                                         : contract::AccessMode::kWhite;
  config.access_group = IpGroupId(listener.ipgroup->ipgroup_id);
}

contract::RequestIdMode RequestIdModeOf(std::string_view text) {
  if (text == "always") {
    return contract::RequestIdMode::kAlways;
  }
  return text == "trusted" ? contract::RequestIdMode::kTrusted : contract::RequestIdMode::kOff;
}

contract::FrontProxyMode FrontProxyModeOf(std::string_view text) {
  if (text == "proxy_protocol") {
    return contract::FrontProxyMode::kProxyProtocol;
  }
  if (text == "x_forwarded_for") {
    return contract::FrontProxyMode::kXForwardedFor;
  }
  return text == "forwarded" ? contract::FrontProxyMode::kForwarded
                             : contract::FrontProxyMode::kOff;
}

/// What the listener has beyond the vendor's API.
void ApplyExtensions(const model::Listener& listener, ListenerConfig& config) {
  const model::RequestIdSettings& id = listener.extensions.request_id;
  config.request_id = {.mode = RequestIdModeOf(id.mode),
                       .header = id.header,
                       .uuid_format = id.format == "uuid",
                       .in_response = id.response,
                       .trusted = IpGroupId(id.trusted_ipgroup_id)};
  const model::FrontProxySettings& front = listener.extensions.front_proxy;
  config.front_proxy = {.mode = FrontProxyModeOf(front.mode),
                        .trusted = IpGroupId(front.trusted_ipgroup_id),
                        .others_direct = front.others == "direct"};
}

/// Header fields in the lines of the access log, or those kept out of them.
void ApplyLogHeaders(const model::Listener& listener, ListenerConfig& config) {
  const auto& headers = listener.access_log_customized_headers_config;
  if (!headers || !headers->enable) {
    return;
  }
  config.log_headers_exclude =
      headers->include_headers.empty() && !headers->exclude_headers.empty();
  config.log_headers =
      config.log_headers_exclude ? headers->exclude_headers : headers->include_headers;
}

contract::TlsConfig Tls(const State& state, const model::Listener& listener) {
  contract::TlsConfig tls;
  StableHash generation;
  // What ends the resumption of sessions (data-plane.md 2.7): the policy, the CA, the server
  // certificates, and the names by which one of those is chosen.
  if (const auto* own = state.security_policies.Find(listener.security_policy_id)) {
    tls.protocols = own->protocols;
    tls.ciphers = ServerOrder(own->ciphers);
    for (const auto* names : {&tls.protocols, &tls.ciphers}) {
      for (const std::string& name : *names) {
        generation.Add(name);
      }
    }
  } else {
    if (const auto* policy = model::FindSystemPolicy(listener.tls_ciphers_policy)) {
      tls.protocols = policy->protocols;
      tls.ciphers = policy->ciphers;
    }
    generation.Add(listener.tls_ciphers_policy);
  }
  const auto add = [&](const std::string& id) -> const model::Certificate* {
    generation.Add(id);
    const model::Certificate* certificate = state.certificates.Find(id);
    if (certificate != nullptr) {
      generation.Add(certificate->certificate);
    }
    return certificate;
  };
  tls.default_certificate = CertificateId(listener.default_tls_container_ref);
  tls.client_ca = CertificateId(listener.client_ca_tls_container_ref);
  add(listener.default_tls_container_ref);
  add(listener.client_ca_tls_container_ref);
  for (const std::string& id : listener.sni_container_refs) {
    tls.sni_certificates.emplace_back(id);
    if (const model::Certificate* certificate = add(id)) {
      generation.Add(certificate->domain);
    }
  }
  tls.sni_match = listener.sni_match_algo == "longest_suffix" ? contract::SniMatch::kLongestSuffix
                                                              : contract::SniMatch::kWildcard;
  tls.http2 = listener.http2_enable;
  tls.tls_generation = generation.value();
  return tls;
}

std::shared_ptr<const ListenerConfig> MakeListener(const State& state, const NodeConfig& node,
                                                   const model::Listener& listener) {
  const model::LoadBalancer* balancer = state.load_balancers.Find(listener.loadbalancer_id);
  if (balancer == nullptr || !listener.is_l7()) {
    return nullptr;  // TCP and UDP listeners are not served yet.
  }
  auto config = std::make_shared<ListenerConfig>();
  config->id = ListenerId(listener.identity.id);
  config->load_balancer = FactsOf(state, *balancer);
  config->protocol =
      listener.is_https() ? contract::ListenerProtocol::kHttps : contract::ListenerProtocol::kHttp;
  config->port = static_cast<std::uint16_t>(listener.protocol_port);
  for (const auto& address : {config->load_balancer.vip, config->load_balancer.eip}) {
    if (address) {
      config->addresses.push_back(*address);
    }
  }
  if (listener.is_https()) {
    config->tls = Tls(state, listener);
  }
  ApplyAccess(listener, *config);
  ApplyExtensions(listener, *config);
  ApplyLogHeaders(listener, *config);
  config->default_pool = PoolId(listener.default_pool_id);
  config->policies = CompilePolicies(state, node, listener);
  config->insert_headers = InsertHeaders(listener);
  config->keepalive_timeout = std::chrono::seconds(listener.keepalive_timeout.value_or(60));
  config->client_timeout = std::chrono::seconds(listener.client_timeout.value_or(60));
  config->member_timeout = std::chrono::seconds(listener.member_timeout.value_or(60));
  config->member_retry = listener.enable_member_retry;
  config->connection_limit = listener.connection_limit;
  config->cps_limit = listener.cps_limit;
  config->request_body_bytes_max = static_cast<std::uint64_t>(
      std::min(listener.extensions.max_request_body, node.request_body_bytes_max));
  return config;
}

/// A number that changes with everything that probes depend on, and with nothing else: renaming a
/// health check must not reset its counters.
std::uint64_t EditOf(const model::HealthMonitor& monitor) {
  StableHash edit;
  for (const std::string* text : {&monitor.type, &monitor.domain_name, &monitor.url_path,
                                  &monitor.http_method, &monitor.expected_codes}) {
    edit.Add(*text);
  }
  for (const std::int64_t number : {monitor.delay, monitor.timeout, monitor.max_retries,
                                    monitor.max_retries_down, monitor.monitor_port.value_or(0)}) {
    edit.Add(number);
  }
  return edit.value();
}

contract::ProbeType ProbeTypeOf(std::string_view text) {
  if (text == "HTTP") {
    return contract::ProbeType::kHttp;
  }
  if (text == "HTTPS") {
    return contract::ProbeType::kHttps;
  }
  return text == "UDP_CONNECT" ? contract::ProbeType::kUdpConnect : contract::ProbeType::kTcp;
}

std::optional<contract::HealthMonitorConfig> Monitor(const State& state, const std::string& pool) {
  const Referrers& monitors = state.By(kMonitorsOfPool, pool);
  if (monitors.empty()) {
    return std::nullopt;
  }
  const model::HealthMonitor* monitor = state.monitors.Find(monitors.begin()->second);
  if (monitor == nullptr || !monitor->admin_state_up) {
    return std::nullopt;
  }
  contract::HealthMonitorConfig config;
  config.id = HealthMonitorId(monitor->identity.id);
  config.type = ProbeTypeOf(monitor->type);
  config.delay = std::chrono::seconds(monitor->delay);
  config.timeout = std::chrono::seconds(monitor->timeout);
  config.max_retries = static_cast<int>(monitor->max_retries);
  config.max_retries_down = static_cast<int>(monitor->max_retries_down);
  if (monitor->monitor_port) {
    config.port = static_cast<std::uint16_t>(*monitor->monitor_port);
  }
  config.domain_name = monitor->domain_name;
  config.url_path = monitor->url_path;
  config.http_method = monitor->http_method;
  config.expected_codes = monitor->expected_codes;
  config.revision = EditOf(*monitor);
  return config;
}

contract::MemberConfig MakeMember(const model::Member& member) {
  return {.id = MemberId(member.identity.id),
          .endpoint = {.address = IpAddress::Parse(member.address).value_or(IpAddress{}),
                       .port = static_cast<std::uint16_t>(member.protocol_port)},
          .weight = static_cast<std::uint32_t>(member.weight),
          .admin_up = member.admin_state_up,
          .ip_type = member.subnet_cidr_id.empty(),
          .registration = static_cast<std::uint64_t>(member.registration),
          .slow_start_at_registration = member.slow_start_at_registration};
}

contract::PoolProtocol ProtocolOf(const std::string& text) {
  if (text == "HTTPS") {
    return contract::PoolProtocol::kHttps;
  }
  if (text == "TCP") {
    return contract::PoolProtocol::kTcp;
  }
  if (text == "UDP") {
    return contract::PoolProtocol::kUdp;
  }
  return text == "QUIC" ? contract::PoolProtocol::kQuic : contract::PoolProtocol::kHttp;
}

contract::Algorithm AlgorithmOf(const std::string& text) {
  if (text == "LEAST_CONNECTIONS") {
    return contract::Algorithm::kLeastConnections;
  }
  if (text == "SOURCE_IP") {
    return contract::Algorithm::kSourceIp;
  }
  return text == "QUIC_CID" ? contract::Algorithm::kQuicCid : contract::Algorithm::kRoundRobin;
}

contract::Stickiness StickinessOf(std::string_view text) {
  if (text == "HTTP_COOKIE") {
    return contract::Stickiness::kLoadBalancerCookie;
  }
  return text == "APP_COOKIE" ? contract::Stickiness::kApplicationCookie
                              : contract::Stickiness::kSourceIp;
}

void ApplyPersistence(const model::Pool& pool, PoolConfig& config) {
  if (!pool.session_persistence) {
    return;
  }
  const model::SessionPersistence& persistence = *pool.session_persistence;
  config.stickiness = StickinessOf(persistence.type);
  config.stickiness_duration = std::chrono::minutes(persistence.persistence_timeout.value_or(1440));
  config.cookie_name = persistence.cookie_name;
}

std::shared_ptr<const PoolConfig> MakePool(const State& state, const model::Pool& pool) {
  auto config = std::make_shared<PoolConfig>();
  const std::string& id = pool.identity.id;
  config->id = PoolId(id);
  config->project = ProjectId(pool.identity.project_id);
  config->name = pool.name;
  config->protocol = ProtocolOf(pool.protocol);
  config->algorithm = AlgorithmOf(pool.lb_algorithm);
  ApplyPersistence(pool, *config);
  if (pool.slow_start && pool.slow_start->enable) {
    config->slow_start = std::chrono::seconds(pool.slow_start->duration);
  }
  if (pool.pool_health) {
    config->minimum_healthy = static_cast<int>(pool.pool_health->minimum_healthy_member_count);
  }
  config->monitor = Monitor(state, id);
  config->attached = !pool.loadbalancer_id.empty() || !state.By(kListenersOfPool, id).empty() ||
                     !state.By(kPoliciesOfPool, id).empty();
  if (const model::LoadBalancer* balancer = state.load_balancers.Find(pool.loadbalancer_id)) {
    config->kind = balancer->guaranteed ? contract::LoadBalancerKind::kDedicated
                                        : contract::LoadBalancerKind::kShared;
    config->probe_host =
        balancer->vip_address.empty() ? balancer->eip_address : balancer->vip_address;
    config->load_balancers.emplace_back(pool.loadbalancer_id);
  }
  for (const auto& [sequence, member_id] : state.By(kMembersOfPool, id)) {
    if (const model::Member* member = state.members.Find(member_id)) {
      config->members.push_back(MakeMember(*member));
    }
  }
  return config;
}

std::shared_ptr<const contract::CertificateConfig> MakeCertificate(
    const model::Certificate& certificate) {
  auto config = std::make_shared<contract::CertificateConfig>();
  config->id = CertificateId(certificate.identity.id);
  config->chain_pem = certificate.certificate;
  config->key_pem = certificate.type == "server" ? certificate.private_key : std::string();
  config->domains = certificate.Domains();
  return config;
}

std::shared_ptr<const contract::IpGroupConfig> MakeIpGroup(const model::IpGroup& group) {
  auto config = std::make_shared<contract::IpGroupConfig>();
  config->id = IpGroupId(group.identity.id);
  for (const model::IpEntry& entry : group.ip_list) {
    if (const auto prefix = IpPrefix::Parse(entry.ip)) {
      config->prefixes.push_back(*prefix);
    }
  }
  return config;
}

/// Puts `made` in place of what `map` holds for `id`; equal parts keep their pointers.
template <typename Map, typename Id, typename Pointer>
void Place(Map& map, const Id& id, Pointer made) {
  if (made == nullptr) {
    map.erase(id);
    return;
  }
  auto& slot = map[id];
  if (slot == nullptr || !(*slot == *made)) {
    slot = std::move(made);
  }
}

}  // namespace

std::shared_ptr<const ConfigSnapshot> Compiler::Compile(const State& state, const Dirty& dirty,
                                                        const ConfigSnapshot* base) const {
  auto next = base == nullptr ? std::make_shared<ConfigSnapshot>()
                              : std::make_shared<ConfigSnapshot>(*base);
  ++next->generation;
  next->connect_timeout = node_->connect_timeout;
  for (const std::string& id : dirty.certificates) {
    const model::Certificate* certificate = state.certificates.Find(id);
    Place(next->certificates, CertificateId(id),
          certificate == nullptr ? nullptr : MakeCertificate(*certificate));
  }
  for (const std::string& id : dirty.ip_groups) {
    const model::IpGroup* group = state.ip_groups.Find(id);
    Place(next->ip_groups, IpGroupId(id), group == nullptr ? nullptr : MakeIpGroup(*group));
  }
  for (const std::string& id : dirty.pools) {
    const model::Pool* pool = state.pools.Find(id);
    Place(next->pools, PoolId(id), pool == nullptr ? nullptr : MakePool(state, *pool));
  }
  for (const std::string& id : dirty.listeners) {
    const model::Listener* listener = state.listeners.Find(id);
    Place(next->listeners, ListenerId(id),
          listener == nullptr ? nullptr : MakeListener(state, *node_, *listener));
  }
  return next;
}

std::shared_ptr<const ConfigSnapshot> Compiler::CompileAll(const State& state) const {
  Dirty all;
  for (const auto& [sequence, listener] : state.listeners.in_order()) {
    all.listeners.insert(listener->identity.id);
  }
  for (const auto& [sequence, pool] : state.pools.in_order()) {
    all.pools.insert(pool->identity.id);
  }
  for (const auto& [sequence, certificate] : state.certificates.in_order()) {
    all.certificates.insert(certificate->identity.id);
  }
  for (const auto& [sequence, group] : state.ip_groups.in_order()) {
    all.ip_groups.insert(group->identity.id);
  }
  return Compile(state, all, nullptr);
}

}  // namespace elb::control
