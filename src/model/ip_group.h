#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// One address or network of an IP address group.
struct IpEntry {
  std::string ip;  ///< As sent: an address or a network in CIDR form.
  std::string description;
  friend bool operator==(const IpEntry&, const IpEntry&) = default;
};

/// A list of addresses that listeners let in or keep out (api-v3.md 2.7).
struct IpGroup {
  Identity identity;
  std::string name;
  std::string description;
  std::vector<IpEntry> ip_list;
  friend bool operator==(const IpGroup&, const IpGroup&) = default;
};

[[nodiscard]] const Schema& IpGroupSchema();

/// Checks every entry and merges those of the same network: first position, last description.
/// `entries_max` is the quota `ipgroup_max_length`; -1: none. Errors: kInvalid at the entry,
/// kQuota.
[[nodiscard]] Result<void> CheckIpGroup(IpGroup& group, std::int64_t entries_max);

/// `iplist/create-or-update`: known networks get the new description, new ones are appended.
/// Errors: kInvalid at the entry.
[[nodiscard]] Result<void> AddIpEntries(std::vector<IpEntry>& list,
                                        const std::vector<IpEntry>& changes);

/// `iplist/batch-delete`: removes the networks listed; unknown ones are ignored. Errors: kInvalid
/// at the entry.
[[nodiscard]] Result<void> RemoveIpEntries(std::vector<IpEntry>& list,
                                           const std::vector<IpEntry>& removed);

}  // namespace elb::model
