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
/// Objects of `project` that count against a quota: how many there are, or for a quota per object
/// the most that any has.
[[nodiscard]] std::size_t UsedOf(const State& state, const std::string& project,
                                 std::string_view key);

/// `[{"id": ...}]`
[[nodiscard]] Json IdList(const Referrers& referrers);
/// Adds id, project and times to a representation, and `extensions` (api-extensions.md 1.1).
void AddIdentity(const model::Identity& identity, Json& shown);

/// A reason goes with its protection (api-v3.md 2.1).
template <typename T>
void ClearUnusedReason(T& object) {
  if (object.protection_status == "nonProtection") {
    object.protection_reason.clear();
  }
}

/// Those objects as what stands in the way.
[[nodiscard]] std::vector<Blocker> ListenersInTheWay(const State& state,
                                                     const Referrers& listeners);

/// The kind of a pool's load balancer; dedicated without one (api-v3.md 2.19.1).
[[nodiscard]] model::Kind KindOfPool(const State& state, const model::Pool& pool);

/// A request's `project_id`, when given, must be the caller's.
[[nodiscard]] Result<void> CheckProject(const UseCase& use, const Json& body,
                                        const std::string& name);

/// Who is about to lead requests to a pool.
struct PoolUse {
  const model::Listener* listener = nullptr;
  std::string policy_id;  ///< Empty: the pool becomes the listener's default.
  std::string path;       ///< Is blamed.
};
/// May the pool be used so (api-v3.md 2.19.1, 2.19.2)?
[[nodiscard]] Result<void> CheckPoolUse(const State& state, const UseCase& use, const PoolUse& as,
                                        const std::string& pool_id);
/// A pool that has no load balancer yet takes that of the listener by which it is used.
void AdoptPool(Draft& draft, const model::Listener& listener, const std::string& pool_id);
/// Listeners that lead requests to the pool, by default or by a policy.
[[nodiscard]] Referrers ListenersUsing(const State& state, const std::string& pool_id);

/// Deletes a policy and its rules; a pool with its members and health check.
void RemovePolicy(Draft& draft, const std::string& id);
void RemovePool(Draft& draft, const std::string& id);

/// The subnet that a neutron id names; null when there is none.
[[nodiscard]] const SubnetConfig* FindSubnet(const NodeConfig& node, const std::string& id);

}  // namespace elb::control
