// Which certificate a client sees (data-plane.md 2.3 and 2.4, T2.3).

#include <gtest/gtest.h>

#include <string>

#include "tls/server_context.h"
#include "tls/testing/pki.h"
#include "tls/testing/policies.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using testing::ClientOptions;
using testing::KeyKind;
using testing::Pair;

class CertificateChoiceTest : public ::testing::TestWithParam<int> {
 protected:
  CertificateChoiceTest() {
    spec_.policy = testing::SystemPolicy("tls-1-0-with-1-3");
    Add("www.a.com", "rsa", KeyKind::kRsa);
    Add("www.a.com", "ec", KeyKind::kP256);
    Add("*.a.com", "star-a", KeyKind::kRsa);
    Add("*.b.a.com", "star-b", KeyKind::kRsa);
    listener_.Use(spec_);
  }

  void Add(const std::string& name, const std::string& id, KeyKind key) {
    spec_.sni.push_back(
        {.certificate = testing::EntryOf(id, testing::Issue({.common_name = id, .key = key})),
         .names = {name}});
  }

  /// The id of the certificate presented, checked against what the client saw.
  std::string Presented(const std::string& sni, ClientOptions options = {}) {
    options.sni = sni;
    options.version_min = GetParam() == TLS1_3_VERSION ? TLS1_3_VERSION : TLS1_VERSION;
    options.version_max = GetParam();
    Pair pair(listener_, options);
    if (!pair.Establish()) {
      return "alert " + std::to_string(pair.client.alert());
    }
    EXPECT_EQ(pair.client.ServerName(), pair.server->facts().certificate_id);
    return std::string(pair.server->facts().certificate_id);
  }

  ServerSpec spec_ = testing::SpecWith(
      testing::EntryOf("D", testing::Issue({.common_name = "D", .key = KeyKind::kRsa})));
  testing::Listener listener_;
};
INSTANTIATE_TEST_SUITE_P(Versions, CertificateChoiceTest,
                         ::testing::Values(TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return "Version" + std::to_string(info.param & 0xf);
                         });

TEST_P(CertificateChoiceTest, FollowsTheServerName) {
  EXPECT_EQ(Presented("www.a.com"), "ec");
  EXPECT_EQ(Presented("WWW.A.COM."), "ec");
  EXPECT_EQ(Presented("x.a.com"), "star-a");
  EXPECT_EQ(Presented("x.b.a.com"), "star-b");
  EXPECT_EQ(Presented("y.x.b.a.com"), "D");
  EXPECT_EQ(Presented("a.com"), "D");
  EXPECT_EQ(Presented(""), "D");
  EXPECT_EQ(Presented("192.0.2.1"), "D");
  EXPECT_EQ(Presented("a..com"), "D");
}

TEST_P(CertificateChoiceTest, TakesTheLongestSuffixIfSoChosen) {
  spec_.sni_match = SniMatch::kLongestSuffix;
  listener_.Use(spec_);

  EXPECT_EQ(Presented("y.x.b.a.com"), "star-b");
  EXPECT_EQ(Presented("y.x.a.com"), "star-a");
}

TEST_P(CertificateChoiceTest, GivesRsaToClientsThatCannotUseEc) {
  const ClientOptions only_rsa{.signature_algorithms = "RSA+SHA256:rsa_pss_rsae_sha256"};

  EXPECT_EQ(Presented("www.a.com", only_rsa), "rsa");
}

TEST_P(CertificateChoiceTest, GivesRsaToClientsWithoutAnEcSuiteOrTheCurve) {
  // TLS 1.3 suites name no kind of certificate, and its signature algorithms name the curve.
  const std::string expected = GetParam() == TLS1_3_VERSION ? "ec" : "rsa";

  EXPECT_EQ(Presented("www.a.com", {.ciphers = "ECDHE-RSA-AES128-SHA"}), expected);
  EXPECT_EQ(Presented("www.a.com", {.groups = "P-384"}), expected);
}

TEST_P(CertificateChoiceTest, IgnoresServerNamesWhenThereIsNoList) {
  spec_.sni.clear();
  listener_.Use(spec_);

  EXPECT_EQ(Presented("www.a.com"), "D");
}

TEST_P(CertificateChoiceTest, SendsTheChainWithoutItsRoot) {
  const testing::Issued root = testing::Issue({.common_name = "root", .ca = true});
  const testing::Issued middle =
      testing::Issue({.common_name = "middle", .key_number = 1, .issuer = &root, .ca = true});
  const testing::Issued leaf =
      testing::Issue({.common_name = "leaf", .key_number = 2, .issuer = &middle});
  spec_.default_certificate = testing::EntryOf("leaf", leaf, {&middle, &root});
  listener_.Use(spec_);
  Pair pair(listener_, {.version_max = GetParam()});

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(pair.client.ServerName(), "leaf");
  EXPECT_EQ(pair.client.chain_size(), 2U);
}

TEST_P(CertificateChoiceTest, CostsTheSameAmongTenThousandNames) {
  const CertificateEntry entry =
      testing::EntryOf("many", testing::Issue({.common_name = "many", .key = KeyKind::kP256}));
  for (int i = 0; i < 10'000; ++i) {
    spec_.sni.push_back({.certificate = entry, .names = {"host" + std::to_string(i) + ".example"}});
  }
  listener_.Use(spec_);

  EXPECT_EQ(Presented("host9999.example"), "many");
  EXPECT_EQ(Presented("host10000.example"), "D");
}

TEST(ServerContextTest, RefusesAKeyThatDoesNotFitAndNamesTheField) {
  testing::Listener listener;
  const testing::Issued one = testing::Issue({.common_name = "one"});
  const testing::Issued two = testing::Issue({.common_name = "two", .key_number = 1});
  CertificateEntry mixed = testing::EntryOf("mixed", one);
  mixed.key = testing::EntryOf("two", two).key;
  CertificateEntry keyless = testing::EntryOf("keyless", one);
  keyless.key = nullptr;

  const auto standard = ServerContext::Create(testing::SpecWith(mixed), listener.keys);
  ServerSpec spec = testing::SpecWith(one);
  spec.sni = {{.certificate = testing::EntryOf("fine", one), .names = {}},
              {.certificate = keyless, .names = {}}};
  const auto second = ServerContext::Create(spec, listener.keys);

  ASSERT_FALSE(standard.has_value());
  EXPECT_EQ(standard.error().path, "default_tls_container_ref");
  EXPECT_EQ(standard.error().kind, ErrorKind::kUnusableCertificate);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().path, "sni_container_refs[1]");
}

}  // namespace
}  // namespace elb::tls
