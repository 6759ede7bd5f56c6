/// Addresses and prefixes of IP groups.

#include <string>

#include "base/ip.h"
#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using elb::fuzz::Require;
  const std::string_view text = elb::fuzz::Text(data, size);
  if (const auto address = elb::IpAddress::Parse(text)) {
    const std::string written = address->ToString();
    const auto again = elb::IpAddress::Parse(written);
    Require(again && *again == *address, "an address survives being written", written);
    const auto prefix = elb::IpPrefix::Parse(text);
    Require(prefix && prefix->Contains(*address), "an address is a prefix of itself", written);
  }
  if (const auto prefix = elb::IpPrefix::Parse(text)) {
    const std::string written = prefix->ToString();
    const auto again = elb::IpPrefix::Parse(written);
    Require(again && *again == *prefix, "a prefix survives being written", written);
    Require(prefix->Contains(prefix->address), "a prefix holds its first address", written);
  }
  return 0;
}
