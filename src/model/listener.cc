#include "model/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "model/catalogue.h"
#include "model/common_fields.h"

namespace elb::model {
namespace {

std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  for (const SystemPolicy& policy : SystemPolicies()) {
    names.emplace_back(policy.name);
  }
  return names;
}

const Schema& IpGroupBindingSchema() {
  using T = IpGroupBinding;
  static const Schema schema{"ipgroup",
                             {
                                 Field("ipgroup_id", &T::ipgroup_id)
                                     .Label("IP Address Group")
                                     .DefaultNote("none; in an update that of the present binding")
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("The IP address group."),
                                 Field("enable_ipgroup", &T::enable_ipgroup)
                                     .Label("Access Control")
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("False: bound, but without effect."),
                                 Field("type", &T::type)
                                     .Label("Access Policy")
                                     .OneOf({"white", "black"})
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("white: only listed sources; black: all but those."),
                             }};
  return schema;
}

const Schema& AccessLogHeadersSchema() {
  using T = AccessLogHeaders;
  static const Schema schema{"access_log_customized_headers_config",
                             {
                                 Field("enable", &T::enable)
                                     .Label("Log Header Fields")
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Whether the access log holds header fields. Needs a "
                                          "log of the load balancer."),
                                 Field("include_headers", &T::include_headers)
                                     .Label("Fields to Log")
                                     .Range(0, 5)
                                     .Pattern("[A-Za-z0-9_-]{1,40}")
                                     .OnNull(Null::kClear)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Request header fields to log."),
                                 Field("exclude_headers", &T::exclude_headers)
                                     .Label("Fields Not to Log")
                                     .Range(0, 5)
                                     .Pattern("[A-Za-z0-9_-]{1,40}")
                                     .OnNull(Null::kClear)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Request header fields not to log."),
                             }};
  return schema;
}

std::vector<FieldSpec> GeneralFields() {
  using T = Listener;
  return {
      Field("loadbalancer_id", &T::loadbalancer_id)
          .Label("Load Balancer")
          .Required()
          .Lives(Life::kHidden)
          .Set(Access::kCreate)
          .Doc("Load balancer of the listener; shown as loadbalancers."),
      NameField(&T::name, "listener"),
      DescriptionField(&T::description, "listener"),
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
      AlwaysUpField(&T::admin_state_up, Access::kCreateAndUpdate),
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
          .EmptyClears()
          .Set(Access::kCreateAndUpdate)
          .Doc("Access control: who may connect. {} unbinds too."),
      Field("transparent_client_ip_enable", &T::transparent_client_ip_enable)
          .Label("Transfer Client IP Address")
          .DefaultNote("true; false on TCP and UDP listeners of a shared load balancer")
          .Set(Access::kCreateAndUpdate)
          .Doc("Whether backend servers see the client's address. Only TCP and UDP listeners of a "
               "shared "
               "load balancer may say false."),
      Field("enhance_l7policy_enable", &T::enhance_l7policy_enable)
          .Label("Advanced Forwarding")
          .Set(Access::kCreateAndUpdate)
          .Doc("Forwarding policies with more conditions and actions, on HTTP and HTTPS listeners "
               "of a "
               "dedicated load balancer. Cannot be switched off."),
      TagsField(&T::tags),
  };
}

std::vector<FieldSpec> LimitFields() {
  using T = Listener;
  return {
      Field("connection_limit", &T::connection_limit)
          .Label("Connection Limit")
          .Range(-1, 1'000'000)
          .Set(Access::kCreateAndUpdate)
          .Doc("Concurrent client connections; -1: no limit, 0: none allowed."),
      Field("cps_limit", &T::cps_limit)
          .Label("New Connection Limit")
          .Range(-1, 1'000'000)
          .Set(Access::kCreateAndUpdate)
          .Extension()
          .Doc("New client connections per second; -1: no limit, 0: none allowed."),
      Field("access_log_customized_headers_config", &T::access_log_customized_headers_config,
            AccessLogHeadersSchema())
          .Label("Header Fields in the Log")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Header fields in the access log of HTTP and HTTPS listeners."),
      Field("insert_headers", &T::insert_headers, InsertHeadersSchema(), &MergeInsertHeaders,
            &WriteInsertHeaders)
          .Label("Transfer Header Fields")
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Header fields that tell backend servers about client and listener. Updates merge "
               "by key."),
      Field("extensions", &T::extensions, ListenerExtensionsSchema())
          .Label("Extensions")
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Extension()
          .Doc("What the product offers beyond the vendor's API."),
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
          .Doc("Certificate presented to clients that ask for no other name; mandatory for HTTPS."),
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
          .DefaultNote("wildcard on HTTPS, else null")
          .OneOf({"wildcard", "longest_suffix"})
          .OnNull(Null::kReset)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("wildcard: * stands for one label; longest_suffix: for several."),
      Field("http2_enable", &T::http2_enable)
          .Label("HTTP/2")
          .Set(Access::kCreateAndUpdate)
          .Doc("Offers HTTP/2 to clients of an HTTPS listener."),
      Field("tls_ciphers_policy", &T::tls_ciphers_policy)
          .Label("Security Policy")
          .DefaultNote("tls-1-0 on HTTPS, else null")
          .OneOf(PolicyNames())
          .OnNull(Null::kReset)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("TLS versions and cipher suites. A shared load balancer offers the first five."),
      Field("security_policy_id", &T::security_policy_id)
          .Label("Custom Security Policy")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Custom security policy of a dedicated HTTPS listener; overrides "
               "tls_ciphers_policy."),
  };
}

std::vector<FieldSpec> TimeoutFields() {
  using T = Listener;
  return {
      Field("enable_member_retry", &T::enable_member_retry)
          .Label("Retry")
          .Set(Access::kCreateAndUpdate)
          .Doc("Tries further backend servers when one cannot answer; HTTP and HTTPS."),
      Field("keepalive_timeout", &T::keepalive_timeout)
          .Label("Idle Timeout (s)")
          .DefaultNote("60 on HTTP and HTTPS, 300 on TCP and UDP")
          .Range(0, 4000)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc(
              "Seconds an idle connection is kept: 0 to 4000, on TCP and UDP 10 to 4000. 0: closed "
              "after each answer. Shared UDP listeners have none."),
      Field("client_timeout", &T::client_timeout)
          .Label("Request Timeout (s)")
          .DefaultNote("60 on HTTP and HTTPS, else null")
          .Range(1, 300)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds to wait for a request from the client."),
      Field("member_timeout", &T::member_timeout)
          .Label("Response Timeout (s)")
          .DefaultNote("60 on HTTP and HTTPS, else null")
          .Range(1, 300)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds to wait for a backend server's answer."),
  };
}

std::vector<FieldSpec> DerivedFields() {
  const auto unused = [](const char* name, const char* label) {
    return FieldSpec(Field::Derived(name, ValueType::kFlag).Label(label).Doc("Always false."));
  };
  return {
      Field::Derived("loadbalancers", ValueType::kObjectList, &ReferenceSchema())
          .Label("Load Balancer")
          .Doc("The load balancer of the listener."),
      Field::Derived("quic_config", ValueType::kText)
          .Label("QUIC")
          .NullWhenEmpty()
          .Doc("Always null."),
      unused("gzip_enable", "Compression"),
      unused("nat64_enable", "NAT64"),
      unused("proxy_protocol_enable", "PROXY Protocol"),
  };
}

Result<void> CheckLogHeaders(const AccessLogHeaders& headers) {
  static constexpr std::array kForbidden = {
      "host", "user-agent", "referer", "x-forwarded-for", "x-clienttraceid", "traceparent"};
  for (const auto& [field, names] : {std::pair{"include_headers", &headers.include_headers},
                                     std::pair{"exclude_headers", &headers.exclude_headers}}) {
    for (std::size_t i = 0; i < names->size(); ++i) {
      std::string lower = (*names)[i];
      std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
        return static_cast<char>(std::tolower(letter));
      });
      if (std::ranges::find(kForbidden, lower) != kForbidden.end()) {
        return Invalid(
            fmt::format("listener.access_log_customized_headers_config.{}[{}]", field, i),
            fmt::format("{} cannot be chosen here", (*names)[i]));
      }
    }
  }
  return {};
}

Result<void> CheckForwarding(const Listener& listener, const Listener* before, Kind kind) {
  if (before != nullptr && before->enhance_l7policy_enable && !listener.enhance_l7policy_enable) {
    return Invalid("listener.enhance_l7policy_enable",
                   "advanced forwarding cannot be switched off");
  }
  if (listener.enhance_l7policy_enable && kind == Kind::kShared) {
    return Failure(ErrorKind::kRestricted, "listener.enhance_l7policy_enable",
                   "advanced forwarding needs a dedicated load balancer");
  }
  if (listener.enhance_l7policy_enable && !listener.is_l7()) {
    return Invalid("listener.enhance_l7policy_enable",
                   "advanced forwarding is for HTTP and HTTPS listeners");
  }
  return {};
}

Result<void> CheckTls(const Listener& listener, Kind kind, const Given& given) {
  if (listener.is_https()) {
    if (listener.default_tls_container_ref.empty()) {
      const auto kind_of =
          WasGiven(given, "default_tls_container_ref") ? ErrorKind::kInvalid : ErrorKind::kMissing;
      return Failure(kind_of, "listener.default_tls_container_ref",
                     "an HTTPS listener needs a server certificate");
    }
    if (kind == Kind::kShared && !IsOfferedOnShared(listener.tls_ciphers_policy)) {
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
  using T = Listener;
  static const Schema schema{
      "listener",
      Concat({IdentityFields(), GeneralFields(), LimitFields(), TlsFields(), TimeoutFields(),
              ProtectionFields(&T::protection_status, &T::protection_reason), DerivedFields()})};
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

Result<void> CheckListener(const Listener& listener, const Listener* before, Kind kind,
                           const Given& given) {
  if (!listener.admin_state_up) {
    return Invalid("listener.admin_state_up", "admin_state_up must be true");
  }
  if (listener.protocol == "UDP" && listener.protocol_port == 4789) {
    return Invalid("listener.protocol_port", "UDP port 4789 is reserved");
  }
  if (!listener.is_l7() && listener.keepalive_timeout && *listener.keepalive_timeout < 10) {
    return Invalid("listener.keepalive_timeout", "keepalive_timeout must be 10 to 4000");
  }
  ELB_RETURN_IF_ERROR(CheckForwarding(listener, before, kind));
  if (listener.ipgroup && listener.ipgroup->ipgroup_id.empty()) {
    return Missing("listener.ipgroup.ipgroup_id", "ipgroup_id is mandatory");
  }
  ELB_RETURN_IF_ERROR(CheckTags(listener.tags, "listener.tags"));
  if (const auto& headers = listener.access_log_customized_headers_config) {
    if (headers->enable && !listener.is_l7()) {
      return Invalid("listener.access_log_customized_headers_config.enable",
                     "only HTTP and HTTPS listeners log header fields");
    }
    ELB_RETURN_IF_ERROR(CheckLogHeaders(*headers));
  }
  ELB_RETURN_IF_ERROR(CheckTransparency(listener, kind));
  ELB_RETURN_IF_ERROR(CheckListenerExtensions(listener.extensions, listener.protocol));
  return CheckTls(listener, kind, given);
}

}  // namespace elb::model
