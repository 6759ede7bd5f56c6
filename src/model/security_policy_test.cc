#include "model/security_policy.h"

#include <gtest/gtest.h>

#include "model/catalogue.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;

std::string Created(const std::string& body) {
  SecurityPolicy policy;
  return CreateProblem(SecurityPolicySchema(), body, &policy);
}

TEST(SecurityPolicyTest, NeedsProtocolsAndCiphers) {
  EXPECT_EQ(Created(R"({"ciphers":["AES128-SHA"]})"), "security_policy.protocols");
  EXPECT_EQ(Created(R"({"protocols":["TLSv1"]})"), "security_policy.ciphers");
  EXPECT_EQ(Created(R"({"protocols":[],"ciphers":["AES128-SHA"]})"), "security_policy.protocols");
  EXPECT_EQ(Created(R"({"protocols":["TLSv1"],"ciphers":null})"), "security_policy.ciphers");
}

TEST(SecurityPolicyTest, RefusesUnknownNamesAndDuplicates) {
  EXPECT_EQ(Created(R"({"protocols":["SSLv3"],"ciphers":["AES128-SHA"]})"),
            "security_policy.protocols[0]");
  EXPECT_EQ(Created(R"({"protocols":["TLSv1"],"ciphers":["AES128-SHA","RC4-SHA"]})"),
            "security_policy.ciphers[1]");
  EXPECT_EQ(Created(R"({"protocols":["TLSv1","TLSv1"],"ciphers":["AES128-SHA"]})"),
            "security_policy.protocols[1]");
}

TEST(SecurityPolicyTest, RefusesNullOnUpdate) {
  SecurityPolicy policy{.protocols = {"TLSv1.2"}, .ciphers = {"AES128-SHA"}};
  EXPECT_EQ(UpdateProblem(SecurityPolicySchema(), R"({"protocols":null})", &policy),
            "security_policy.protocols");
  EXPECT_EQ(policy.protocols, std::vector<std::string>{"TLSv1.2"});
}

TEST(SecurityPolicyTest, KnowsWhichProtocolACipherNeeds) {
  EXPECT_TRUE(IsUsable("TLS_AES_128_GCM_SHA256", {"TLSv1.3"}));
  EXPECT_FALSE(IsUsable("TLS_AES_128_GCM_SHA256", {"TLSv1.2"}));
  EXPECT_TRUE(IsUsable("AES128-SHA", {"TLSv1"}));
  EXPECT_FALSE(IsUsable("AES128-SHA", {"TLSv1.3"}));
  EXPECT_TRUE(IsUsable("AES128-SHA256", {"TLSv1.2"}));
  EXPECT_FALSE(IsUsable("AES128-SHA256", {"TLSv1.1", "TLSv1.3"}));
  EXPECT_FALSE(IsUsable("ECDHE-RSA-CHACHA20-POLY1305", {"TLSv1"}));
}

TEST(SecurityPolicyTest, NeedsOneUsableCipher) {
  EXPECT_EQ(PathOf(CheckSecurityPolicy(
                {.protocols = {"TLSv1.3"}, .ciphers = {"AES128-SHA", "AES256-SHA"}})),
            "security_policy.ciphers");
  EXPECT_EQ(PathOf(CheckSecurityPolicy(
                {.protocols = {"TLSv1.3"}, .ciphers = {"AES128-SHA", "TLS_AES_128_GCM_SHA256"}})),
            "");
}

TEST(SystemPoliciesTest, HaveTheSuitesOfTheAppendix) {
  const std::vector<std::pair<std::string_view, std::size_t>> sizes{
      {"tls-1-0", 18},           {"tls-1-0-inherit", 33},
      {"tls-1-1", 18},           {"tls-1-2", 18},
      {"tls-1-2-strict", 12},    {"tls-1-2-fs", 8},
      {"tls-1-0-with-1-3", 23},  {"tls-1-2-fs-with-1-3", 13},
      {"hybrid-policy-1-0", 18}, {"tls-1-2-strict-no-cbc", 4}};
  ASSERT_EQ(SystemPolicies().size(), sizes.size());
  for (const auto& [name, size] : sizes) {
    ASSERT_NE(FindSystemPolicy(name), nullptr) << name;
    EXPECT_EQ(FindSystemPolicy(name)->ciphers.size(), size) << name;
  }
}

TEST(SystemPoliciesTest, OfferFiveToSharedLoadBalancers) {
  EXPECT_TRUE(IsOfferedOnShared("tls-1-2-strict"));
  EXPECT_FALSE(IsOfferedOnShared("tls-1-2-fs"));
  EXPECT_FALSE(IsOfferedOnShared("tls-1-0-with-1-3"));
}

}  // namespace
}  // namespace elb::model
