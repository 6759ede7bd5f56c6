#include "balancer/source_ip.h"

#include <xxhash.h>

#include <string>

namespace elb::balancer {
namespace {

// Changing either one moves every client of every SOURCE_IP pool, or every unknown application
// cookie.
constexpr std::uint64_t kMemberKey = 0x656c622d6d656d62;
constexpr std::uint64_t kClientKey = 0x656c622d636c6e74;
constexpr std::uint64_t kValueKey = 0x656c622d76616c75;

}  // namespace

std::uint64_t MemberSeed(const Endpoint& endpoint) {
  const std::string text = endpoint.ToString();
  return XXH3_64bits_withSeed(text.data(), text.size(), kMemberKey);
}

std::uint64_t ClientSeed(const IpAddress& client) {
  return XXH3_64bits_withSeed(client.bytes().data(), client.size(), kClientKey);
}

std::uint64_t ValueSeed(std::string_view value) {
  return XXH3_64bits_withSeed(value.data(), value.size(), kValueKey);
}

}  // namespace elb::balancer
