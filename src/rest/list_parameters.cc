#include <array>

#include "model/resources.h"
#include "rest/listing.h"

namespace elb::rest {

using control::Resource;

namespace {

constexpr std::array kKinds = {
    Resource::kLoadBalancer,  Resource::kListener,    Resource::kPool,    Resource::kMember,
    Resource::kHealthMonitor, Resource::kCertificate, Resource::kIpGroup, Resource::kSecurityPolicy,
    Resource::kLogtank,       Resource::kL7Policy,    Resource::kL7Rule};

constexpr auto kFlavor =
    std::to_array<Parameter>({{"id", "id"},
                              {"name", "name"},
                              {"type", "type"},
                              {"shared", "shared", Compare::kFlag},
                              {"flavor_sold_out", "flavor_sold_out", Compare::kFlag}});

/// Parameters that ask for more than one field of the table (api-v3.md 1.8.3).
constexpr auto kOfLoadBalancers =
    std::to_array<Parameter>({{"eips", "eips", Compare::kKeyed},
                              {"publicips", "publicips", Compare::kKeyed},
                              {"ip_version", "", Compare::kIpVersion},
                              {"member_address", "", Compare::kMember},
                              {"member_device_id", "", Compare::kNothing}});
constexpr auto kOfListeners =
    std::to_array<Parameter>({{"member_address", "", Compare::kMember},
                              {"member_device_id", "", Compare::kNothing},
                              {"member_instance_id", "", Compare::kNothing},
                              {"enterprise_project_id", "", Compare::kZero}});
constexpr auto kOfPools = std::to_array<Parameter>({{"member_address", "", Compare::kMember},
                                                    {"member_device_id", "", Compare::kNothing},
                                                    {"member_instance_id", "", Compare::kNothing}});
constexpr auto kOfOthers =
    std::to_array<Parameter>({{"enterprise_project_id", "", Compare::kZero}});

constexpr auto kOfPolicies = std::to_array<Parameter>(
    {{"enterprise_project_id", "", Compare::kZero}, {kDisplayAllRules, "", Compare::kNoFilter}});
constexpr auto kOfRules = std::to_array<Parameter>({{"rule_value", "value"}});

std::span<const Parameter> Special(Resource resource) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return kOfLoadBalancers;
    case Resource::kListener:
      return kOfListeners;
    case Resource::kPool:
      return kOfPools;
    case Resource::kMember:
    case Resource::kHealthMonitor:
    case Resource::kLogtank:
      return kOfOthers;
    case Resource::kL7Policy:
      return kOfPolicies;
    case Resource::kL7Rule:
      return kOfRules;
    case Resource::kCertificate:
    case Resource::kIpGroup:
    case Resource::kSecurityPolicy:
      break;
  }
  return {};
}

Compare CompareOf(const model::ListParameter& parameter) {
  switch (parameter.form) {
    case model::ValueType::kNumber:
      return Compare::kNumber;
    case model::ValueType::kFlag:
      return Compare::kFlag;
    default:
      break;
  }
  if (parameter.name == "domain") {
    return Compare::kDomain;
  }
  return parameter.name == "ip_list" ? Compare::kNetworks : Compare::kText;
}

std::vector<Parameter> Collect(Resource resource) {
  std::vector<Parameter> all;
  for (const model::ListParameter& parameter : TableOf(resource).parameters) {
    all.push_back(
        {.name = parameter.name, .place = parameter.place, .compare = CompareOf(parameter)});
  }
  for (const Parameter& parameter : Special(resource)) {
    all.push_back(parameter);
  }
  return all;
}

}  // namespace

const model::Resource& TableOf(Resource resource) {
  static constexpr std::array kNames = {
      "loadbalancer", "listener",        "pool",    "member",   "healthmonitor", "certificate",
      "ipgroup",      "security_policy", "logtank", "l7policy", "rule"};
  return *model::FindResource(kNames[static_cast<std::size_t>(resource)]);
}

std::span<const Parameter> ParametersOf(Resource resource) {
  static const std::array all = [] {
    std::array<std::vector<Parameter>, kKinds.size()> made;
    for (const Resource kind : kKinds) {
      made[static_cast<std::size_t>(kind)] = Collect(kind);
    }
    return made;
  }();
  return all[static_cast<std::size_t>(resource)];
}

std::span<const Parameter> FlavorParameters() { return kFlavor; }

}  // namespace elb::rest
