#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "balancer/scheduler.h"
#include "balancer/stickiness.h"
#include "contract/config_snapshot.h"
#include "contract/data_plane.h"
#include "http/h1/parser.h"
#include "proxy/access.h"
#include "proxy/policy_target.h"
#include "proxy/routing.h"
#include "proxy/runtime.h"
#include "tls/client_stream.h"
#include "tls/server_context.h"

namespace elb::proxy {

/// A pool made ready for the request path. Immutable, shared by workers.
struct CompiledPool {
  contract::Shared<contract::PoolConfig> config;
  std::shared_ptr<balancer::Scheduler> scheduler;
  std::vector<std::shared_ptr<MemberRuntime>> members;  ///< Index as in `config->members`.
  std::shared_ptr<PoolRuntime> runtime;
  std::shared_ptr<const balancer::Stickiness> stickiness;  ///< By cookies; else null.
  std::shared_ptr<const tls::ClientContext> tls;           ///< HTTPS pools; else null.
};

/// A listener made ready. Immutable, shared by workers.
struct CompiledListener {
  contract::Shared<contract::ListenerConfig> config;
  std::shared_ptr<const tls::ServerContext> tls;  ///< HTTPS; else null.
  std::shared_ptr<const AddressSet> access_group;
  std::shared_ptr<const AddressSet> proxies;         ///< Of `front_proxy`; null: nobody is one.
  std::shared_ptr<const AddressSet> id_senders;      ///< Of `request_id`.
  std::shared_ptr<const CompiledPool> default_pool;  ///< Null when there is none.
  std::shared_ptr<const Router> router;              ///< Null without forwarding policies.
  std::vector<PolicyTarget> targets;                 ///< By `PolicyPosition`.
  /// Names of the cookies of its pools, sorted: views into those pools. Members see none of them.
  std::vector<std::string_view> own_cookies;
  std::shared_ptr<ListenerRuntime> runtime;
  http::h1::Limits limits;
  std::chrono::milliseconds connect_timeout{5000};
};

/// One snapshot made ready, and what differs from the generation before.
struct Generation final : contract::PreparedSnapshot {
  contract::Shared<contract::ConfigSnapshot> snapshot;
  absl::flat_hash_map<ListenerId, std::shared_ptr<const CompiledListener>> listeners;
  absl::flat_hash_map<PoolId, std::shared_ptr<const CompiledPool>> pools;
  absl::flat_hash_map<CertificateId, tls::CertificateEntry> certificates;
  absl::flat_hash_map<IpGroupId, std::shared_ptr<const AddressSet>> groups;
  std::vector<std::shared_ptr<const CompiledListener>> changed;  ///< New ones included.
  std::vector<ListenerId> removed;
  std::vector<std::shared_ptr<const CompiledPool>> changed_pools;
  std::vector<PoolId> removed_pools;
  std::vector<std::shared_ptr<WeightedChoice>> changed_choices;
};

/// What `Compile` needs besides the snapshots.
struct CompileContext {
  RuntimeRegistry* registry = nullptr;
  tls::TicketKeys* ticket_keys = nullptr;
  const balancer::StickyKeys* sticky_keys = nullptr;
  std::shared_ptr<const tls::ClientContext> backend_tls;
  http::h1::Limits limits;
};

/// Makes `next` ready, reusing everything of `current` (may be null) whose source is unchanged. The
/// cost follows the number of changes, apart from copying the tables of pointers. Control thread.
/// Errors name the field that OpenSSL or a matcher refused; nothing has happened then.
[[nodiscard]] Result<std::shared_ptr<const Generation>> Compile(
    const contract::Shared<contract::ConfigSnapshot>& next, const Generation* current,
    const CompileContext& context);

/// Notes which members may keep idle connections from `next` on, before workers see it. `before`
/// may be null. Control thread.
void MarkInService(const Generation& next, const Generation* before);

}  // namespace elb::proxy
