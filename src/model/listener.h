#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/common.h"
#include "model/listener_extensions.h"

namespace elb::model {

/// Binding of an IP address group (api-v3.md 2.2).
struct IpGroupBinding {
  std::string ipgroup_id;
  bool enable_ipgroup = true;
  std::string type = "white";
  friend bool operator==(const IpGroupBinding&, const IpGroupBinding&) = default;
};

/// One key of `insert_headers` that was ever set: a flag or a text.
struct InsertHeader {
  std::string key;
  bool is_flag = true;
  bool flag = false;
  std::string text;
  friend bool operator==(const InsertHeader&, const InsertHeader&) = default;
};

/// `access_log_customized_headers_config` (api-v3.md 2.2).
struct AccessLogHeaders {
  bool enable = false;
  std::vector<std::string> include_headers;
  std::vector<std::string> exclude_headers;
  friend bool operator==(const AccessLogHeaders&, const AccessLogHeaders&) = default;
};

/// Accepts client connections on one port of a load balancer (api-v3.md 2.2).
struct Listener {
  Identity identity;
  std::string loadbalancer_id;
  std::string name;
  std::string description;
  std::string protocol;
  std::int64_t protocol_port = 0;
  bool admin_state_up = true;
  std::string default_pool_id;
  std::string default_tls_container_ref;    ///< Server certificate; empty for HTTP.
  std::string client_ca_tls_container_ref;  ///< Set: mutual authentication.
  std::vector<std::string> sni_container_refs;
  std::string sni_match_algo;
  bool http2_enable = false;
  std::string tls_ciphers_policy;
  std::string security_policy_id;
  bool enable_member_retry = true;
  std::optional<std::int64_t> keepalive_timeout;
  std::optional<std::int64_t> client_timeout;
  std::optional<std::int64_t> member_timeout;
  std::optional<IpGroupBinding> ipgroup;
  std::vector<InsertHeader> insert_headers;  ///< What was ever set, in the table's order.
  std::optional<bool> transparent_client_ip_enable;
  bool enhance_l7policy_enable = false;
  std::vector<Tag> tags;
  std::string protection_status = "nonProtection";
  std::string protection_reason;
  std::int64_t connection_limit = -1;
  std::int64_t cps_limit = -1;
  std::optional<AccessLogHeaders> access_log_customized_headers_config;
  ListenerExtensions extensions;

  [[nodiscard]] bool is_l7() const {
    return protocol == "HTTP" || protocol == "HTTPS" || protocol == "TERMINATED_HTTPS";
  }
  [[nodiscard]] bool is_https() const {
    return protocol == "HTTPS" || protocol == "TERMINATED_HTTPS";
  }
  friend bool operator==(const Listener&, const Listener&) = default;
};

[[nodiscard]] const Schema& ListenerSchema();

/// Fills in the defaults that depend on protocol and kind (api-v3.md 2.2). Idempotent.
void FillDefaults(Listener& listener, Kind kind);

/// Rules over several fields of one listener; what needs other objects is `control`'s. `before`
/// is null on create. Errors: kInvalid, kMissing; kRestricted for what a shared load balancer does
/// not offer.
[[nodiscard]] Result<void> CheckListener(const Listener& listener, const Listener* before,
                                         Kind kind, const Given& given);

/// `insert_headers` as forms of its keys; `MergeInsertHeaders` and `WriteInsertHeaders` read and
/// write it for the table.
[[nodiscard]] const Schema& InsertHeadersSchema();
/// Keys given replace, others stay; null resets. Errors carry `path.<key>`.
[[nodiscard]] Result<void> MergeInsertHeaders(const Json& given, const std::string& path,
                                              Listener& listener);
/// Stored: what was ever set. Shown: on HTTP and HTTPS also the four that are always there.
void WriteInsertHeaders(const Listener& listener, Purpose purpose, Json& out);

}  // namespace elb::model
