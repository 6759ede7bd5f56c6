#include "tls/server_names.h"

#include <gtest/gtest.h>

#include <string>

namespace elb::tls {
namespace {

using crypto::KeyType;

constexpr std::size_t kNone = NamedCertificates::kNone;

TEST(NormalServerNameTest, LowersAndStripsOneDot) {
  EXPECT_EQ(NormalServerName("WWW.A.Com"), "www.a.com");
  EXPECT_EQ(NormalServerName("www.a.com."), "www.a.com");
  EXPECT_EQ(NormalServerName("a_b-c.example"), "a_b-c.example");
}

TEST(NormalServerNameTest, IsEmptyForWhatCannotMatch) {
  EXPECT_EQ(NormalServerName(""), "");
  EXPECT_EQ(NormalServerName("."), "");
  EXPECT_EQ(NormalServerName(".a.com"), "");
  EXPECT_EQ(NormalServerName("a..com"), "");
  EXPECT_EQ(NormalServerName("www.a.com.."), "");
  EXPECT_EQ(NormalServerName("b\xc3\xbc"
                             "cher.example"),
            "");
  EXPECT_EQ(NormalServerName("a b.com"), "");
  EXPECT_EQ(NormalServerName("a\r\nx.com"), "");
  EXPECT_EQ(NormalServerName(std::string(254, 'a')), "");
  EXPECT_EQ(NormalServerName(std::string(253, 'a')), std::string(253, 'a'));
}

TEST(ServerNamesTest, PrefersTheExactName) {
  ServerNames names(SniMatch::kWildcard);
  names.Add("*.a.com", KeyType::kEc, 1);
  names.Add("www.a.com", KeyType::kRsa, 2);

  EXPECT_EQ(*names.Find("www.a.com"), (NamedCertificates{.ec = kNone, .rsa = 2}));
  EXPECT_EQ(*names.Find("x.a.com"), (NamedCertificates{.ec = 1, .rsa = kNone}));
}

TEST(ServerNamesTest, JoinsKindsOfKeysUnderOneNameAndKeepsTheFirst) {
  ServerNames names(SniMatch::kWildcard);
  names.Add("a.com", KeyType::kRsa, 1);
  names.Add("a.com", KeyType::kEc, 2);
  names.Add("a.com", KeyType::kRsa, 3);

  EXPECT_EQ(*names.Find("a.com"), (NamedCertificates{.ec = 2, .rsa = 1}));
}

TEST(ServerNamesTest, AStarIsOneLabelByDefault) {
  ServerNames names(SniMatch::kWildcard);
  names.Add("*.test.com", KeyType::kRsa, 1);

  EXPECT_NE(names.Find("a.test.com"), nullptr);
  EXPECT_EQ(names.Find("a.b.test.com"), nullptr);
  EXPECT_EQ(names.Find("test.com"), nullptr);
}

TEST(ServerNamesTest, TheLongestSuffixWinsIfSoChosen) {
  ServerNames names(SniMatch::kLongestSuffix);
  names.Add("*.com", KeyType::kRsa, 1);
  names.Add("*.test.com", KeyType::kRsa, 2);

  EXPECT_EQ(names.Find("a.b.test.com")->rsa, 2U);
  EXPECT_EQ(names.Find("a.test.com")->rsa, 2U);
  EXPECT_EQ(names.Find("test.com")->rsa, 1U);
  EXPECT_EQ(names.Find("com"), nullptr);
}

TEST(ServerNamesTest, FindsNothingForAddressesAndEmptyNames) {
  ServerNames names(SniMatch::kLongestSuffix);
  names.Add("*.1", KeyType::kRsa, 1);

  EXPECT_EQ(names.Find("192.0.2.1"), nullptr);
  EXPECT_EQ(names.Find(""), nullptr);
}

}  // namespace
}  // namespace elb::tls
