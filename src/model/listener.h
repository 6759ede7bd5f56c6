#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/common.h"

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

/// `extensions.request_id` (api-extensions.md 10.2).
struct RequestIdSettings {
  std::string mode = "off";
  std::string header = "X-Request-Id";
  std::string format = "hex";
  bool response = true;
  std::string trusted_ipgroup_id;
  friend bool operator==(const RequestIdSettings&, const RequestIdSettings&) = default;
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
  std::vector<InsertHeader> insert_headers;  ///< Apart from the table: merged by key.
  std::optional<bool> transparent_client_ip_enable;
  bool enhance_l7policy_enable = false;
  std::vector<Tag> tags;
  std::string protection_status = "nonProtection";
  std::string protection_reason;
  std::int64_t connection_limit = -1;
  std::int64_t cps_limit = -1;
  std::int64_t max_request_body = 10'737'418'240;  ///< In `extensions`.

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

/// Rules over several fields of one listener; what needs other objects is `control`'s.
[[nodiscard]] Result<void> CheckListener(const Listener& listener, Kind kind, const Given& given);

/// Merges `insert_headers` of a request: keys given replace, others stay; null resets.
[[nodiscard]] Result<void> MergeInsertHeaders(const Json& given, Listener& listener);
[[nodiscard]] Json ShowInsertHeaders(const Listener& listener);

}  // namespace elb::model
