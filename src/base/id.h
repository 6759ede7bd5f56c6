#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace elb {

/// Identifier of one kind of object, as the API spells it (uuid with dashes; certificates and
/// projects: 32 hex digits). Empty means none. Any text is a valid value: an id that was never
/// given out simply names nothing (api-v3.md 1.1).
template <typename Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}

  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend std::strong_ordering operator<=>(const Id&, const Id&) = default;

  template <typename H>
  friend H AbslHashValue(H state, const Id& id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  std::string value_;
};

using ProjectId = Id<struct ProjectTag>;
using LoadBalancerId = Id<struct LoadBalancerTag>;
using ListenerId = Id<struct ListenerTag>;
using PoolId = Id<struct PoolTag>;
using MemberId = Id<struct MemberTag>;
using HealthMonitorId = Id<struct HealthMonitorTag>;
using CertificateId = Id<struct CertificateTag>;
using IpGroupId = Id<struct IpGroupTag>;
using SecurityPolicyId = Id<struct SecurityPolicyTag>;
using L7PolicyId = Id<struct L7PolicyTag>;
using L7RuleId = Id<struct L7RuleTag>;

}  // namespace elb

template <typename Tag>
struct std::hash<elb::Id<Tag>> {
  std::size_t operator()(const elb::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value());
  }
};
