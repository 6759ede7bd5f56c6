#include "proxy/access.h"

#include <gtest/gtest.h>

#include <random>

namespace elb::proxy {
namespace {

using contract::AccessMode;

IpPrefix Prefix(const char* text) { return *IpPrefix::Parse(text); }
IpAddress Address(const char* text) { return *IpAddress::Parse(text); }

TEST(AddressSetTest, HoldsWhatItsPrefixesHold) {
  const std::vector<IpPrefix> prefixes{Prefix("10.0.0.0/8"), Prefix("2001:db8::/32"),
                                       Prefix("192.168.0.1/24"), Prefix("0.0.0.0"),
                                       Prefix("::ffff:127.0.0.2")};
  const AddressSet set(prefixes);

  EXPECT_TRUE(set.Contains(Address("10.255.255.255")));
  EXPECT_TRUE(set.Contains(Address("192.168.0.200")));
  EXPECT_TRUE(set.Contains(Address("2001:db8:ffff::1")));
  EXPECT_TRUE(set.Contains(Address("127.0.0.2")));
  EXPECT_TRUE(set.Contains(Address("::ffff:10.1.2.3")));
  EXPECT_FALSE(set.Contains(Address("11.0.0.0")));
  EXPECT_FALSE(set.Contains(Address("2001:db9::")));
  EXPECT_FALSE(set.Contains(Address("127.0.0.1")));
}

TEST(AddressSetTest, AgreesWithTheNaiveLoop) {
  std::mt19937 random(7);
  std::vector<IpPrefix> prefixes;
  for (int i = 0; i < 300; ++i) {
    const auto number = static_cast<std::uint32_t>(random());
    IpPrefix prefix;
    const auto address = IpAddress::V4({10, static_cast<std::uint8_t>(number % 4),
                                        static_cast<std::uint8_t>(number >> 8),
                                        static_cast<std::uint8_t>(number >> 16)});
    prefix = *IpPrefix::Parse(address.ToString() + "/" + std::to_string(16 + number % 17));
    prefixes.push_back(prefix);
  }
  const AddressSet set(prefixes);

  for (int i = 0; i < 20000; ++i) {
    const auto number = static_cast<std::uint32_t>(random());
    const auto address = IpAddress::V4({10, static_cast<std::uint8_t>(number % 5),
                                        static_cast<std::uint8_t>(number >> 8),
                                        static_cast<std::uint8_t>(number >> 16)});
    bool expected = false;
    for (const IpPrefix& prefix : prefixes) {
      expected = expected || prefix.Contains(address);
    }
    ASSERT_EQ(set.Contains(address), expected) << address.ToString();
  }
}

TEST(AdmitsTest, FollowsListTypeAndEmptiness) {
  const std::vector<IpPrefix> one{Prefix("127.0.0.2")};
  const AddressSet listed(one);
  const AddressSet empty({});
  const IpAddress inside = Address("127.0.0.2");
  const IpAddress outside = Address("127.0.0.1");

  EXPECT_TRUE(Admits(AccessMode::kEveryone, nullptr, outside));
  EXPECT_TRUE(Admits(AccessMode::kWhite, &listed, inside));
  EXPECT_FALSE(Admits(AccessMode::kWhite, &listed, outside));
  EXPECT_FALSE(Admits(AccessMode::kBlack, &listed, inside));
  EXPECT_TRUE(Admits(AccessMode::kBlack, &listed, outside));
  EXPECT_FALSE(Admits(AccessMode::kWhite, &empty, inside));
  EXPECT_TRUE(Admits(AccessMode::kBlack, &empty, inside));
}

}  // namespace
}  // namespace elb::proxy
