#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/services.h"

namespace elb::control {

/// The object `id` of the caller's project, or an error of kind `missing` at `path`: the call's own
/// object (kNotFound) or one that its body names (kReferenceNotFound).
template <typename T>
[[nodiscard]] Result<std::shared_ptr<const T>> Require(const State& state, const UseCase& use,
                                                       const std::string& id,
                                                       const std::string& path, ErrorKind missing);

/// 409 with what stands in the way (api-extensions.md 1.5).
[[nodiscard]] std::unexpected<Error> Blocked(std::string message, std::vector<Blocker> blockers);

/// A quota of the node (api-v3.md 2.13); -1: unlimited.
[[nodiscard]] std::int64_t QuotaOf(const NodeConfig& node, std::string_view key);
/// kQuota when `used` objects leave no room for another.
[[nodiscard]] Result<void> CheckQuota(const NodeConfig& node, std::string_view key,
                                      std::size_t used);

/// Number of the project's objects in `table`.
template <typename T>
[[nodiscard]] std::size_t CountIn(const Table<T>& table, const std::string& project) {
  std::size_t count = 0;
  for (const auto& [sequence, object] : table.in_order()) {
    count += object->identity.project_id == project ? 1 : 0;
  }
  return count;
}

/// `[{"id": ...}]`
[[nodiscard]] Json IdList(const Referrers& referrers);
/// Adds id, project and times to a representation, and `extensions` (api-extensions.md 1.1).
void AddIdentity(const model::Identity& identity, Json& shown);

/// The kind of a pool's load balancer; dedicated without one (api-v3.md 2.19.1).
[[nodiscard]] model::Kind KindOfPool(const State& state, const model::Pool& pool);

/// A request's `project_id`, when given, must be the caller's.
[[nodiscard]] Result<void> CheckProject(const UseCase& use, const Json& body,
                                        const std::string& name);

/// Binds a pool to a listener as its default (api-v3.md 2.19.1, 2.19.2). `path` is blamed.
[[nodiscard]] Result<void> CheckDefaultPool(const State& state, const UseCase& use,
                                            const model::Listener& listener,
                                            const std::string& pool_id, const std::string& path);

/// The subnet that a neutron id names; null when there is none.
[[nodiscard]] const SubnetConfig* FindSubnet(const NodeConfig& node, const std::string& id);

}  // namespace elb::control
