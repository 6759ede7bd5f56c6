#pragma once

#include <string>

#include "model/common.h"

namespace elb::model {

/// Where the access log of a load balancer goes (api-v3.md 2.14).
struct Logtank {
  Identity identity;
  std::string loadbalancer_id;
  std::string log_group_id;
  std::string log_topic_id;
  friend bool operator==(const Logtank&, const Logtank&) = default;
};

[[nodiscard]] const Schema& LogtankSchema();

}  // namespace elb::model
