#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "control/forwarding.h"
#include "control/rules.h"
#include "control/services.h"
#include "model/catalogue.h"

namespace elb::control {
namespace {

using model::Listener;
using model::LoadBalancer;

constexpr std::size_t kSniDomainsDedicated = 200;
constexpr std::size_t kSniDomainsShared = 30;

/// The certificate that a field names, of the right type.
Result<std::shared_ptr<const model::Certificate>> RequireCertificate(const State& state,
                                                                     const UseCase& use,
                                                                     const std::string& id,
                                                                     const std::string& path,
                                                                     std::string_view type) {
  constexpr std::size_t kIdCharacters = 32;
  if (id.size() != kIdCharacters) {
    return Failure(ErrorKind::kBadCertificateReference, path,
                   fmt::format("'{}' is not a certificate id of {} characters", id, kIdCharacters));
  }
  ELB_ASSIGN_OR_RETURN(auto certificate, Require<model::Certificate>(
                                             state, use, id, path, ErrorKind::kReferenceNotFound));
  if (certificate->type != type) {
    return Invalid(path, fmt::format("certificate {} is not of type {}", id, type));
  }
  return certificate;
}

/// SNI certificates: all with names, no name twice for one kind of key (api-v3.md 2.2).
Result<void> CheckSni(const State& state, const UseCase& use, const Listener& listener,
                      model::Kind kind) {
  std::set<std::pair<std::string, std::string>> names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < listener.sni_container_refs.size(); ++i) {
    const std::string path = fmt::format("listener.sni_container_refs[{}]", i);
    ELB_ASSIGN_OR_RETURN(
        const auto certificate,
        RequireCertificate(state, use, listener.sni_container_refs[i], path, "server"));
    const std::vector<std::string> domains = certificate->Domains();
    if (domains.empty()) {
      return Invalid(path, "an SNI certificate needs a domain");
    }
    for (const std::string& domain : domains) {
      if (!names.emplace(domain, certificate->key_type).second) {
        return Invalid(path, fmt::format("domain {} is carried twice", domain));
      }
    }
    count += domains.size();
  }
  const std::size_t most = kind == model::Kind::kShared ? kSniDomainsShared : kSniDomainsDedicated;
  if (count > most) {
    return Invalid("listener.sni_container_refs",
                   fmt::format("the certificates carry {} domains, {} are allowed", count, most));
  }
  return {};
}

/// The group exists and has room for one more listener (api-v3.md 2.2, 2.13).
Result<void> CheckIpGroupBinding(const State& state, const UseCase& use, const Listener& listener) {
  if (!listener.ipgroup) {
    return {};
  }
  const std::string& id = listener.ipgroup->ipgroup_id;
  ELB_RETURN_IF_ERROR(Require<model::IpGroup>(state, use, id, "listener.ipgroup.ipgroup_id",
                                              ErrorKind::kReferenceNotFound));
  const Referrers& bound = state.By(kListenersOfIpGroup, id);
  const bool already = std::ranges::any_of(
      bound, [&](const auto& user) { return user.second == listener.identity.id; });
  return already ? Result<void>() : CheckQuota(*use.node, "ipgroup_bindings", bound.size());
}

/// A group of the caller's project, or none. Errors of extensions are of one kind
/// (api-extensions.md 10).
Result<void> CheckTrustedGroup(const State& state, const UseCase& use, const std::string& id,
                               const std::string& path) {
  if (id.empty() || Require<model::IpGroup>(state, use, id, path, ErrorKind::kReferenceNotFound)) {
    return {};
  }
  return Invalid(path, fmt::format("IP address group {} does not exist", id));
}

Result<void> CheckReferences(const State& state, const UseCase& use, const Listener& listener,
                             model::Kind kind) {
  if (!listener.default_tls_container_ref.empty()) {
    ELB_RETURN_IF_ERROR(RequireCertificate(state, use, listener.default_tls_container_ref,
                                           "listener.default_tls_container_ref", "server"));
  }
  if (!listener.client_ca_tls_container_ref.empty()) {
    ELB_RETURN_IF_ERROR(RequireCertificate(state, use, listener.client_ca_tls_container_ref,
                                           "listener.client_ca_tls_container_ref", "client"));
  }
  ELB_RETURN_IF_ERROR(CheckSni(state, use, listener, kind));
  if (!listener.security_policy_id.empty()) {
    ELB_RETURN_IF_ERROR(Require<model::SecurityPolicy>(state, use, listener.security_policy_id,
                                                       "listener.security_policy_id",
                                                       ErrorKind::kReferenceNotFound));
  }
  ELB_RETURN_IF_ERROR(CheckIpGroupBinding(state, use, listener));
  const model::ListenerExtensions& extensions = listener.extensions;
  ELB_RETURN_IF_ERROR(CheckTrustedGroup(state, use, extensions.request_id.trusted_ipgroup_id,
                                        "listener.extensions.request_id.trusted_ipgroup_id"));
  ELB_RETURN_IF_ERROR(CheckTrustedGroup(state, use, extensions.front_proxy.trusted_ipgroup_id,
                                        "listener.extensions.front_proxy.trusted_ipgroup_id"));
  if (!listener.default_pool_id.empty()) {
    ELB_RETURN_IF_ERROR(CheckPoolUse(
        state, use, {.listener = &listener, .policy_id = {}, .path = "listener.default_pool_id"},
        listener.default_pool_id));
  }
  return {};
}

Result<void> CheckPort(const State& state, const Listener& listener) {
  for (const auto& [sequence, id] : state.By(kListenersOfPort, PortKey(listener))) {
    Error error{
        .kind = ErrorKind::kPortTaken,
        .path = "listener.protocol_port",
        .message = fmt::format("port {} is in use on the load balancer", listener.protocol_port)};
    error.blockers = {{.kind = "listener", .id = id, .name = state.listeners.Find(id)->name}};
    error.blockers_total = 1;
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<void> CheckLayer(const LoadBalancer& balancer, const Listener& listener) {
  if (!balancer.guaranteed) {
    return {};
  }
  const std::string& flavor = listener.is_l7() ? balancer.l7_flavor_id : balancer.l4_flavor_id;
  if (flavor.empty()) {
    return Invalid("listener.protocol",
                   fmt::format("the load balancer's specification does not offer {} listeners",
                               listener.protocol));
  }
  return {};
}

/// Logging of header fields needs a log when it is switched on (api-v3.md 2.2).
Result<void> CheckLog(const State& state, const Listener& listener, const Listener* before) {
  const auto on = [](const Listener& of) {
    const auto& headers = of.access_log_customized_headers_config;
    return headers && headers->enable;
  };
  if (on(listener) && (before == nullptr || !on(*before)) &&
      state.By(kLogtanksOfLoadBalancer, listener.loadbalancer_id).empty()) {
    return Invalid("listener.access_log_customized_headers_config.enable",
                   "the load balancer has no log");
  }
  return {};
}

/// Headers sent back as they are shown are no change, though some were never set before.
void KeepShownHeaders(const Listener& before, Listener& after) {
  Json was;
  Json is;
  model::WriteInsertHeaders(before, model::Purpose::kResponse, was);
  model::WriteInsertHeaders(after, model::Purpose::kResponse, is);
  if (was == is) {
    after.insert_headers = before.insert_headers;
  }
}

/// Advanced forwarding goes by priorities, so policies that had none get some, in the order in
/// which they were evaluated.
void GivePriorities(Draft& draft, const Listener& basic) {
  std::int64_t next = 1;
  for (const auto& policy : PoliciesInOrder(draft.state(), basic)) {
    model::L7Policy numbered = *policy;
    numbered.priority = policy->action == "REDIRECT_TO_LISTENER" ? 0 : next++;
    draft.Update(std::move(numbered));
  }
}

/// Pools that would lose their only use with the listener: its default and its policies' targets.
std::set<std::string> OwnPools(const State& state, const Listener& listener) {
  std::set<std::string> pools;
  for (const auto& [sequence, id] : state.By(kPoliciesOfListener, listener.identity.id)) {
    for (const std::string& pool : state.l7_policies.Find(id)->PoolIds()) {
      pools.insert(pool);
    }
  }
  pools.insert(listener.default_pool_id);
  pools.erase("");
  std::erase_if(pools, [&](const std::string& pool) {
    return std::ranges::any_of(ListenersUsing(state, pool), [&](const auto& user) {
      return user.second != listener.identity.id;
    });
  });
  return pools;
}

/// Policies on the listener, and those that redirect to it.
Referrers PoliciesAround(const State& state, const std::string& id) {
  Referrers policies = state.By(kPoliciesOfListener, id);
  policies.insert(state.By(kPoliciesToListener, id).begin(),
                  state.By(kPoliciesToListener, id).end());
  return policies;
}

}  // namespace

Result<std::string> CreateListener(Draft& draft, UseCase& use, const Json& body) {
  Listener listener;
  const State& state = draft.state();
  if (body.is_object() && body.value("loadbalancer_id", Json()).is_string()) {
    const auto known = state.load_balancers.Get(body["loadbalancer_id"].get<std::string>());
    use.shared =
        known != nullptr && known->identity.project_id == use.caller->project && !known->guaranteed;
  }
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::ListenerSchema(), body, &listener));
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "listener"));
  ELB_ASSIGN_OR_RETURN(
      const auto balancer,
      Require<LoadBalancer>(state, use, listener.loadbalancer_id, "listener.loadbalancer_id",
                            ErrorKind::kReferenceNotFound));
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "listener", state.listeners.In(use.caller->project).size()));
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "listeners_per_loadbalancer",
                 state.By(kListenersOfLoadBalancer, listener.loadbalancer_id).size()));
  if (listener.tls_ciphers_policy.empty() && balancer->guaranteed) {
    listener.tls_ciphers_policy = use.node->default_tls_ciphers_policy;
  }
  FillDefaults(listener, balancer->kind());
  ELB_RETURN_IF_ERROR(CheckLayer(*balancer, listener));
  ELB_RETURN_IF_ERROR(CheckListener(listener, nullptr, balancer->kind(), given));
  ELB_RETURN_IF_ERROR(CheckLog(state, listener, nullptr));
  ELB_RETURN_IF_ERROR(CheckReferences(state, use, listener, balancer->kind()));
  ELB_RETURN_IF_ERROR(CheckPort(state, listener));
  ClearUnusedReason(listener);
  listener.identity.id = NewUuid(draft.random());
  listener.identity.project_id = use.caller->project;
  std::string id = listener.identity.id;
  AdoptPool(draft, listener, listener.default_pool_id);
  draft.Create(std::move(listener));
  return id;
}

Result<void> UpdateListener(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<Listener>(state, use, id, "", ErrorKind::kNotFound));
  const LoadBalancer* balancer = state.load_balancers.Find(before->loadbalancer_id);
  use.shared = !balancer->guaranteed;
  Listener after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::ListenerSchema(), body, &after));
  FillDefaults(after, balancer->kind());
  KeepShownHeaders(*before, after);
  ClearUnusedReason(after);
  ELB_RETURN_IF_ERROR(CheckListener(after, before.get(), balancer->kind(), given));
  ELB_RETURN_IF_ERROR(CheckLog(state, after, before.get()));
  ELB_RETURN_IF_ERROR(CheckReferences(state, use, after, balancer->kind()));
  AdoptPool(draft, after, after.default_pool_id);
  if (after.enhance_l7policy_enable && !before->enhance_l7policy_enable) {
    GivePriorities(draft, *before);
  }
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteListener(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto listener,
                       Require<Listener>(state, use, id, "", ErrorKind::kNotFound));
  use.shared = !state.load_balancers.Find(listener->loadbalancer_id)->guaranteed;
  std::vector<Blocker> blockers;
  for (const auto& [sequence, member] : state.By(kMembersOfPool, listener->default_pool_id)) {
    blockers.push_back({.kind = "member", .id = member, .name = state.members.Find(member)->name});
  }
  for (const auto& [sequence, policy] : PoliciesAround(state, id)) {
    blockers.push_back(
        {.kind = "l7policy", .id = policy, .name = state.l7_policies.Find(policy)->name});
  }
  if (!blockers.empty()) {
    return Blocked("the listener has policies or servers, or policies redirect to it",
                   std::move(blockers));
  }
  draft.Delete<Listener>(id);
  return {};
}

Result<void> ForceDeleteListener(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto listener,
                       Require<Listener>(state, use, id, "", ErrorKind::kNotFound));
  use.shared = !state.load_balancers.Find(listener->loadbalancer_id)->guaranteed;
  const std::set<std::string> pools = OwnPools(state, *listener);
  for (const std::string& pool_id : pools) {
    const model::Pool* pool = state.pools.Find(pool_id);
    if (pool->member_deletion_protection_enable && !state.By(kMembersOfPool, pool_id).empty()) {
      return Blocked("removal protection of a backend server group is on",
                     {{.kind = "pool", .id = pool_id, .name = pool->name}});
    }
  }
  const Referrers policies = PoliciesAround(state, id);
  for (const auto& [sequence, policy] : policies) {
    RemovePolicy(draft, policy);
  }
  draft.Delete<Listener>(id);
  for (const std::string& pool_id : pools) {
    RemovePool(draft, pool_id);
  }
  return {};
}

Json ShowListener(const State& /*state*/, const Listener& listener) {
  Json shown = ShownFields(listener);
  shown["loadbalancers"] = Json::array({{{"id", listener.loadbalancer_id}}});
  shown["quic_config"] = nullptr;
  shown["gzip_enable"] = false;
  shown["nat64_enable"] = false;
  shown["proxy_protocol_enable"] = false;
  AddIdentity(listener.identity, shown);
  return shown;
}

}  // namespace elb::control
