#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "contract/data_plane.h"
#include "control/draft.h"
#include "control/node_config.h"
#include "control/state.h"

namespace elb::control {

using model::Json;

enum class DeleteMode : std::uint8_t {
  kPlain,
  kForce,            ///< With what belongs to it: load balancers, listeners, pools.
  kForceAndRelease,  ///< Likewise, and the public address of a load balancer is given back.
};

/// Who calls, as authentication found out.
struct Caller {
  std::string project;
  std::string user_id;
  std::string user_name;
  std::string method = "token";
  std::string address;
  std::string user_agent;
  std::string comment;          ///< `X-Elb-Comment`, kept in the revision.
  std::string origin = "call";  ///< Of the revision (api-extensions.md 4.1).
  bool sees_private_keys = true;
};

/// What a use case needs besides the draft.
struct UseCase {
  const NodeConfig* node = nullptr;
  const Caller* caller = nullptr;
  bool shared = false;  ///< Set as soon as a shared load balancer is known to be concerned.
};

/// Live state shown in representations.
struct LiveState {
  const contract::DataPlane* data_plane = nullptr;
};

// Each resource has the same five: create (returns the id), update, delete, show, and who may see
// it. Errors carry paths in the request's words. References are checked within the caller's
// project.

[[nodiscard]] Result<std::string> CreateLoadBalancer(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateLoadBalancer(Draft& draft, UseCase& use, const std::string& id,
                                              const Json& body);
[[nodiscard]] Result<void> DeleteLoadBalancer(Draft& draft, UseCase& use, const std::string& id);
/// With everything beneath it, and with kForceAndRelease its public address.
[[nodiscard]] Result<void> ForceDeleteLoadBalancer(Draft& draft, UseCase& use,
                                                   const std::string& id, DeleteMode mode);
[[nodiscard]] Json ShowLoadBalancer(const State& state, const model::LoadBalancer& balancer);

[[nodiscard]] Result<std::string> CreateListener(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateListener(Draft& draft, UseCase& use, const std::string& id,
                                          const Json& body);
[[nodiscard]] Result<void> DeleteListener(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Result<void> ForceDeleteListener(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowListener(const State& state, const model::Listener& listener);

[[nodiscard]] Result<std::string> CreatePool(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdatePool(Draft& draft, UseCase& use, const std::string& id,
                                      const Json& body);
[[nodiscard]] Result<void> DeletePool(Draft& draft, UseCase& use, const std::string& id);
/// With its members and health monitor; policies still stand in the way (api-v3.md 2.18).
[[nodiscard]] Result<void> ForceDeletePool(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowPool(const State& state, const model::Pool& pool);

[[nodiscard]] Result<std::string> CreateMember(Draft& draft, UseCase& use,
                                               const std::string& pool_id, const Json& body);
[[nodiscard]] Result<void> UpdateMember(Draft& draft, UseCase& use, const std::string& id,
                                        const Json& body);
// Several members of one pool in one call (api-v3.md 2.18): `list` is that of the body, the answer
// `[{"id", "ret_status"}]`. New members have one registration number; those that are there already
// stay as they are.
[[nodiscard]] Result<Json> AddMembers(Draft& draft, UseCase& use, const std::string& pool_id,
                                      const Json& list);
[[nodiscard]] Result<Json> UpdateMembers(Draft& draft, UseCase& use, const std::string& pool_id,
                                         const Json& list);
[[nodiscard]] Result<Json> RemoveMembers(Draft& draft, UseCase& use, const std::string& pool_id,
                                         const Json& list);
[[nodiscard]] Result<void> DeleteMember(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowMember(const State& state, const LiveState& live,
                              const model::Member& member);
/// Status as members, trees and filters show it.
[[nodiscard]] std::string MemberStatusText(const State& state, const LiveState& live,
                                           const model::Member& member);

[[nodiscard]] Result<std::string> CreateHealthMonitor(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateHealthMonitor(Draft& draft, UseCase& use, const std::string& id,
                                               const Json& body);
[[nodiscard]] Result<void> DeleteHealthMonitor(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowHealthMonitor(const model::HealthMonitor& monitor);

[[nodiscard]] Result<std::string> CreateCertificate(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateCertificate(Draft& draft, UseCase& use, const std::string& id,
                                             const Json& body);
[[nodiscard]] Result<void> DeleteCertificate(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowCertificate(const model::Certificate& certificate, const Caller& caller);

[[nodiscard]] Result<std::string> CreateIpGroup(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateIpGroup(Draft& draft, UseCase& use, const std::string& id,
                                         const Json& body);
/// `iplist/create-or-update`: entries given replace those of the same network or are appended.
[[nodiscard]] Result<void> AddToIpGroup(Draft& draft, UseCase& use, const std::string& id,
                                        const Json& body);
/// `iplist/batch-delete`: entries of the networks given go; others are not looked for.
[[nodiscard]] Result<void> RemoveFromIpGroup(Draft& draft, UseCase& use, const std::string& id,
                                             const Json& body);
[[nodiscard]] Result<void> DeleteIpGroup(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowIpGroup(const State& state, const model::IpGroup& group);
/// `ipgroups/{id}/related-listeners`: what each of them is, in short.
[[nodiscard]] Json ShowListenersOfIpGroup(const State& state, const std::string& id);

[[nodiscard]] Result<std::string> CreateSecurityPolicy(Draft& draft, UseCase& use,
                                                       const Json& body);
[[nodiscard]] Result<void> UpdateSecurityPolicy(Draft& draft, UseCase& use, const std::string& id,
                                                const Json& body);
[[nodiscard]] Result<void> DeleteSecurityPolicy(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowSecurityPolicy(const State& state, const model::SecurityPolicy& policy);

[[nodiscard]] Result<std::string> CreateLogtank(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateLogtank(Draft& draft, UseCase& use, const std::string& id,
                                         const Json& body);
[[nodiscard]] Result<void> DeleteLogtank(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowLogtank(const model::Logtank& logtank);

/// Whose tags.
enum class TagOwner : std::uint8_t { kLoadBalancer, kListener };
/// Adds tags, or overwrites the values of known keys in their place (api-v3.md 2.15). Errors:
/// kNotFound, kInvalid.
[[nodiscard]] Result<void> PutTags(Draft& draft, UseCase& use, TagOwner owner,
                                   const std::string& id, const Json& body);
/// Removes tags by key; unknown ones are no error. Errors: kNotFound, kInvalid.
[[nodiscard]] Result<void> RemoveTags(Draft& draft, UseCase& use, TagOwner owner,
                                      const std::string& id, const Json& body);
[[nodiscard]] Result<std::string> CreateL7Policy(Draft& draft, UseCase& use, const Json& body);
[[nodiscard]] Result<void> UpdateL7Policy(Draft& draft, UseCase& use, const std::string& id,
                                          const Json& body);
[[nodiscard]] Result<void> DeleteL7Policy(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowL7Policy(const State& state, const model::L7Policy& policy);
/// New priorities of several policies, by the list of a request (api-v3.md 2.9).
[[nodiscard]] Result<void> UpdateL7Priorities(Draft& draft, UseCase& use, const Json& list);

[[nodiscard]] Result<std::string> CreateL7Rule(Draft& draft, UseCase& use,
                                               const std::string& policy_id, const Json& body);
[[nodiscard]] Result<void> UpdateL7Rule(Draft& draft, UseCase& use, const std::string& id,
                                        const Json& body);
[[nodiscard]] Result<void> DeleteL7Rule(Draft& draft, UseCase& use, const std::string& id);
[[nodiscard]] Json ShowL7Rule(const State& state, const model::L7Rule& rule);

/// `loadbalancers/{id}/statuses` (api-v3.md 2.16).
[[nodiscard]] Json ShowStatusTree(const State& state, const LiveState& live,
                                  const model::LoadBalancer& balancer);

}  // namespace elb::control
