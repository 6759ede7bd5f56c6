#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// TLS versions and cipher suites of a project's own (api-v3.md 2.8). The system's policies are in
/// the catalogue.
struct SecurityPolicy {
  Identity identity;
  std::string name;
  std::string description;
  std::vector<std::string> protocols;  ///< In the order sent.
  std::vector<std::string> ciphers;    ///< In the order sent; names follow OpenSSL.
  friend bool operator==(const SecurityPolicy&, const SecurityPolicy&) = default;
};

[[nodiscard]] const Schema& SecurityPolicySchema();
/// One item of `system-security-policies`: only shown.
[[nodiscard]] const Schema& SystemSecurityPolicySchema();

/// Can `cipher` be negotiated with one of `protocols`?
[[nodiscard]] bool IsUsable(std::string_view cipher, const std::vector<std::string>& protocols);

/// Errors: kInvalid when no cipher can be used with the protocols chosen.
[[nodiscard]] Result<void> CheckSecurityPolicy(const SecurityPolicy& policy);

}  // namespace elb::model
