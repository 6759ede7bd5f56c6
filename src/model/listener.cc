#include "model/listener.h"

#include <fmt/format.h>

#include <algorithm>

namespace elb::model {
namespace {

const Schema& IpGroupBindingSchema() {
  using T = IpGroupBinding;
  static const Schema schema{"ipgroup",
                             {
                                 Field("ipgroup_id", &T::ipgroup_id)
                                     .Label("IP Address Group")
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("The IP address group."),
                                 Field("enable_ipgroup", &T::enable_ipgroup)
                                     .Label("Access Control")
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("False: bound without effect."),
                                 Field("type", &T::type)
                                     .Label("Access Policy")
                                     .OneOf({"white", "black"})
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("white: only listed sources; black: all but those."),
                             }};
  return schema;
}

std::vector<FieldSpec> GeneralFields() {
  using T = Listener;
  return {
      Field("loadbalancer_id", &T::loadbalancer_id)
          .Label("Load Balancer")
          .Required()
          .Set(Access::kCreate)
          .Doc("Load balancer of the listener."),
      Field("name", &T::name)
          .Label("Name")
          .Range(0, kTextMax)
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Name of the listener."),
      Field("description", &T::description)
          .Label("Description")
          .Range(0, kTextMax)
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Supplementary information about the listener."),
      Field("protocol", &T::protocol)
          .Label("Frontend Protocol")
          .OneOf({"TCP", "UDP", "HTTP", "HTTPS", "TERMINATED_HTTPS"})
          .Required()
          .Set(Access::kCreate)
          .Doc("Protocol in which the listener receives requests."),
      Field("protocol_port", &T::protocol_port)
          .Label("Frontend Port")
          .Range(1, 65535)
          .Required()
          .Set(Access::kCreate)
          .Doc("Port on which the listener receives requests from clients."),
      Field("admin_state_up", &T::admin_state_up)
          .Label("Enabled")
          .Set(Access::kCreateAndUpdate)
          .Doc("Only true is accepted."),
      Field("default_pool_id", &T::default_pool_id)
          .Label("Backend Server Group")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Backend server group of requests that no forwarding policy takes."),
      Field("ipgroup", &T::ipgroup, IpGroupBindingSchema())
          .Label("Access Policy")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Who may connect."),
      Field("transparent_client_ip_enable", &T::transparent_client_ip_enable)
          .Label("Transfer Client IP Address")
          .Set(Access::kCreateAndUpdate)
          .Doc("Whether members see the client's address."),
      Field("enhance_l7policy_enable", &T::enhance_l7policy_enable)
          .Label("Advanced Forwarding")
          .Set(Access::kCreateAndUpdate)
          .Doc("Forwarding policies with more conditions and actions. Cannot be switched off."),
      Field("tags", &T::tags, TagSchema())
          .Label("Tag")
          .Range(0, 20)
          .OnNull(Null::kClear)
          .Set(Access::kCreate)
          .Doc("Tags; later changes go through the tag calls."),
      Field("protection_status", &T::protection_status)
          .Label("Modification Protection")
          .OneOf({"nonProtection", "consoleProtection"})
          .Set(Access::kCreateAndUpdate)
          .Doc("Informational."),
      Field("protection_reason", &T::protection_reason)
          .Label("Protection Reason")
          .Range(0, kTextMax)
          .Pattern("[^<>]*")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Why the object is protected."),
      Field("connection_limit", &T::connection_limit)
          .Label("Connection Limit")
          .Range(-1, 1'000'000)
          .Set(Access::kCreateAndUpdate)
          .Doc("Concurrent client connections; -1: no limit."),
      Field("cps_limit", &T::cps_limit)
          .Label("New Connection Limit")
          .Range(-1, 1'000'000)
          .Set(Access::kCreateAndUpdate)
          .Doc("New client connections per second; -1: no limit."),
  };
}

std::vector<FieldSpec> TlsFields() {
  using T = Listener;
  return {
      Field("default_tls_container_ref", &T::default_tls_container_ref)
          .Label("Server Certificate")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Certificate presented to clients that ask for no other name."),
      Field("client_ca_tls_container_ref", &T::client_ca_tls_container_ref)
          .Label("CA Certificate")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("CA whose clients may connect: mutual authentication. None: one-way."),
      Field("sni_container_refs", &T::sni_container_refs)
          .Label("SNI Certificate")
          .Range(0, 30)
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Certificates chosen by the server name that a client asks for."),
      Field("sni_match_algo", &T::sni_match_algo)
          .Label("SNI Matching")
          .OneOf({"wildcard", "longest_suffix"})
          .OnNull(Null::kReset)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Whether * stands for one label or for several."),
      Field("http2_enable", &T::http2_enable)
          .Label("HTTP/2")
          .Set(Access::kCreateAndUpdate)
          .Doc("Offers HTTP/2 to clients of an HTTPS listener."),
      Field("tls_ciphers_policy", &T::tls_ciphers_policy)
          .Label("Security Policy")
          .OneOf({"tls-1-0-inherit", "tls-1-0", "tls-1-1", "tls-1-2", "tls-1-2-strict",
                  "tls-1-2-fs", "tls-1-0-with-1-3", "tls-1-2-fs-with-1-3", "hybrid-policy-1-0",
                  "tls-1-2-strict-no-cbc"})
          .OnNull(Null::kReset)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("TLS versions and cipher suites."),
      Field("security_policy_id", &T::security_policy_id)
          .Label("Custom Security Policy")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Custom security policy; overrides tls_ciphers_policy."),
  };
}

std::vector<FieldSpec> TimeoutFields() {
  using T = Listener;
  return {
      Field("enable_member_retry", &T::enable_member_retry)
          .Label("Retry")
          .Set(Access::kCreateAndUpdate)
          .Doc("Tries further backend servers when one cannot answer."),
      Field("keepalive_timeout", &T::keepalive_timeout)
          .Label("Idle Timeout")
          .Range(0, 4000)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds an idle connection is kept. 0: closed after each answer."),
      Field("client_timeout", &T::client_timeout)
          .Label("Request Timeout")
          .Range(1, 300)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds to wait for a request from the client."),
      Field("member_timeout", &T::member_timeout)
          .Label("Response Timeout")
          .Range(1, 300)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds to wait for a backend server's answer."),
  };
}

std::vector<FieldSpec> AllFields() {
  std::vector<FieldSpec> all = GeneralFields();
  for (auto* more : {&TlsFields, &TimeoutFields}) {
    for (FieldSpec& field : more()) {
      all.push_back(std::move(field));
    }
  }
  return all;
}

bool IsSharedPolicy(const std::string& policy) {
  return policy == "tls-1-0-inherit" || policy == "tls-1-0" || policy == "tls-1-1" ||
         policy == "tls-1-2" || policy == "tls-1-2-strict";
}

Result<void> CheckTls(const Listener& listener, Kind kind, const Given& given) {
  if (listener.is_https()) {
    if (listener.default_tls_container_ref.empty()) {
      const auto kind_of =
          WasGiven(given, "default_tls_container_ref") ? ErrorKind::kInvalid : ErrorKind::kMissing;
      return Failure(kind_of, "listener.default_tls_container_ref",
                     "an HTTPS listener needs a server certificate");
    }
    if (kind == Kind::kShared && !IsSharedPolicy(listener.tls_ciphers_policy)) {
      return Failure(ErrorKind::kRestricted, "listener.tls_ciphers_policy",
                     "a shared load balancer does not offer this security policy");
    }
    if (kind == Kind::kShared && !listener.security_policy_id.empty()) {
      return Failure(ErrorKind::kRestricted, "listener.security_policy_id",
                     "custom security policies need a dedicated load balancer");
    }
    return {};
  }
  for (const auto& [field, value] :
       {std::pair{"default_tls_container_ref", &listener.default_tls_container_ref},
        std::pair{"client_ca_tls_container_ref", &listener.client_ca_tls_container_ref},
        std::pair{"security_policy_id", &listener.security_policy_id}}) {
    if (!value->empty()) {
      return Invalid(fmt::format("listener.{}", field),
                     fmt::format("{} is for HTTPS listeners only", field));
    }
  }
  if (!listener.sni_container_refs.empty()) {
    return Invalid("listener.sni_container_refs", "sni_container_refs is for HTTPS listeners only");
  }
  return {};
}

Result<void> CheckTransparency(const Listener& listener, Kind kind) {
  const bool optional = kind == Kind::kShared && !listener.is_l7();
  if (!optional && listener.transparent_client_ip_enable == false) {
    return Invalid("listener.transparent_client_ip_enable",
                   "transparent_client_ip_enable cannot be switched off here");
  }
  return {};
}

}  // namespace

const Schema& ListenerSchema() {
  static const Schema schema{"listener", AllFields()};
  return schema;
}

void FillDefaults(Listener& listener, Kind kind) {
  if (kind == Kind::kShared && listener.protocol == "HTTPS") {
    listener.protocol = "TERMINATED_HTTPS";
  } else if (kind == Kind::kDedicated && listener.protocol == "TERMINATED_HTTPS") {
    listener.protocol = "HTTPS";
  }
  if (listener.is_https()) {
    if (listener.tls_ciphers_policy.empty()) {
      listener.tls_ciphers_policy = "tls-1-0";
    }
    if (listener.sni_match_algo.empty()) {
      listener.sni_match_algo = "wildcard";
    }
  } else {
    listener.tls_ciphers_policy.clear();
  }
  if (listener.is_l7()) {
    listener.keepalive_timeout = listener.keepalive_timeout.value_or(60);
    listener.client_timeout = listener.client_timeout.value_or(60);
    listener.member_timeout = listener.member_timeout.value_or(60);
  } else {
    listener.client_timeout.reset();
    listener.member_timeout.reset();
    if (kind == Kind::kShared && listener.protocol == "UDP") {
      listener.keepalive_timeout.reset();
    } else {
      listener.keepalive_timeout = listener.keepalive_timeout.value_or(300);
    }
  }
  if (!listener.transparent_client_ip_enable) {
    listener.transparent_client_ip_enable = kind == Kind::kDedicated || listener.is_l7();
  }
}

Result<void> CheckListener(const Listener& listener, Kind kind, const Given& given) {
  if (!listener.admin_state_up) {
    return Invalid("listener.admin_state_up", "admin_state_up must be true");
  }
  if (listener.protocol == "UDP" && listener.protocol_port == 4789) {
    return Invalid("listener.protocol_port", "UDP port 4789 is reserved");
  }
  if (!listener.is_l7() && listener.keepalive_timeout && *listener.keepalive_timeout < 10) {
    return Invalid("listener.keepalive_timeout", "keepalive_timeout must be 10 to 4000");
  }
  if (listener.enhance_l7policy_enable && kind == Kind::kShared) {
    return Failure(ErrorKind::kRestricted, "listener.enhance_l7policy_enable",
                   "advanced forwarding needs a dedicated load balancer");
  }
  if (listener.enhance_l7policy_enable && !listener.is_l7()) {
    return Invalid("listener.enhance_l7policy_enable",
                   "advanced forwarding is for HTTP and HTTPS listeners");
  }
  if (listener.ipgroup && listener.ipgroup->ipgroup_id.empty()) {
    return Invalid("listener.ipgroup.ipgroup_id", "ipgroup_id is mandatory");
  }
  ELB_RETURN_IF_ERROR(CheckTransparency(listener, kind));
  return CheckTls(listener, kind, given);
}

}  // namespace elb::model
