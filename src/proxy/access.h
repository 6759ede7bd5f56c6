#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ip.h"
#include "contract/config_snapshot.h"

namespace elb::proxy {

/// A set of addresses compiled from prefixes: disjoint sorted ranges, found by binary search, so
/// the cost does not depend on order and hardly on number. Immutable, thread-safe.
class AddressSet {
 public:
  explicit AddressSet(std::span<const IpPrefix> prefixes);
  [[nodiscard]] bool Contains(const IpAddress& address) const;

 private:
  using Key = std::array<std::uint8_t, 16>;
  struct Range4 {
    std::uint32_t first;
    std::uint32_t last;
  };
  struct Range6 {
    Key first;
    Key last;
  };
  std::vector<Range4> ranges4_;
  std::vector<Range6> ranges6_;
};

/// Whether a peer may connect (data-plane.md 3.1). `group` is null when it does not exist.
[[nodiscard]] bool Admits(contract::AccessMode mode, const AddressSet* group,
                          const IpAddress& peer);

}  // namespace elb::proxy
