#include "control/addresses.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "control/rules.h"

namespace elb::control {
namespace {

using model::LoadBalancer;

std::uint32_t NumberOf(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

IpAddress AddressOf(std::uint32_t number) {
  return IpAddress::V4({static_cast<std::uint8_t>(number >> 24),
                        static_cast<std::uint8_t>(number >> 16),
                        static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
}

/// An IPv4 subnet in numbers.
struct Range {
  std::uint32_t first = 0;  ///< The network's own address.
  std::uint32_t last = 0;   ///< Broadcast.
  std::string gateway;

  [[nodiscard]] bool Usable(std::uint32_t number) const {
    return number > first && number < last && AddressOf(number).ToString() != gateway;
  }
};

std::optional<Range> RangeOf(const SubnetConfig& subnet) {
  const auto prefix = IpPrefix::Parse(subnet.cidr);
  if (!prefix || prefix->address.family() != IpFamily::kV4 || prefix->length > 30) {
    return std::nullopt;
  }
  const std::uint32_t first = NumberOf(prefix->address);
  return Range{
      .first = first, .last = first | (0xffffffffU >> prefix->length), .gateway = subnet.gateway};
}

bool IsFree(const State& state, const std::string& address) {
  return state.By(kLoadBalancersOfAddress, address).empty() &&
         state.By(kEipsOfAddress, address).empty();
}

/// The first free usable address from `cursor` on, round the range; moves the cursor behind it.
/// The search passes addresses in use only, mostly none.
std::optional<std::string> NextFree(const State& state, const Range& range, IpAddress& cursor) {
  std::uint32_t number = NumberOf(cursor);
  const std::uint64_t size = std::uint64_t{range.last} - range.first + 1;
  for (std::uint64_t tries = 0; tries < size; ++tries, ++number) {
    if (number < range.first || number > range.last) {
      number = range.first;
    }
    const std::uint32_t octet = number & 0xff;  // Some clients take .0 and .255 for no hosts.
    std::string text = AddressOf(number).ToString();
    if (octet != 0 && octet != 255 && range.Usable(number) && IsFree(state, text)) {
      cursor = AddressOf(number + 1);
      return text;
    }
  }
  return std::nullopt;
}

Result<std::string> FreeAddress(Draft& draft, const NodeConfig& node, const SubnetConfig& subnet) {
  const std::optional<Range> range = RangeOf(subnet);
  if (!range) {
    return Internal(fmt::format("subnet {} has no usable IPv4 range", subnet.name));
  }
  IpAddress& cursor = draft.AddressCursor(subnet.subnet_id);
  if (cursor == IpAddress()) {
    cursor = IpAddress::Parse(node.first_vip).value_or(AddressOf(range->first + 1));
  }
  if (auto found = NextFree(draft.state(), *range, cursor)) {
    return *std::move(found);
  }
  return Invalid("loadbalancer.vip_subnet_cidr_id", "the subnet has no free address left");
}

/// The address that the request names, in one spelling.
Result<std::string> AskedAddress(const State& state, const SubnetConfig& subnet,
                                 const LoadBalancer& balancer) {
  const auto address = IpAddress::Parse(balancer.vip_address);
  const std::optional<Range> range = RangeOf(subnet);
  if (!address || address->family() != IpFamily::kV4 || !range ||
      !range->Usable(NumberOf(*address))) {
    return Invalid("loadbalancer.vip_address",
                   fmt::format("vip_address must be a usable IPv4 address of {}", subnet.cidr));
  }
  if (!state.By(kEipsOfAddress, address->ToString()).empty()) {
    return Conflict("loadbalancer.vip_address",
                    fmt::format("address {} is a public one", balancer.vip_address));
  }
  for (const auto& [sequence, id] : state.By(kLoadBalancersOfAddress, address->ToString())) {
    if (id != balancer.identity.id) {
      Error error = Conflict("loadbalancer.vip_address",
                             fmt::format("address {} is in use", balancer.vip_address))
                        .error();
      const LoadBalancer* user = state.load_balancers.Find(id);
      if (user->identity.project_id == balancer.identity.project_id) {
        error.blockers = {{.kind = "loadbalancer", .id = id, .name = user->name}};
        error.blockers_total = 1;
      }
      return std::unexpected(std::move(error));
    }
  }
  return address->ToString();
}

}  // namespace

Result<void> AssignAddress(Draft& draft, const UseCase& use, Addressed addressed,
                           const model::Given& given) {
  LoadBalancer& balancer = *addressed.balancer;
  const LoadBalancer* before = addressed.before;
  const bool differs = before == nullptr || before->vip_address != balancer.vip_address;
  if (balancer.vip_subnet_cidr_id.empty()) {
    if (!balancer.vip_address.empty() && differs) {
      return Invalid("loadbalancer.vip_address", "vip_address needs vip_subnet_cidr_id");
    }
    balancer.vip_address.clear();
    balancer.vip_port_id.clear();
    return {};
  }
  const SubnetConfig* subnet = FindSubnet(*use.node, balancer.vip_subnet_cidr_id);
  if (subnet == nullptr) {
    return Failure(ErrorKind::kReferenceNotFound, "loadbalancer.vip_subnet_cidr_id",
                   fmt::format("subnet {} could not be found", balancer.vip_subnet_cidr_id));
  }
  if (!balancer.vpc_id.empty() && balancer.vpc_id != subnet->vpc_id) {
    return Invalid("loadbalancer.vip_subnet_cidr_id", "the subnet lies in another VPC");
  }
  balancer.vpc_id = subnet->vpc_id;
  const bool moved = before == nullptr || before->vip_subnet_cidr_id != balancer.vip_subnet_cidr_id;
  if (!balancer.vip_address.empty() &&
      (differs || (moved && model::WasGiven(given, "vip_address")))) {
    ELB_ASSIGN_OR_RETURN(balancer.vip_address, AskedAddress(draft.state(), *subnet, balancer));
  } else if (moved || balancer.vip_address.empty()) {
    ELB_ASSIGN_OR_RETURN(balancer.vip_address, FreeAddress(draft, *use.node, *subnet));
  }
  return {};
}

namespace {

/// Only the first of `publicip_ids` counts (api-v3.md 2.1).
Result<void> BindKnown(const State& state, const UseCase& use, LoadBalancer& balancer) {
  const std::string path = "loadbalancer.publicip_ids[0]";
  const std::string id = balancer.publicip_ids.front();
  ELB_ASSIGN_OR_RETURN(const auto eip,
                       Require<model::Eip>(state, use, id, path, ErrorKind::kReferenceNotFound));
  const Referrers& owners = state.By(kLoadBalancersOfPublicAddress, id);
  if (!owners.empty()) {
    const std::string& owner = owners.begin()->second;
    auto bound = Blocked(
        fmt::format("public address {} is bound already", id),
        {{.kind = "loadbalancer", .id = owner, .name = state.load_balancers.Find(owner)->name}});
    bound.error().path = path;
    return bound;
  }
  balancer.eip_id = id;
  balancer.eip_address = eip->address;
  balancer.publicip_ids.clear();
  return {};
}

/// An address that was never given out, or that was released.
Result<std::string> FreePublicAddress(Draft& draft, const NodeConfig& node) {
  const auto first = IpAddress::Parse(node.first_eip);
  if (!first || first->family() != IpFamily::kV4) {
    return Internal("the node has no public addresses");
  }
  IpAddress& cursor = draft.AddressCursor("");
  if (cursor == IpAddress()) {
    cursor = *first;
  }
  const Range range{.first = NumberOf(*first) - 1, .last = 0xffffffff, .gateway = {}};
  auto found = NextFree(draft.state(), range, cursor);
  if (!found) {
    return Internal("the node has no public address left");
  }
  return *std::move(found);
}

}  // namespace

Result<void> BindPublicAddress(Draft& draft, const UseCase& use, LoadBalancer& balancer) {
  if (!balancer.publicip_ids.empty()) {
    return BindKnown(draft.state(), use, balancer);
  }
  if (!balancer.publicip) {
    return {};
  }
  model::PublicAddress asked = *balancer.publicip;
  balancer.publicip.reset();
  if (asked.ip_version == 6) {
    return Failure(ErrorKind::kNoIpv6, "loadbalancer.publicip.ip_version",
                   "public IPv6 addresses are not available here");
  }
  ELB_ASSIGN_OR_RETURN(balancer.eip_address, FreePublicAddress(draft, *use.node));
  balancer.eip_id = NewUuid(draft.random());
  model::Eip eip;
  eip.identity.id = balancer.eip_id;
  eip.identity.project_id = use.caller->project;
  eip.address = balancer.eip_address;
  if (asked.bandwidth && asked.bandwidth->id.empty()) {
    asked.bandwidth->id = NewUuid(draft.random());  // Of this address alone.
  }
  eip.asked = std::move(asked);
  draft.Create(std::move(eip));
  return {};
}

void ReleasePublicAddress(Draft& draft, const std::string& id) {
  const Referrers owners = draft.state().By(kLoadBalancersOfPublicAddress, id);
  for (const auto& [sequence, owner] : owners) {
    LoadBalancer unbound = *draft.state().load_balancers.Find(owner);
    unbound.eip_id.clear();
    unbound.eip_address.clear();
    draft.Update(std::move(unbound));
  }
  draft.Delete<model::Eip>(id);
}

void SeparatePublicAddresses(Draft& draft) {
  const State& state = draft.state();
  for (const auto& [sequence, balancer] : state.load_balancers.in_order()) {
    if (balancer->eip_id.empty() || state.eips.Find(balancer->eip_id) != nullptr) {
      continue;
    }
    model::Eip eip;
    eip.identity.id = balancer->eip_id;
    eip.identity.project_id = balancer->identity.project_id;
    eip.address = balancer->eip_address;
    draft.Create(std::move(eip));
  }
}

Result<void> CheckIpv6(const NodeConfig& node, const LoadBalancer& balancer) {
  const std::string& id = balancer.ipv6_vip_virsubnet_id;
  if (id.empty()) {
    return {};
  }
  if (FindSubnet(node, id) == nullptr) {
    return Failure(ErrorKind::kReferenceNotFound, "loadbalancer.ipv6_vip_virsubnet_id",
                   fmt::format("subnet {} could not be found", id));
  }
  return Failure(ErrorKind::kNoIpv6, "loadbalancer.ipv6_vip_virsubnet_id",
                 "the subnet has no IPv6 addresses");
}

}  // namespace elb::control
