#include "model/ip_group.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <utility>

#include "base/ip.h"
#include "model/common_fields.h"

namespace elb::model {
namespace {

/// Equality of entries is that of their networks: `10.0.0.1` is `10.0.0.1/32`.
using NetworkKey = std::pair<IpAddress, std::uint8_t>;

const Schema& IpEntrySchema() {
  static const Schema schema{
      "ip_list",
      {
          Field("ip", &IpEntry::ip)
              .Label("IP Address")
              .Range(1, 64)
              .Required()
              .Set(Access::kCreateAndUpdate)
              .Doc("IPv4 or IPv6 address, or a network in CIDR form; host bits are allowed."),
          Field("description", &IpEntry::description)
              .Label("Description")
              .Range(0, kTextMax)
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate)
              .Doc("Supplementary information about the address."),
      }};
  return schema;
}

Result<std::vector<NetworkKey>> Networks(const std::vector<IpEntry>& list) {
  std::vector<NetworkKey> networks;
  networks.reserve(list.size());
  for (const IpEntry& entry : list) {
    const auto prefix = IpPrefix::Parse(entry.ip);
    if (!prefix) {
      return Invalid(fmt::format("ipgroup.ip_list[{}].ip", networks.size()),
                     fmt::format("'{}' is neither an IP address nor a network", entry.ip));
    }
    networks.emplace_back(prefix->address, prefix->length);
  }
  return networks;
}

}  // namespace

const Schema& IpGroupSchema() {
  using T = IpGroup;
  static const Schema schema{
      "ipgroup",
      Concat({IdentityFields(),
              {
                  NameField(&T::name, "IP address group"),
                  DescriptionField(&T::description, "IP address group"),
                  Field("ip_list", &T::ip_list, IpEntrySchema())
                      .Label("IP Addresses")
                      .OnNull(Null::kClear)
                      .Set(Access::kCreateAndUpdate)
                      .Doc("Addresses and networks of the group; an update replaces all. The "
                           "quota ipgroup_max_length bounds them: 300 unless configured."),
                  Field::Derived("listeners", ValueType::kObjectList, &ReferenceSchema())
                      .Label("Listeners")
                      .Doc("Listeners bound to the group, also without effect."),
                  ExtensionsField(),
              }})};
  return schema;
}

Result<void> CheckIpGroup(IpGroup& group, std::int64_t entries_max) {
  std::vector<IpEntry> merged;
  ELB_RETURN_IF_ERROR(AddIpEntries(merged, group.ip_list));
  if (entries_max >= 0 && static_cast<std::int64_t>(merged.size()) > entries_max) {
    return Failure(ErrorKind::kQuota, "ipgroup.ip_list",
                   fmt::format("quota exceeded: ipgroup_max_length is limited to {}", entries_max));
  }
  group.ip_list = std::move(merged);
  return {};
}

Result<void> AddIpEntries(std::vector<IpEntry>& list, const std::vector<IpEntry>& changes) {
  ELB_ASSIGN_OR_RETURN(const std::vector<NetworkKey> networks, Networks(changes));
  ELB_ASSIGN_OR_RETURN(const std::vector<NetworkKey> present, Networks(list));
  absl::flat_hash_map<NetworkKey, std::size_t> positions;
  for (std::size_t i = 0; i < present.size(); ++i) {
    positions.emplace(present[i], i);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto [position, fresh] = positions.emplace(networks[i], list.size());
    if (fresh) {
      list.push_back(changes[i]);
    } else {
      list[position->second].description = changes[i].description;
    }
  }
  return {};
}

Result<void> RemoveIpEntries(std::vector<IpEntry>& list, const std::vector<IpEntry>& removed) {
  ELB_ASSIGN_OR_RETURN(const std::vector<NetworkKey> networks, Networks(removed));
  ELB_ASSIGN_OR_RETURN(const std::vector<NetworkKey> present, Networks(list));
  const absl::flat_hash_set<NetworkKey> gone(networks.begin(), networks.end());
  std::vector<IpEntry> kept;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!gone.contains(present[i])) {
      kept.push_back(std::move(list[i]));
    }
  }
  list = std::move(kept);
  return {};
}

}  // namespace elb::model
