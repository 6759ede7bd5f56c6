#include "proxy/access.h"

#include <algorithm>
#include <cstddef>

namespace elb::proxy {
namespace {

std::uint32_t Number(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

/// Sorts and joins overlapping ranges.
template <typename Range>
void Normalise(std::vector<Range>& ranges) {
  std::ranges::sort(ranges, [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().last) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  ranges = std::move(joined);
}

template <typename Range, typename Key>
bool Find(const std::vector<Range>& ranges, const Key& key) {
  const auto behind = std::ranges::upper_bound(ranges, key, {}, &Range::first);
  return behind != ranges.begin() && key <= std::prev(behind)->last;
}

}  // namespace

AddressSet::AddressSet(std::span<const IpPrefix> prefixes) {
  for (const IpPrefix& prefix : prefixes) {
    if (prefix.address.family() == IpFamily::kV4) {
      const std::uint32_t first = Number(prefix.address);
      const std::uint32_t host =
          prefix.length == 0 ? UINT32_MAX : (std::uint32_t{1} << (32 - prefix.length)) - 1;
      ranges4_.push_back({.first = first, .last = first | host});
      continue;
    }
    Range6 range{.first = prefix.address.bytes(), .last = prefix.address.bytes()};
    for (std::size_t i = 0; i < range.last.size(); ++i) {
      const auto bit = static_cast<unsigned>(i * 8);
      if (bit >= prefix.length) {
        range.last[i] = 0xff;
      } else if (prefix.length - bit < 8) {
        range.last[i] = static_cast<std::uint8_t>(range.last[i] | (0xffU >> (prefix.length - bit)));
      }
    }
    ranges6_.push_back(range);
  }
  Normalise(ranges4_);
  Normalise(ranges6_);
}

bool AddressSet::Contains(const IpAddress& address) const {
  return address.family() == IpFamily::kV4 ? Find(ranges4_, Number(address))
                                           : Find(ranges6_, address.bytes());
}

bool Admits(contract::AccessMode mode, const AddressSet* group, const IpAddress& peer) {
  switch (mode) {
    case contract::AccessMode::kEveryone:
      return true;
    case contract::AccessMode::kWhite:
      return group != nullptr && group->Contains(peer);
    case contract::AccessMode::kBlack:
      return group == nullptr || !group->Contains(peer);
  }
  return false;
}

}  // namespace elb::proxy
