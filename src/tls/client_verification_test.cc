// Mutual authentication (data-plane.md 2.6, T2.4, T2.5).

#include "tls/client_verification.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using testing::Issue;
using testing::Issued;
using testing::KeyKind;
using testing::Pair;

constexpr int kAccepted = -1;

class ClientVerificationTest : public ::testing::TestWithParam<int> {
 protected:
  ClientVerificationTest() { Trust({&ca_}); }

  void Trust(const std::vector<const Issued*>& anchors) {
    spec_.client_ca = testing::ParseChain(anchors);
    listener_.Use(spec_);
  }

  /// The alert that a client with that certificate gets, or kAccepted.
  int AlertFor(const Issued* certificate, const std::vector<const Issued*>& chain = {}) {
    Pair pair(listener_,
              {.version_min = GetParam(), .version_max = GetParam(), .certificate = certificate});
    for (const Issued* more : chain) {
      SSL_add1_chain_cert(pair.client.ssl(), more->certificate.get());
    }
    if (pair.Establish()) {
      EXPECT_TRUE(pair.server->facts().has_client_certificate);
      return kAccepted;
    }
    const Fault expected{.side = FaultSide::kDownstream,
                         .code = FaultCode::kTls,
                         .detail = static_cast<std::int16_t>(pair.client.alert())};
    EXPECT_EQ(pair.outcome.error(), expected);
    return pair.client.alert();
  }

  const Issued ca_ = Issue({.common_name = "ca", .ca = true});
  const Issued rsa_ca_ = Issue({.common_name = "rsa", .key = KeyKind::kRsa, .ca = true});
  const Issued client_ = Issue({.common_name = "client", .key_number = 1, .issuer = &ca_});
  ServerSpec spec_ = testing::SpecWith(Issue({.common_name = "server", .key_number = 2}));
  testing::Listener listener_;
};
INSTANTIATE_TEST_SUITE_P(Versions, ClientVerificationTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), [](const auto& info) {
                           return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(ClientVerificationTest, AcceptsACertificateOfTheCa) {
  EXPECT_EQ(AlertFor(&client_), kAccepted);
}

TEST_P(ClientVerificationTest, NeedsACertificate) {
  EXPECT_EQ(AlertFor(nullptr), GetParam() == TLS1_2_VERSION ? 40 : 116);
}

TEST_P(ClientVerificationTest, RefusesStrangers) {
  const Issued self_signed = Issue({.common_name = "client", .key_number = 1});
  const Issued other_ca = Issue({.common_name = "other", .key_number = 3, .ca = true});
  const Issued of_other = Issue({.common_name = "x", .key_number = 1, .issuer = &other_ca});

  EXPECT_EQ(AlertFor(&self_signed), 48);
  EXPECT_EQ(AlertFor(&of_other), 48);
  EXPECT_EQ(AlertFor(&of_other, {&other_ca}), 48);
}

TEST_P(ClientVerificationTest, RefusesAnotherCaOfTheSameName) {
  const Issued namesake = Issue({.common_name = "ca", .key_number = 3, .ca = true});
  const Issued of_namesake = Issue({.common_name = "x", .key_number = 1, .issuer = &namesake});

  EXPECT_EQ(AlertFor(&of_namesake), 48);
}

TEST_P(ClientVerificationTest, RefusesCertificatesOutOfTheirTime) {
  const Issued expired =
      Issue({.common_name = "x", .key_number = 1, .issuer = &ca_, .ends_in_seconds = -60});
  const Issued future = Issue({.common_name = "x",
                               .key_number = 1,
                               .issuer = &ca_,
                               .starts_in_seconds = 3600,
                               .ends_in_seconds = 7200});

  EXPECT_EQ(AlertFor(&expired), 45);
  EXPECT_EQ(AlertFor(&future), 42);
}

TEST_P(ClientVerificationTest, RefusesClientsOfAnExpiredCa) {
  const Issued old_ca = Issue({.common_name = "old", .ca = true, .ends_in_seconds = -60});
  const Issued of_old = Issue({.common_name = "x", .key_number = 1, .issuer = &old_ca});
  Trust({&old_ca});

  EXPECT_EQ(AlertFor(&of_old), 45);
}

TEST_P(ClientVerificationTest, WantsClientAuthIfPurposesAreNamed) {
  const Issued server_only = Issue(
      {.common_name = "x", .key_number = 1, .issuer = &ca_, .extended_key_usage = "serverAuth"});
  const Issued both = Issue({.common_name = "x",
                             .key_number = 1,
                             .issuer = &ca_,
                             .extended_key_usage = "serverAuth,clientAuth"});

  EXPECT_EQ(AlertFor(&server_only), 43);
  EXPECT_EQ(AlertFor(&both), kAccepted);
}

TEST_P(ClientVerificationTest, RefusesASignatureByAnotherKey) {
  const Issued other = Issue({.common_name = "other", .key_number = 4});
  const Issued crossed = testing::WithCrossedKey(client_, other);

  EXPECT_EQ(AlertFor(&crossed), 51);
}

TEST_P(ClientVerificationTest, AcceptsAnIntermediateAsAnchor) {
  const Issued middle =
      Issue({.common_name = "middle", .key_number = 3, .issuer = &ca_, .ca = true});
  const Issued sibling =
      Issue({.common_name = "sibling", .key_number = 4, .issuer = &ca_, .ca = true});
  const Issued of_middle = Issue({.common_name = "x", .key_number = 1, .issuer = &middle});
  const Issued of_sibling = Issue({.common_name = "x", .key_number = 1, .issuer = &sibling});
  Trust({&middle});

  EXPECT_EQ(AlertFor(&of_middle), kAccepted);
  EXPECT_EQ(AlertFor(&of_sibling), 48);
  EXPECT_EQ(AlertFor(&of_sibling, {&sibling}), 48);
}

TEST_P(ClientVerificationTest, AcceptsTheVersion1CertificatesOfTheHowTo) {
  const Issued old_ca = Issue(
      {.common_name = "", .key = KeyKind::kRsa, .ca = true, .version1 = true, .digest = "SHA1"});
  const Issued old_client = Issue({.common_name = "www.test.com",
                                   .key = KeyKind::kRsa,
                                   .key_number = 1,
                                   .issuer = &old_ca,
                                   .version1 = true,
                                   .digest = "SHA1"});
  Trust({&old_ca});

  EXPECT_EQ(AlertFor(&old_client), kAccepted);
}

TEST_P(ClientVerificationTest, AcceptsAVersion1IntermediateAsAnchor) {
  const Issued middle = Issue(
      {.common_name = "middle", .key_number = 3, .issuer = &ca_, .ca = true, .version1 = true});
  const Issued of_middle = Issue({.common_name = "x", .key_number = 1, .issuer = &middle});
  Trust({&middle});

  EXPECT_EQ(AlertFor(&of_middle), kAccepted);
}

TEST_P(ClientVerificationTest, RefusesAnchorsThatSayTheyAreNoCa) {
  const Issued no_ca = Issue({.common_name = "leaf", .key_number = 3});
  const Issued of_leaf = Issue({.common_name = "x", .key_number = 1, .issuer = &no_ca});
  Trust({&no_ca});

  EXPECT_EQ(AlertFor(&of_leaf), 48);
}

TEST_P(ClientVerificationTest, NeverAcceptsMd5) {
  const Issued weak =
      Issue({.common_name = "x", .key_number = 1, .issuer = &rsa_ca_, .digest = "MD5"});
  Trust({&rsa_ca_});

  EXPECT_EQ(AlertFor(&weak), 42);
}

TEST_P(ClientVerificationTest, AcceptsAnyCertificateOfABundleAndNamesThemAll) {
  const Issued second = Issue({.common_name = "second", .key_number = 3, .ca = true});
  const Issued of_second = Issue({.common_name = "x", .key_number = 1, .issuer = &second});
  Trust({&ca_, &second});
  Pair pair(listener_,
            {.version_min = GetParam(), .version_max = GetParam(), .certificate = &of_second});

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(sk_X509_NAME_num(SSL_get0_peer_CA_list(pair.client.ssl())), 2);
}

TEST_P(ClientVerificationTest, TakesChainsOfElevenAndNoLonger) {
  std::vector<Issued> chain;
  const Issued* issuer = &ca_;
  chain.reserve(10);
  for (int i = 0; i < 10; ++i) {  // With the anchor and the leaf: 12.
    chain.push_back(Issue({.common_name = "middle " + std::to_string(i),
                           .key_number = 10 + i,
                           .issuer = issuer,
                           .ca = true}));
    issuer = &chain.back();
  }
  const Issued fits = Issue({.common_name = "x", .key_number = 1, .issuer = &chain[8]});
  const Issued too_long = Issue({.common_name = "x", .key_number = 1, .issuer = &chain[9]});
  std::vector<const Issued*> nine;
  std::vector<const Issued*> ten;
  for (int i = 9; i >= 0; --i) {
    ten.push_back(&chain[static_cast<std::size_t>(i)]);
    if (i < 9) {
      nine.push_back(&chain[static_cast<std::size_t>(i)]);
    }
  }

  EXPECT_EQ(AlertFor(&fits, nine), kAccepted);
  EXPECT_EQ(AlertFor(&too_long, ten), 48);
}

TEST_P(ClientVerificationTest, DescribesTheClientsCertificate) {
  Pair pair(listener_,
            {.version_min = GetParam(), .version_max = GetParam(), .certificate = &client_});

  ASSERT_TRUE(pair.Establish());

  const ClientCertificateFacts& facts = pair.server->client_certificate();
  EXPECT_EQ(facts.subject, "CN=client,O=ELB");
  EXPECT_EQ(facts.issuer, "CN=ca,O=ELB");
  EXPECT_EQ(facts.fingerprint.size(), 64U);
  EXPECT_EQ(facts.fingerprint.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(facts.serial, "0ABC00");
  EXPECT_TRUE(facts.not_after.ends_with(" GMT"));
  EXPECT_TRUE(facts.pem_escaped.starts_with("-----BEGIN%20CERTIFICATE-----%0A"));
  EXPECT_TRUE(facts.pem_escaped.ends_with("%0A-----END%20CERTIFICATE-----%0A"));
  EXPECT_EQ(facts.pem_escaped.find_first_of("+/=\n"), std::string::npos);
}

TEST_P(ClientVerificationTest, DoesNotSendTheClientsCaAsItsOwnChain) {
  const Issued server = Issue({.common_name = "server", .key_number = 2, .issuer = &ca_});
  spec_ = testing::SpecWith(server);
  Trust({&ca_});
  Pair pair(listener_,
            {.version_min = GetParam(), .version_max = GetParam(), .certificate = &client_});

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(pair.client.chain_size(), 1U);
}

}  // namespace
}  // namespace elb::tls
