#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// A system security policy (api-v3.md appendix A).
struct SystemPolicy {
  std::string_view name;
  std::vector<std::string> protocols;  ///< Newest first.
  std::vector<std::string> ciphers;    ///< Server order.
};
[[nodiscard]] const std::vector<SystemPolicy>& SystemPolicies();
/// Null when there is none of that name.
[[nodiscard]] const SystemPolicy* FindSystemPolicy(std::string_view name);

/// May listeners of shared load balancers use that policy?
[[nodiscard]] bool IsOfferedOnShared(std::string_view system_policy);

/// A specification of the catalogue (api-v3.md appendix B). Numbers are 0 where the table has none.
struct Flavor {
  std::string_view id;
  std::string_view name;
  std::string_view type;
  std::int64_t connection;
  std::int64_t cps;
  std::int64_t https_cps;
  std::int64_t qps;
  std::int64_t bandwidth;
  std::int64_t lcu;
};
[[nodiscard]] std::span<const Flavor> Flavors();
[[nodiscard]] const Flavor* FindFlavor(std::string_view id);
inline constexpr std::string_view kDefaultL4Flavor = "L4_flavor.elb.s1.medium";
inline constexpr std::string_view kDefaultL7Flavor = "L7_flavor.elb.s1.medium";

struct QuotaDefault {
  std::string_view key;
  std::int64_t limit;
};
[[nodiscard]] std::span<const QuotaDefault> QuotaDefaults();

/// May a listener of this protocol use a pool of that one (api-v3.md 2.19.1)?
[[nodiscard]] bool PoolFitsListener(std::string_view listener, std::string_view pool, Kind kind);
/// May a pool of this protocol have a health check of that type?
[[nodiscard]] bool MonitorFitsPool(std::string_view monitor, std::string_view pool, Kind kind);

}  // namespace elb::model
