#pragma once

#include <cstdint>
#include <string_view>

#include "base/ip.h"

namespace elb::balancer {

/// A member's part of the highest-random-weight score (data-plane.md 6.4): a keyed hash of
/// "address:port". The key is built in: the same on every worker, node and restart.
[[nodiscard]] std::uint64_t MemberSeed(const Endpoint& endpoint);

/// A client's part: a keyed hash of the 4 or 16 address bytes.
[[nodiscard]] std::uint64_t ClientSeed(const IpAddress& client);

/// The same for the value of an application's cookie (data-plane.md 7.3).
[[nodiscard]] std::uint64_t ValueSeed(std::string_view value);

/// The score of a member for a client; the highest one serves.
[[nodiscard]] constexpr std::uint64_t Score(std::uint64_t member_seed, std::uint64_t client_seed) {
  std::uint64_t value = member_seed ^ client_seed;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace elb::balancer
