#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/common.h"
#include "model/l7_rule.h"

namespace elb::model {

/// One target of `redirect_pools_config`.
struct WeightedPool {
  std::string pool_id;
  std::int64_t weight = 0;
  bool weight_is_text = false;  ///< Sent as a decimal string, so shown as one.
  friend bool operator==(const WeightedPool&, const WeightedPool&) = default;
};

/// `redirect_url_config`: parts default to those of the request.
struct RedirectUrl {
  std::string protocol = "${protocol}";
  std::string host = "${host}";
  std::string port = "${port}";
  std::string path = "${path}";
  std::string query = "${query}";
  std::string status_code;
  friend bool operator==(const RedirectUrl&, const RedirectUrl&) = default;
};

/// `fixed_response_config`.
struct FixedResponse {
  std::string status_code;
  std::string content_type = "text/plain";
  std::string message_body;
  friend bool operator==(const FixedResponse&, const FixedResponse&) = default;
};

/// Takes the requests that fit its rules away from a listener's default pool (api-v3.md 2.9).
struct L7Policy {
  Identity identity;
  std::string listener_id;
  std::string action;
  std::string name;
  std::string description;
  bool admin_state_up = true;
  std::int64_t position = 100;
  std::optional<std::int64_t> priority;  ///< Advanced forwarding only.
  std::string redirect_pool_id;
  std::vector<WeightedPool> redirect_pools_config;  ///< Wins over redirect_pool_id.
  std::string redirect_listener_id;
  std::string redirect_url;  ///< Stored only.
  std::optional<RedirectUrl> redirect_url_config;
  std::optional<FixedResponse> fixed_response_config;
  std::vector<L7Rule> rules;  ///< Only in requests: replaces all.
  friend bool operator==(const L7Policy&, const L7Policy&) = default;
  /// Every pool that the policy names, each one once.
  [[nodiscard]] std::vector<std::string> PoolIds() const;
};

[[nodiscard]] const Schema& L7PolicySchema();

/// Rules over several fields of one policy, with the rules given inline. Fills in what follows
/// from the action: REDIRECT_TO_LISTENER has priority 0 with advanced forwarding, and without it
/// there is none. A priority that is absent then is `control`'s to choose. Errors: kInvalid,
/// kMissing, kConflict, kQuota; kRestricted on shared load balancers.
[[nodiscard]] Result<void> CheckL7Policy(L7Policy& policy, const ForwardingTraits& traits,
                                         std::int64_t conditions_max);

/// Reads `redirect_pools_config`, whose weights are numbers or decimal strings. For the table.
[[nodiscard]] Result<void> ReadWeightedPools(const Json& value, const std::string& path,
                                             L7Policy& policy);
/// Each weight in the JSON type in which it was sent.
void WriteWeightedPools(const L7Policy& policy, Purpose purpose, Json& out);

}  // namespace elb::model
