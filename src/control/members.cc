#include "control/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/assert.h"
#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

using contract::HealthReason;
using contract::MemberHealth;
using contract::MemberStatus;
using model::Member;
using model::Pool;

std::string_view ReasonText(HealthReason reason) {
  static constexpr std::array kTexts = {"",
                                        "CONNECT_TIMEOUT",
                                        "CONNECT_REFUSED",
                                        "CONNECT_FAILED",
                                        "CONNECT_INTERRUPT",
                                        "SSL_HANDSHAKE_ERROR",
                                        "SEND_REQUEST_FAILED",
                                        "SEND_REQUEST_TIMEOUT",
                                        "RECV_RESPONSE_FAILED",
                                        "RECV_RESPONSE_TIMEOUT",
                                        "RESPONSE_FORMAT_ERROR",
                                        "RESPONSE_MISMATCH"};
  return kTexts[static_cast<std::size_t>(reason)];
}

/// A member in a subnet of ours.
Result<void> CheckInSubnet(const State& state, const UseCase& use, const Pool& pool,
                           const Member& member) {
  const SubnetConfig* subnet = FindSubnet(*use.node, member.subnet_cidr_id);
  if (subnet == nullptr) {
    return Failure(ErrorKind::kReferenceNotFound, "member.subnet_cidr_id",
                   fmt::format("subnet {} could not be found", member.subnet_cidr_id));
  }
  const model::LoadBalancer* balancer = state.load_balancers.Find(pool.loadbalancer_id);
  const std::string& vpc = balancer != nullptr ? balancer->vpc_id : pool.vpc_id;
  if (!vpc.empty() && vpc != subnet->vpc_id) {
    return Invalid("member.subnet_cidr_id", "the subnet lies in another VPC");
  }
  if (pool.type == "ip") {
    return Invalid("member.subnet_cidr_id", "the group takes IP members only");
  }
  const auto address = IpAddress::Parse(member.address);
  const auto prefix = IpPrefix::Parse(subnet->cidr);
  ELB_ASSERT(address && prefix);  // Both were checked when they were read.
  const bool v6 = address->family() == IpFamily::kV6;
  if (v6 && (use.shared || prefix->address.family() != IpFamily::kV6)) {
    return Failure(ErrorKind::kIpVersion, "member.address",
                   "the group or the subnet has IPv4 addresses only");
  }
  if (!prefix->Contains(*address)) {
    return Invalid("member.address", fmt::format("address must lie in {}", subnet->cidr));
  }
  return {};
}

/// A member anywhere, reached by its address: "IP as a backend".
Result<void> CheckIpMember(const State& state, const UseCase& use, const Pool& pool,
                           const Member& member) {
  if (use.shared) {
    return Missing("member.subnet_cidr_id", "subnet_cidr_id is mandatory");
  }
  const auto address = IpAddress::Parse(member.address);
  if (!address || address->family() != IpFamily::kV4) {
    return Failure(ErrorKind::kIpVersion, "member.address", "an IP member needs an IPv4 address");
  }
  if (pool.protocol != "TCP" && !pool.is_l7()) {
    return Failure(ErrorKind::kIpTargetProtocol, "member.subnet_cidr_id",
                   "IP members need a TCP, HTTP or HTTPS group");
  }
  const model::LoadBalancer* balancer = state.load_balancers.Find(pool.loadbalancer_id);
  if (balancer != nullptr && !balancer->ip_target_enable) {
    return Failure(ErrorKind::kNoIpTarget, "member.subnet_cidr_id",
                   "IP as a backend is not enabled on the load balancer");
  }
  return {};
}

/// Where the member is: in a subnet of ours, or reached as an IP address (api-v3.md 2.4).
Result<void> CheckPlace(const State& state, const UseCase& use, const Pool& pool,
                        const Member& member) {
  if (!IpAddress::Parse(member.address)) {
    return Invalid("member.address", fmt::format("'{}' is not an IP address", member.address));
  }
  return member.subnet_cidr_id.empty() ? CheckIpMember(state, use, pool, member)
                                       : CheckInSubnet(state, use, pool, member);
}

Result<void> CheckUnique(const State& state, const Member& member) {
  for (const auto& [sequence, id] : state.By(kMembersOfEndpoint, EndpointKey(member))) {
    return Blocked(
        fmt::format("{}:{} is a member of the group already", member.address, member.protocol_port),
        {{.kind = "member", .id = id, .name = state.members.Find(id)->name}});
  }
  return {};
}

MemberHealth HealthOf(const LiveState& live, const Member& member) {
  if (live.data_plane == nullptr) {
    return {};
  }
  return live.data_plane->Health(PoolId(member.pool_id), MemberId(member.identity.id))
      .value_or(MemberHealth{});
}

Json ReasonOf(const State& state, const Member& member, const MemberHealth& health) {
  if (health.status != MemberStatus::kOffline || health.reason == HealthReason::kNone) {
    return nullptr;
  }
  Json reason{{"reason_code", ReasonText(health.reason)},
              {"expected_response", nullptr},
              {"healthcheck_response", nullptr}};
  if (health.reason == HealthReason::kResponseMismatch) {
    const Referrers& monitors = state.By(kMonitorsOfPool, member.pool_id);
    if (!monitors.empty()) {
      reason["expected_response"] = state.monitors.Find(monitors.begin()->second)->expected_codes;
    }
    reason["healthcheck_response"] = std::to_string(health.response_code);
  }
  return reason;
}

}  // namespace

Result<Member> ReadNewMember(const State& state, const UseCase& use, const Pool& pool,
                             const Json& body) {
  Member member;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::MemberSchema(), body, &member));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "member"));
  ELB_RETURN_IF_ERROR(CheckPlace(state, use, pool, member));
  member.pool_id = pool.identity.id;
  return member;
}

Result<std::string> AddMember(Draft& draft, const UseCase& use, const Pool& pool, Member member,
                              std::int64_t registration) {
  const State& state = draft.state();
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "member", state.members.In(use.caller->project).size()));
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "members_per_pool", state.By(kMembersOfPool, pool.identity.id).size()));
  member.registration = registration;
  member.slow_start_at_registration = pool.slow_start && pool.slow_start->enable;
  member.identity.id = NewUuid(draft.random());
  member.identity.project_id = use.caller->project;
  std::string id = member.identity.id;
  draft.Create(std::move(member));
  return id;
}

Result<std::string> CreateMember(Draft& draft, UseCase& use, const std::string& pool_id,
                                 const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto pool,
                       Require<Pool>(state, use, pool_id, "", ErrorKind::kNotFound));
  use.shared = KindOfPool(state, *pool) == model::Kind::kShared;
  ELB_ASSIGN_OR_RETURN(Member member, ReadNewMember(state, use, *pool, body));
  ELB_RETURN_IF_ERROR(CheckUnique(state, member));
  return AddMember(draft, use, *pool, std::move(member),
                   static_cast<std::int64_t>(state.next_sequence));
}

Result<void> UpdateMember(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<Member>(state, use, id, "", ErrorKind::kNotFound));
  use.shared = KindOfPool(state, *state.pools.Find(before->pool_id)) == model::Kind::kShared;
  Member after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::MemberSchema(), body, &after));
  static_cast<void>(given);
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteMember(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto member,
                       Require<Member>(state, use, id, "", ErrorKind::kNotFound));
  const Pool* pool = state.pools.Find(member->pool_id);
  use.shared = KindOfPool(state, *pool) == model::Kind::kShared;
  if (pool->member_deletion_protection_enable) {
    return Blocked("removal protection is on",
                   {{.kind = "pool", .id = member->pool_id, .name = pool->name}});
  }
  draft.Delete<Member>(id);
  return {};
}

std::string MemberStatusText(const State& state, const LiveState& live, const Member& member) {
  const Referrers& monitors = state.By(kMonitorsOfPool, member.pool_id);
  if (monitors.empty() || !state.monitors.Find(monitors.begin()->second)->admin_state_up) {
    return "NO_MONITOR";
  }
  const Pool* pool = state.pools.Find(member.pool_id);
  if (member.weight == 0 && KindOfPool(state, *pool) == model::Kind::kShared) {
    return "OFFLINE";  // As the vendor reports it (data-plane.md 9.3).
  }
  switch (HealthOf(live, member).status) {
    case MemberStatus::kOnline:
      return "ONLINE";
    case MemberStatus::kOffline:
      return "OFFLINE";
    case MemberStatus::kNoMonitor:
      break;
  }
  return "NO_MONITOR";
}

Json ShowMember(const State& state, const LiveState& live, const Member& member) {
  Json shown = ShownFields(member);
  const auto address = IpAddress::Parse(member.address);
  shown["ip_version"] = address && address->family() == IpFamily::kV6 ? "v6" : "v4";
  shown["member_type"] = member.subnet_cidr_id.empty() ? "ip" : "instance";
  shown["instance_id"] = "";
  const std::string status = MemberStatusText(state, live, member);
  shown["operating_status"] = status;
  shown["status"] = Json::array();
  const Json reason = ReasonOf(state, member, HealthOf(live, member));
  for (const auto& [sequence, listener] : ListenersUsing(state, member.pool_id)) {
    shown["status"].push_back({{"listener_id", listener},
                               {"operating_status", status},
                               {"reason", reason},
                               {"created_at", member.identity.created_at},
                               {"updated_at", member.identity.updated_at}});
  }
  AddIdentity(member.identity, shown);
  return shown;
}

}  // namespace elb::control
