#include "tls/policy_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "tls/testing/pki.h"
#include "tls/testing/policies.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using testing::ClientOptions;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::KeyKind;
using testing::Pair;

struct Version {
  std::string_view name;
  int number;
};
constexpr std::array<Version, 4> kVersions{{{"TLSv1", TLS1_VERSION},
                                            {"TLSv1.1", TLS1_1_VERSION},
                                            {"TLSv1.2", TLS1_2_VERSION},
                                            {"TLSv1.3", TLS1_3_VERSION}}};

bool IsSuite13(std::string_view suite) { return suite.starts_with("TLS_"); }

/// Versions that know a suite, from its name.
bool Fits(std::string_view suite, int version) {
  if (IsSuite13(suite) || version == TLS1_3_VERSION) {
    return IsSuite13(suite) && version == TLS1_3_VERSION;
  }
  const bool since12 = suite.ends_with("SHA256") || suite.ends_with("SHA384");
  return version == TLS1_2_VERSION || !since12;
}

/// Kinds of certificates that a suite works with, from its name.
bool Fits(std::string_view suite, KeyKind key) {
  if (suite.contains("-DSS-")) {
    return false;
  }
  return IsSuite13(suite) || suite.contains("ECDSA") == (key != KeyKind::kRsa);
}

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

class Policy : public ::testing::TestWithParam<testing::NamedPolicy> {
 protected:
  static ClientOptions OptionsFor(std::string_view suite, int version) {
    ClientOptions options{.version_min = version, .version_max = version};
    (IsSuite13(suite) ? options.suites13 : options.ciphers) = suite;
    return options;
  }

  static bool IsKnown(std::string_view suite) {
    const SslContextPointer context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context.get(), 0);
    return IsSuite13(suite) || SSL_CTX_set_cipher_list(context.get(), suite.data()) == 1;
  }

  testing::Listener listener_;
};
INSTANTIATE_TEST_SUITE_P(System, Policy, ::testing::ValuesIn(testing::SystemPolicies()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(Policy, NegotiatesWhatItsTableSaysAndNothingElse) {
  const PolicySpec& policy = GetParam().spec;
  for (const KeyKind key : {KeyKind::kRsa, KeyKind::kP256}) {
    ServerSpec spec = testing::SpecWith(testing::Issue({.common_name = "a", .key = key}));
    spec.policy = policy;
    listener_.Use(spec);
    for (const std::string& suite : testing::AllSuites()) {
      for (const Version& version : kVersions) {
        if (!Fits(suite, version.number) || !IsKnown(suite)) {
          continue;
        }
        Pair pair(listener_, OptionsFor(suite, version.number));
        const bool version_allowed = Contains(policy.protocols, version.name);
        const bool expected =
            version_allowed && Contains(policy.ciphers, suite) && Fits(suite, key);

        EXPECT_EQ(pair.Establish(), expected) << suite << ' ' << version.name;
        if (expected) {
          EXPECT_EQ(pair.server->facts().cipher, suite);
          EXPECT_EQ(pair.server->facts().version, version.name);
        } else {
          EXPECT_EQ(pair.client.alert(), version_allowed ? 40 : 70) << suite << version.name;
          EXPECT_EQ(pair.outcome.error(),
                    (Fault{.side = FaultSide::kDownstream,
                           .code = FaultCode::kTls,
                           .detail = static_cast<std::int16_t>(version_allowed ? 40 : 70)}));
        }
      }
    }
  }
}

class PolicyContextTest : public ::testing::Test {
 protected:
  void Use(const PolicySpec& policy, KeyKind key = KeyKind::kRsa) {
    ServerSpec spec = testing::SpecWith(testing::Issue({.common_name = "a", .key = key}));
    spec.policy = policy;
    listener_.Use(spec);
  }

  testing::Listener listener_;
};

TEST_F(PolicyContextTest, TheServersOrderDecides) {
  Use(testing::SystemPolicy("tls-1-2"));
  Pair pair(listener_,
            {.version_max = TLS1_2_VERSION, .ciphers = "AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384"});

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(pair.server->facts().cipher, "ECDHE-RSA-AES256-GCM-SHA384");
}

TEST_F(PolicyContextTest, VersionPrecedesSuite) {
  Use(testing::SystemPolicy("tls-1-0-with-1-3"));
  Pair pair(listener_);

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(pair.server->facts().version, "TLSv1.3");
}

TEST_F(PolicyContextTest, ProtocolsMayHaveAHole) {
  Use({.protocols = {"TLSv1", "TLSv1.2"}, .ciphers = {"AES128-SHA"}});
  Pair middle(listener_, {.version_min = TLS1_1_VERSION, .version_max = TLS1_1_VERSION});
  Pair low(listener_, {.version_max = TLS1_VERSION});
  Pair high(listener_, {.version_max = TLS1_3_VERSION});

  EXPECT_FALSE(middle.Establish());
  ASSERT_TRUE(low.Establish());
  ASSERT_TRUE(high.Establish());
  EXPECT_EQ(high.server->facts().version, "TLSv1.2");
}

TEST_F(PolicyContextTest, DropsProtocolsWithoutASuite) {
  Use({.protocols = {"TLSv1", "TLSv1.2", "TLSv1.3"}, .ciphers = {"AES128-GCM-SHA256"}});
  Pair old(listener_, {.version_max = TLS1_VERSION});
  Pair current(listener_, {.version_min = TLS1_3_VERSION});

  EXPECT_FALSE(old.Establish());
  EXPECT_EQ(old.client.alert(), 70);
  EXPECT_FALSE(current.Establish());
  EXPECT_EQ(current.client.alert(), 70);
  EXPECT_THAT(listener_.context->effective_ciphers(), ElementsAre("AES128-GCM-SHA256"));
}

TEST_F(PolicyContextTest, SkipsUnknownSuitesAndThoseOfDsa) {
  Use({.protocols = {"TLSv1.2", "TLSv1.3"},
       .ciphers = {"RC4-SHA", "DHE-DSS-AES128-SHA", "AES128-SHA", "NO-SUCH-SUITE",
                   "ECDHE-RSA-AES128-SHA", "TLS_CHACHA20_POLY1305_SHA256"}});

  EXPECT_THAT(listener_.context->effective_ciphers(),
              ElementsAre("AES128-SHA", "ECDHE-RSA-AES128-SHA", "TLS_CHACHA20_POLY1305_SHA256"));
}

TEST_F(PolicyContextTest, ListsOnlySuitesThatAProtocolUses) {
  Use({.protocols = {"TLSv1.1"}, .ciphers = {"AES128-GCM-SHA256", "AES128-SHA"}});

  EXPECT_THAT(listener_.context->effective_ciphers(), ElementsAre("AES128-SHA"));
}

TEST_F(PolicyContextTest, RefusesAPolicyWithoutAnyUsableSuite) {
  for (const PolicySpec& policy :
       {PolicySpec{.protocols = {"TLSv1.1"}, .ciphers = {"AES128-GCM-SHA256"}},
        PolicySpec{.protocols = {"TLSv1.3"}, .ciphers = {"AES128-GCM-SHA256"}},
        PolicySpec{.protocols = {"TLSv1.2"}, .ciphers = {}},
        PolicySpec{.protocols = {}, .ciphers = {"AES128-SHA"}}}) {
    const auto context = PolicyContext::Get(policy, nullptr);

    ASSERT_FALSE(context.has_value());
    EXPECT_EQ(context.error().path, "tls_ciphers_policy");
  }
}

TEST_F(PolicyContextTest, SignsWithSha1OnlyForPoliciesWithOldVersions) {
  Use(testing::SystemPolicy("tls-1-0"));
  Pair old(listener_,
           {.version_max = TLS1_2_VERSION, .ciphers = "ECDHE", .signature_algorithms = "RSA+SHA1"});
  EXPECT_TRUE(old.Establish());

  Use(testing::SystemPolicy("tls-1-2"));
  Pair strict(
      listener_,
      {.version_max = TLS1_2_VERSION, .ciphers = "ECDHE", .signature_algorithms = "RSA+SHA1"});
  EXPECT_FALSE(strict.Establish());
  EXPECT_EQ(strict.client.alert(), 40);
}

TEST_F(PolicyContextTest, NegotiatesEachGroup) {
  Use(testing::SystemPolicy("tls-1-2-fs-with-1-3"));
  for (const char* group : {"X25519", "P-256", "P-384", "P-521"}) {
    Pair pair(listener_, {.version_min = TLS1_3_VERSION, .groups = group});

    EXPECT_TRUE(pair.Establish()) << group;
  }
  Pair other(listener_, {.version_min = TLS1_3_VERSION, .groups = "X448"});
  EXPECT_FALSE(other.Establish());
  EXPECT_EQ(other.client.alert(), 40);
}

TEST_F(PolicyContextTest, UsesTheFiniteFieldGroupOfRfc7919) {
  Use(testing::SystemPolicy("tls-1-0-inherit"));
  Pair pair(listener_, {.version_max = TLS1_2_VERSION, .ciphers = "DHE-RSA-AES128-SHA"});

  ASSERT_TRUE(pair.Establish());

  EVP_PKEY* key = nullptr;
  ASSERT_EQ(SSL_get_peer_tmp_key(pair.client.ssl(), &key), 1);
  const crypto::KeyPointer owned(key);
  std::array<char, 32> group{};
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_get_group_name(key, group.data(), group.size(), &size), 1);
  EXPECT_EQ(std::string_view(group.data(), size), "ffdhe2048");
}

TEST_F(PolicyContextTest, SupportsExtendedMasterSecretAndNoCompression) {
  Use(testing::SystemPolicy("tls-1-2"));
  Pair pair(listener_);

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(SSL_get_extms_support(pair.client.ssl()), 1);
  EXPECT_EQ(SSL_get_current_compression(pair.client.ssl()), nullptr);
}

TEST_F(PolicyContextTest, SharesEqualContexts) {
  const PolicySpec policy = testing::SystemPolicy("tls-1-2");
  const auto first = PolicyContext::Get(policy, nullptr);
  const auto second = PolicyContext::Get(policy, nullptr);
  const auto other = PolicyContext::Get(testing::SystemPolicy("tls-1-1"), nullptr);

  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
}

}  // namespace
}  // namespace elb::tls
