#pragma once

#include <optional>
#include <string>

#include "model/common.h"

namespace elb::model {

/// The health check of a pool (api-v3.md 2.5).
struct HealthMonitor {
  Identity identity;
  std::string pool_id;
  std::string name;
  std::string type;
  std::int64_t delay = 5;
  std::int64_t timeout = 3;
  std::int64_t max_retries = 3;
  std::int64_t max_retries_down = 3;
  std::optional<std::int64_t> monitor_port;
  std::string domain_name;
  std::string url_path = "/";
  std::string http_method = "GET";
  std::string expected_codes = "200";
  std::string http_version;
  bool admin_state_up = true;
  bool content_check_enable = false;
  std::string send_content;
  std::string receive_content;
  std::string content_format = "TEXT";
  friend bool operator==(const HealthMonitor&, const HealthMonitor&) = default;
};

[[nodiscard]] const Schema& HealthMonitorSchema();
[[nodiscard]] Result<void> CheckHealthMonitor(const HealthMonitor& monitor);

}  // namespace elb::model
