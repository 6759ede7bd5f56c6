#include "proxy/generation.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace elb::proxy {
namespace {

using contract::ConfigSnapshot;
using contract::ListenerConfig;
using contract::PoolConfig;
using contract::PoolProtocol;
using contract::Shared;

/// The entry of `map` that `id` names, or a default value.
template <typename Map, typename Id>
typename Map::mapped_type Lookup(const Map& map, const Id& id) {
  const auto found = map.find(id);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

std::vector<std::string_view> OwnCookies(const CompiledListener& listener) {
  std::vector<std::string_view> names;
  const auto add = [&](const CompiledPool* pool) {
    if (pool != nullptr && pool->stickiness != nullptr && pool->stickiness->own_cookie()) {
      names.emplace_back(pool->stickiness->cookie_name());
    }
  };
  add(listener.default_pool.get());
  for (const PolicyTarget& target : listener.targets) {
    std::ranges::for_each(target.pools, [&](const auto& pool) { add(pool.get()); });
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

/// Builds one generation on top of the current one.
class Compiler {
 public:
  Compiler(const Shared<ConfigSnapshot>& next, const Generation* current,
           const CompileContext& context)
      : next_(*next),
        current_(current),
        context_(&context),
        result_(std::make_shared<Generation>()) {
    result_->snapshot = next;
    if (current_ != nullptr) {
      result_->listeners = current_->listeners;
      result_->pools = current_->pools;
      result_->certificates = current_->certificates;
      result_->groups = current_->groups;
    }
  }

  Result<std::shared_ptr<const Generation>> Run() {
    CompileGroups();
    ELB_RETURN_IF_ERROR(CompileCertificates());
    CompilePools();
    for (const auto& [id, listener] : next_.listeners) {
      ELB_RETURN_IF_ERROR(CompileListener(id, listener));
    }
    RemoveListeners();
    return result_;
  }

 private:
  [[nodiscard]] const ConfigSnapshot* previous() const {
    return current_ == nullptr ? nullptr : current_->snapshot.get();
  }

  /// True when `map` of the previous snapshot holds the very same object for `id`.
  template <typename Map, typename Id, typename Value>
  [[nodiscard]] bool Same(Map ConfigSnapshot::* map, const Id& id,
                          const Shared<Value>& value) const {
    return previous() != nullptr && Lookup(previous()->*map, id) == value;
  }

  void CompileGroups() {
    for (const auto& [id, group] : next_.ip_groups) {
      if (!Same(&ConfigSnapshot::ip_groups, id, group)) {
        result_->groups[id] = std::make_shared<AddressSet>(group->prefixes);
      }
    }
    absl::erase_if(result_->groups,
                   [&](const auto& entry) { return !next_.ip_groups.contains(entry.first); });
  }

  Result<void> CompileCertificates() {
    for (const auto& [id, certificate] : next_.certificates) {
      if (Same(&ConfigSnapshot::certificates, id, certificate)) {
        continue;
      }
      ELB_ASSIGN_OR_RETURN(
          result_->certificates[id],
          tls::CertificateEntry::Parse(id.value(), certificate->chain_pem, certificate->key_pem));
    }
    absl::erase_if(result_->certificates,
                   [&](const auto& entry) { return !next_.certificates.contains(entry.first); });
    return {};
  }

  void CompilePools() {
    for (const auto& [id, pool] : next_.pools) {
      if (!Same(&ConfigSnapshot::pools, id, pool)) {
        result_->changed_pools.push_back(result_->pools[id] = CompilePool(id, pool));
      }
    }
    absl::erase_if(result_->pools, [&](const auto& entry) {
      const bool gone = !next_.pools.contains(entry.first);
      if (gone) {
        result_->removed_pools.push_back(entry.first);
      }
      return gone;
    });
  }

  std::shared_ptr<const CompiledPool> CompilePool(const PoolId& id,
                                                  const Shared<PoolConfig>& config) {
    auto pool = std::make_shared<CompiledPool>();
    pool->config = config;
    pool->runtime = context_->registry->Pool(id);
    balancer::Roster roster{.config = config, .cells = {}, .at_process_start = current_ == nullptr};
    for (const contract::MemberConfig& member : config->members) {
      pool->members.push_back(context_->registry->Member(id, member.id));
      roster.cells.push_back(pool->members.back()->cell);
    }
    const auto before =
        current_ == nullptr ? std::shared_ptr<const CompiledPool>{} : Lookup(current_->pools, id);
    pool->scheduler =
        balancer::CreateScheduler(std::move(roster), before ? before->scheduler : nullptr);
    pool->stickiness = CompileStickiness(*pool, before ? before->stickiness.get() : nullptr);
    if (config->protocol == PoolProtocol::kHttps) {
      pool->tls = context_->backend_tls;
    }
    return pool;
  }

  std::shared_ptr<const balancer::Stickiness> CompileStickiness(
      const CompiledPool& pool, const balancer::Stickiness* before) {
    if (pool.config->stickiness == contract::Stickiness::kApplicationCookie &&
        pool.runtime->cookies == nullptr) {
      pool.runtime->cookies = std::make_shared<balancer::CookieTable>();
    }
    return balancer::Stickiness::Create({.config = pool.config,
                                         .keys = context_->sticky_keys,
                                         .table = pool.runtime->cookies,
                                         .predecessor = before});
  }

  Result<void> CompileListener(const ListenerId& id, const Shared<ListenerConfig>& config) {
    const auto before = current_ == nullptr ? std::shared_ptr<const CompiledListener>{}
                                            : Lookup(current_->listeners, id);
    const auto pool = Lookup(result_->pools, config->default_pool);
    const bool same_config = before != nullptr && before->config == config;
    const bool same_tls = same_config && !CertificatesChanged(*config);
    if (same_tls && before->default_pool == pool && !GroupsChanged(*before) &&
        before->connect_timeout == next_.connect_timeout && !TargetsChanged(*before)) {
      return {};
    }
    auto listener = std::make_shared<CompiledListener>();
    listener->config = config;
    listener->access_group = Lookup(result_->groups, config->access_group);
    listener->proxies = Lookup(result_->groups, config->front_proxy.trusted);
    listener->id_senders = Lookup(result_->groups, config->request_id.trusted);
    listener->default_pool = pool;
    listener->runtime = context_->registry->Listener(id);
    listener->limits = context_->limits;
    listener->limits.request_body_bytes_max = config->request_body_bytes_max;
    listener->connect_timeout = next_.connect_timeout;
    if (same_tls) {
      listener->tls = before->tls;
    } else if (const auto& source = config->tls; source.has_value()) {
      ELB_ASSIGN_OR_RETURN(listener->tls, CompileTls(*config, *source));
    }
    ELB_RETURN_IF_ERROR(CompilePolicies(before.get(), *listener));
    listener->own_cookies = OwnCookies(*listener);
    result_->listeners[id] = listener;
    result_->changed.push_back(std::move(listener));
    return {};
  }

  /// True when an IP group that the listener names came, went or changed.
  [[nodiscard]] bool GroupsChanged(const CompiledListener& listener) const {
    const ListenerConfig& config = *listener.config;
    return Lookup(result_->groups, config.access_group) != listener.access_group ||
           Lookup(result_->groups, config.front_proxy.trusted) != listener.proxies ||
           Lookup(result_->groups, config.request_id.trusted) != listener.id_senders;
  }

  /// True when a pool that a policy names came, went or changed.
  [[nodiscard]] bool TargetsChanged(const CompiledListener& listener) const {
    if (result_->changed_pools.empty() && result_->removed_pools.empty()) {
      return false;
    }
    for (std::size_t i = 0; i < listener.targets.size(); ++i) {
      if (!Resolves(listener.config->policies[i].pools, listener.targets[i].pools)) {
        return true;
      }
    }
    return false;
  }

  /// True when `named` still lead to `pools`.
  [[nodiscard]] bool Resolves(const std::vector<contract::WeightedPool>& named,
                              const std::vector<std::shared_ptr<const CompiledPool>>& pools) const {
    return std::ranges::equal(named, pools, [&](const auto& target, const auto& pool) {
      const auto found = result_->pools.find(target.pool);
      return pool == (found == result_->pools.end() ? nullptr : found->second);
    });
  }

  [[nodiscard]] std::vector<std::shared_ptr<const CompiledPool>> ResolvePools(
      const contract::L7PolicyConfig& policy) const {
    std::vector<std::shared_ptr<const CompiledPool>> pools;
    pools.reserve(policy.pools.size());
    for (const contract::WeightedPool& target : policy.pools) {
      pools.push_back(Lookup(result_->pools, target.pool));
    }
    return pools;
  }

  Result<void> CompilePolicies(const CompiledListener* before, CompiledListener& listener) {
    const ListenerConfig& config = *listener.config;
    if (config.policies.empty()) {
      return {};
    }
    if (before != nullptr && before->router != nullptr && before->router->IsFor(config)) {
      listener.router = before->router;
    } else {
      ELB_ASSIGN_OR_RETURN(listener.router, Router::Compile(config));
    }
    for (const contract::L7PolicyConfig& policy : config.policies) {
      listener.targets.push_back({.pools = ResolvePools(policy),
                                  .choice = ChoiceOf(policy, before),
                                  .url = policy.action == contract::PolicyAction::kToUrl
                                             ? UrlTemplate(policy)
                                             : UrlTemplate()});
    }
    return {};
  }

  /// What chooses among the pools of `policy`, with the state of the listener's last generation.
  [[nodiscard]] std::shared_ptr<WeightedChoice> ChoiceOf(const contract::L7PolicyConfig& policy,
                                                         const CompiledListener* before) {
    if (policy.action != contract::PolicyAction::kToPool || policy.pools.empty() ||
        (policy.pools.size() == 1 && policy.pools.front().weight > 0)) {
      return nullptr;
    }
    std::shared_ptr<WeightedChoice> predecessor;
    for (std::size_t i = 0; before != nullptr && i < before->targets.size(); ++i) {
      if (before->config->policies[i].id == policy.id) {
        predecessor = before->targets[i].choice;
      }
    }
    if (predecessor != nullptr && predecessor->pools() == policy.pools) {
      return predecessor;
    }
    auto choice = std::make_shared<WeightedChoice>(policy.pools, std::move(predecessor));
    result_->changed_choices.push_back(choice);
    return choice;
  }

  [[nodiscard]] bool CertificateChanged(const CertificateId& id) const {
    return !id.empty() && !Same(&ConfigSnapshot::certificates, id, Lookup(next_.certificates, id));
  }

  [[nodiscard]] bool CertificatesChanged(const ListenerConfig& config) const {
    if (!config.tls) {
      return false;
    }
    for (const CertificateId& id : config.tls->sni_certificates) {
      if (CertificateChanged(id)) {
        return true;
      }
    }
    return CertificateChanged(config.tls->default_certificate) ||
           CertificateChanged(config.tls->client_ca);
  }

  Result<std::shared_ptr<const tls::ServerContext>> CompileTls(const ListenerConfig& config,
                                                               const contract::TlsConfig& source) {
    tls::ServerSpec spec{
        .policy = {.protocols = source.protocols, .ciphers = source.ciphers},
        .default_certificate = Lookup(result_->certificates, source.default_certificate),
        .sni = {},
        .sni_match = source.sni_match == contract::SniMatch::kWildcard
                         ? tls::SniMatch::kWildcard
                         : tls::SniMatch::kLongestSuffix,
        .client_ca = Lookup(result_->certificates, source.client_ca).chain,
        .http2 = source.http2 ? tls::Http2::kOn : tls::Http2::kOff,
        .resumption_context = config.id.value() + '#' + std::to_string(source.tls_generation),
        .keep_client_hello = WantsClientHello(config.insert_headers),
    };
    for (const CertificateId& id : source.sni_certificates) {
      const auto certificate = Lookup(next_.certificates, id);
      spec.sni.push_back(
          {.certificate = Lookup(result_->certificates, id),
           .names = certificate ? certificate->domains : std::vector<std::string>{}});
    }
    return tls::ServerContext::Create(spec, *context_->ticket_keys);
  }

  static bool WantsClientHello(const contract::InsertHeadersConfig& headers) {
    return !headers.clientcert_ciphers.empty() || !headers.tls_ja3.empty() ||
           !headers.tls_ja4.empty();
  }

  void RemoveListeners() {
    absl::erase_if(result_->listeners, [&](const auto& entry) {
      const bool gone = !next_.listeners.contains(entry.first);
      if (gone) {
        result_->removed.push_back(entry.first);
      }
      return gone;
    });
  }

  const ConfigSnapshot& next_;
  const Generation* current_;
  const CompileContext* context_;
  std::shared_ptr<Generation> result_;
};

}  // namespace

Result<std::shared_ptr<const Generation>> Compile(const Shared<ConfigSnapshot>& next,
                                                  const Generation* current,
                                                  const CompileContext& context) {
  return Compiler(next, current, context).Run();
}

void MarkInService(const Generation& next, const Generation* before) {
  const auto leave = [&](const PoolId& id) {
    const auto pool = Lookup(before->pools, id);
    for (std::size_t i = 0; pool != nullptr && i < pool->members.size(); ++i) {
      pool->members[i]->in_service.store(false, std::memory_order_release);
    }
  };
  for (const PoolId& id : next.removed_pools) {
    leave(id);
  }
  for (const auto& pool : next.changed_pools) {
    if (before != nullptr) {
      leave(pool->config->id);
    }
    for (std::size_t i = 0; i < pool->members.size(); ++i) {
      const contract::MemberConfig& config = pool->config->members[i];
      pool->members[i]->in_service.store(config.admin_up && config.weight > 0,
                                         std::memory_order_release);
    }
  }
}

}  // namespace elb::proxy
