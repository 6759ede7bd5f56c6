#pragma once

#include <string>
#include <vector>

#include "tls/server_context.h"

namespace elb::tls::testing {

struct NamedPolicy {
  std::string name;
  PolicySpec spec;
};

/// The system security policies of data-plane.md 2.1.
[[nodiscard]] const std::vector<NamedPolicy>& SystemPolicies();
[[nodiscard]] const PolicySpec& SystemPolicy(const std::string& name);
/// All suites of the policies: INH33 and T5.
[[nodiscard]] std::vector<std::string> AllSuites();

}  // namespace elb::tls::testing
