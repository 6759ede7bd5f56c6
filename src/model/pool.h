#pragma once

#include <optional>
#include <string>

#include "model/common.h"

namespace elb::model {

/// Stickiness (api-v3.md 2.3). A request's object replaces the stored one by the rules there.
struct SessionPersistence {
  std::string type;
  std::string cookie_name;
  std::optional<std::int64_t> persistence_timeout;  ///< Minutes.
  friend bool operator==(const SessionPersistence&, const SessionPersistence&) = default;
};

struct SlowStart {
  bool enable = false;
  std::int64_t duration = 30;  ///< Seconds.
  friend bool operator==(const SlowStart&, const SlowStart&) = default;
};

struct PoolHealth {
  std::int64_t minimum_healthy_member_count = 0;  ///< 1: fail open.
  friend bool operator==(const PoolHealth&, const PoolHealth&) = default;
};

/// A group of servers that requests are spread over (api-v3.md 2.3).
struct Pool {
  Identity identity;
  std::string name;
  std::string description;
  std::string protocol;
  std::string lb_algorithm;
  std::string loadbalancer_id;  ///< Given, or that of the listener; may be empty.
  std::string listener_id;      ///< Only in create requests.
  bool admin_state_up = true;
  std::optional<SessionPersistence> session_persistence;
  std::optional<SlowStart> slow_start;
  std::optional<PoolHealth> pool_health;
  bool member_deletion_protection_enable = false;
  std::string vpc_id;
  std::string type;
  std::string protection_status = "nonProtection";
  std::string protection_reason;

  [[nodiscard]] bool is_l7() const { return protocol == "HTTP" || protocol == "HTTPS"; }
  friend bool operator==(const Pool&, const Pool&) = default;
};

[[nodiscard]] const Schema& PoolSchema();

/// Defaults and rules over several fields. `before` is null on create.
[[nodiscard]] Result<void> CheckPool(Pool& pool, const Pool* before, Kind kind, const Given& given);

}  // namespace elb::model
