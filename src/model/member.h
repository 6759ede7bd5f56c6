#pragma once

#include <string>

#include "model/common.h"

namespace elb::model {

/// One backend server of a pool (api-v3.md 2.4).
struct Member {
  Identity identity;
  std::string pool_id;
  std::string name;
  std::string address;
  std::int64_t protocol_port = 0;
  std::int64_t weight = 1;
  bool admin_state_up = true;
  std::string subnet_cidr_id;  ///< Empty: an IP-type member.
  std::string availability_zone;
  std::int64_t registration = 0;  ///< Number of the call that registered it.
  bool slow_start_at_registration = false;
  friend bool operator==(const Member&, const Member&) = default;
};

[[nodiscard]] const Schema& MemberSchema();
/// What is stored besides the table's fields.
[[nodiscard]] const Schema& MemberInternalSchema();

}  // namespace elb::model
