#include "crypto/certificate.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "crypto/make_certificate.h"
#include "crypto/openssl_types.h"

namespace elb::crypto {
namespace {

std::string Read(const std::string& name) {
  std::ifstream file(std::string(ELB_CRYPTO_TESTDATA "/") + name + ".pem");
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

std::string ReplaceAll(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string CertificateError(const std::string& pem, CertificateUse use = CertificateUse::kServer) {
  const auto parsed = ParsedCertificate::Parse(pem, use);
  return parsed ? "accepted" : parsed.error().message;
}

std::string KeyError(const std::string& pem) {
  const auto parsed = ParsedKey::Parse(pem);
  return parsed ? "accepted" : parsed.error().message;
}

CertificateTime Seconds(long value) { return CertificateTime(std::chrono::seconds(value)); }

TEST(CertificateTest, TellsItsFacts) {
  const auto parsed = ParsedCertificate::Parse(Read("rsa2048"));

  ASSERT_TRUE(parsed);
  const CertificateFacts& leaf = (*parsed)->leaf();
  EXPECT_EQ(leaf.subject, "CN=Zoë \\+ co,OU=Tests,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(leaf.issuer, leaf.subject);
  EXPECT_EQ(leaf.common_name, "Zoë + co");
  EXPECT_EQ(leaf.names, (std::vector<std::string>{"www.example.com", "*.example.org", "192.0.2.7",
                                                  "2001:db8::1"}));
  EXPECT_EQ(leaf.serial, "0102ABCDEF");
  EXPECT_EQ(leaf.fingerprint_sha256,
            "15420b82299f5e53b42f0139eae4062362"
            "50ad6197ecd9b84c48d1e2f498e9c6");
  EXPECT_EQ(leaf.signature, "sha256WithRSAEncryption");
  EXPECT_EQ(leaf.key_type, KeyType::kRsa);
  EXPECT_EQ(leaf.key_bits, 2048);
  EXPECT_EQ(leaf.curve, "");
  EXPECT_EQ(leaf.not_before, Seconds(1'795'499'247));
  EXPECT_EQ(leaf.not_after, Seconds(2'573'099'247));
}

TEST(CertificateTest, KnowsTheCurveOfEcKeys) {
  for (const auto& [name, curve, bits] :
       {std::tuple{"ec-prime256v1", "P-256", 256}, std::tuple{"ec-secp384r1", "P-384", 384},
        std::tuple{"ec-secp521r1", "P-521", 521}}) {
    const auto parsed = ParsedCertificate::Parse(Read(name));
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ((*parsed)->leaf().key_type, KeyType::kEc);
    EXPECT_EQ((*parsed)->leaf().curve, curve);
    EXPECT_EQ((*parsed)->leaf().key_bits, bits);
    EXPECT_EQ((*parsed)->leaf().signature, "ecdsa-with-SHA256");
    EXPECT_TRUE((*parsed)->leaf().self_signed);
  }
}

TEST(CertificateTest, AcceptsWhatTheVendorsHowToMakes) {
  const auto parsed = ParsedCertificate::Parse(Read("old"));

  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)->leaf().signature, "sha1WithRSAEncryption");
  EXPECT_EQ((*parsed)->leaf().key_bits, 1024);
  EXPECT_LT((*parsed)->leaf().not_after, (*parsed)->leaf().not_before);
  EXPECT_TRUE((*parsed)->leaf().names.empty());
}

TEST(CertificateTest, ReachesTheYear9999) {
  const auto made = MakeSelfSigned({.common_name = "for ever",
                                    .names = {},
                                    .key = NewKey::kEcP256,
                                    .not_before = Seconds(0),
                                    .not_after = Seconds(253'402'300'799)});
  ASSERT_TRUE(made);

  const auto parsed = ParsedCertificate::Parse(made->certificate);

  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)->leaf().not_before, Seconds(0));
  EXPECT_EQ((*parsed)->leaf().not_after, Seconds(253'402'300'799));
}

TEST(CertificateTest, ReadsAChainInItsOrder) {
  const auto parsed =
      ParsedCertificate::Parse(Read("rsa2048") + Read("ec-prime256v1") + Read("old"));

  ASSERT_TRUE(parsed);
  ASSERT_EQ((*parsed)->size(), 3);
  EXPECT_EQ((*parsed)->facts()[1].common_name, "prime256v1");
  EXPECT_EQ((*parsed)->facts()[2].common_name, "www.test.com");
  EXPECT_EQ((*parsed)->handles().size(), 3);
}

TEST(CertificateTest, WritesWhatItRead) {
  const std::string text = Read("ec-secp384r1");
  const auto parsed = ParsedCertificate::Parse(text);

  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)->Pem(0), text);
}

TEST(CertificateTest, TakesLibertiesWithTheText) {
  const std::string text = Read("ec-prime256v1");

  EXPECT_EQ(CertificateError(ReplaceAll(text, "\n", "\r\n")), "accepted");
  EXPECT_EQ(CertificateError(text.substr(0, text.size() - 1)), "accepted");
  EXPECT_EQ(CertificateError(text + "\n\n  \n"), "accepted");
  EXPECT_EQ(CertificateError("\n  subject=CN = x\nBag Attributes\n" + text), "accepted");
  EXPECT_EQ(CertificateError(ReplaceAll(text, "\n", "\n\n")), "accepted");
  EXPECT_EQ(CertificateError(ReplaceAll(text, "\n", " ")), "accepted");
}

TEST(CertificateTest, HoldsAtMostElevenCertificates) {
  const std::string one = Read("ec-prime256v1");

  EXPECT_EQ(CertificateError(Repeat(one, 11)), "accepted");
  EXPECT_EQ(CertificateError(Repeat(one, 12)),
            "the certificate cannot be used: the text holds 12 certificates; 11 are allowed");
}

TEST(CertificateTest, HasAtMost65536Characters) {
  const std::string one = Read("ec-prime256v1");

  EXPECT_EQ(CertificateError(Repeat("ë", static_cast<int>(65'536 - one.size())) + one), "accepted");
  EXPECT_EQ(CertificateError(std::string(65'537 - one.size(), ' ') + one),
            "the certificate cannot be used: its text has more than 65536 characters");
}

TEST(CertificateTest, SaysWhatIsWrong) {
  const std::string good = Read("ec-prime256v1");

  EXPECT_EQ(CertificateError(""), "the certificate cannot be used: it is not a PEM text");
  EXPECT_EQ(CertificateError("-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n"),
            "the certificate cannot be used: certificate 1 of 1 is not X.509");
  EXPECT_EQ(
      CertificateError(good + "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n"),
      "the certificate cannot be used: certificate 2 of 2 is not X.509");
  EXPECT_EQ(CertificateError(good.substr(0, good.size() / 2)),
            "the certificate cannot be used: the CERTIFICATE block has no END line");
  EXPECT_EQ(CertificateError(good + Read("rsa2048.key")),
            "the certificate cannot be used: the text holds a PRIVATE KEY block; only certificates "
            "are allowed");
}

TEST(CertificateTest, RefusesKeysThatNoListenerCanUse) {
  EXPECT_EQ(CertificateError(Read("rsa512")),
            "the certificate cannot be used: the RSA key has 512 bits; at least 1024 are needed");
  EXPECT_EQ(CertificateError(Read("ed25519")),
            "the certificate cannot be used: keys of the algorithm ED25519 are not supported; RSA "
            "and EC are");
  EXPECT_EQ(CertificateError(Read("dsa")),
            "the certificate cannot be used: keys of the algorithm DSA are not supported; RSA and "
            "EC are");
  EXPECT_EQ(CertificateError(Read("rsapss")),
            "the certificate cannot be used: keys of the algorithm RSA-PSS are not supported; RSA "
            "and EC are");
  EXPECT_EQ(CertificateError(Read("ec-secp256k1")),
            "the certificate cannot be used: the EC key is on the curve secp256k1; P-256, P-384 "
            "and P-521 are supported");
  EXPECT_EQ(CertificateError(Read("ec-explicit")),
            "the certificate cannot be used: the EC key spells out its curve instead of naming it "
            "(RFC 5480)");
}

TEST(CertificateTest, TakesOtherKeysBehindTheLeafAndInCaBundles) {
  EXPECT_EQ(CertificateError(Read("ec-prime256v1") + Read("ed25519")), "accepted");
  EXPECT_EQ(CertificateError(Read("ed25519"), CertificateUse::kClientCa), "accepted");
}

TEST(CertificateTest, NamesTheKindOfItsUse) {
  const auto server = ParsedCertificate::Parse("x");
  const auto authority = ParsedCertificate::Parse("x", CertificateUse::kClientCa);

  ASSERT_FALSE(server || authority);
  EXPECT_EQ(server.error().kind, ErrorKind::kUnusableCertificate);
  EXPECT_EQ(server.error().path, "certificate");
  EXPECT_EQ(authority.error().kind, ErrorKind::kUnusableCaCertificate);
  EXPECT_EQ(authority.error().message, "the CA certificate cannot be used: it is not a PEM text");
}

TEST(PrivateKeyTest, AcceptsTheThreeFormats) {
  for (const char* name : {"rsa2048.key", "rsa2048.pkcs1", "ec-prime256v1.key", "ec-secp384r1.key",
                           "ec-secp521r1.key", "ec-secp521r1.pkcs8", "old.key"}) {
    EXPECT_EQ(KeyError(Read(name)), "accepted") << name;
    EXPECT_EQ(KeyError("text\r\n" + ReplaceAll(Read(name), "\n", "\r\n") + " \n"), "accepted");
  }
}

TEST(PrivateKeyTest, TellsTypeAndSize) {
  const auto rsa = ParsedKey::Parse(Read("rsa2048.pkcs1"));
  const auto ec = ParsedKey::Parse(Read("ec-secp521r1.key"));

  ASSERT_TRUE(rsa && ec);
  EXPECT_EQ((*rsa)->type(), KeyType::kRsa);
  EXPECT_EQ((*rsa)->bits(), 2048);
  EXPECT_EQ((*ec)->type(), KeyType::kEc);
  EXPECT_EQ((*ec)->bits(), 521);
}

TEST(PrivateKeyTest, RefusesEncryptedKeys) {
  for (const char* name : {"rsa2048.pkcs1-encrypted", "rsa2048.pkcs8-encrypted"}) {
    EXPECT_EQ(KeyError(Read(name)),
              "the private key cannot be used: it is encrypted; remove its passphrase first");
  }
}

TEST(PrivateKeyTest, RefusesKeysThatNoListenerCanUse) {
  for (const char* name : {"rsa512.key", "rsapss.key", "ed25519.key", "ec-secp256k1.key",
                           "ec-explicit.key", "dsa.key"}) {
    const auto parsed = ParsedKey::Parse(Read(name));
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kUnusableCertificate);
    EXPECT_EQ(parsed.error().path, "private_key");
  }
}

TEST(PrivateKeyTest, NamesTheAlgorithmItRefuses) {
  EXPECT_EQ(KeyError(Read("ed25519.key")),
            "the private key cannot be used: keys of the algorithm ED25519 are not supported; RSA "
            "and EC are");
  EXPECT_EQ(KeyError(Read("rsapss.key")),
            "the private key cannot be used: keys of the algorithm RSA-PSS are not supported; RSA "
            "and EC are");
}

TEST(PrivateKeyTest, SaysWhatIsWrong) {
  const std::string good = Read("ec-prime256v1.key");

  EXPECT_EQ(KeyError("secret"), "the private key cannot be used: it is not a PEM text");
  EXPECT_EQ(KeyError(good + good),
            "the private key cannot be used: the text holds more than one block");
  EXPECT_EQ(KeyError(Read("ec-prime256v1")),
            "the private key cannot be used: a CERTIFICATE block is not a PKCS#1, SEC1 or PKCS#8 "
            "private key");
  EXPECT_EQ(KeyError("-----BEGIN RSA PRIVATE KEY-----\nZm9v\n-----END RSA PRIVATE KEY-----"),
            "the private key cannot be used: the RSA PRIVATE KEY block does not hold one");
  EXPECT_EQ(KeyError(ReplaceAll(Read("ec-secp521r1.pkcs8"), "PRIVATE KEY", "RSA PRIVATE KEY")),
            "the private key cannot be used: the RSA PRIVATE KEY block does not hold one");
  EXPECT_EQ(KeyError(std::string(8193, ' ')),
            "the private key cannot be used: its text has more than 8192 characters");
}

TEST(PrivateKeyTest, MatchesItsCertificate) {
  for (const auto& [certificate, key] :
       {std::pair{"rsa2048", "rsa2048.key"}, std::pair{"rsa2048", "rsa2048.pkcs1"},
        std::pair{"old", "old.key"}, std::pair{"ec-secp521r1", "ec-secp521r1.key"}}) {
    const auto parsed = ParsedCertificate::Parse(Read(certificate));
    const auto parsed_key = ParsedKey::Parse(Read(key));
    ASSERT_TRUE(parsed && parsed_key);
    EXPECT_TRUE(CheckKeyMatches(**parsed, **parsed_key)) << key;
  }
}

TEST(PrivateKeyTest, DoesNotMatchAnotherCertificate) {
  const auto certificate = ParsedCertificate::Parse(Read("rsa2048") + Read("old"));
  ASSERT_TRUE(certificate);

  for (const char* name : {"old.key", "ec-prime256v1.key"}) {
    const auto key = ParsedKey::Parse(Read(name));
    ASSERT_TRUE(key);
    const auto match = CheckKeyMatches(**certificate, **key);
    ASSERT_FALSE(match);
    EXPECT_EQ(match.error().kind, ErrorKind::kUnusableCertificate);
    EXPECT_EQ(match.error().message,
              "the private key cannot be used: it does not belong to the (first) certificate");
  }
}

/// Damages `text` in one of several ways.
std::string Damage(const std::string& text, SeededRandom& random) {
  std::string damaged = text;
  const std::uint64_t kind = random.Below(4);
  const std::size_t at = random.Below(damaged.size());
  if (kind == 0) {
    damaged.resize(at);
  } else if (kind == 1) {
    damaged.erase(at, 1 + random.Below(80));
  } else {
    for (std::uint64_t i = 0; i <= random.Below(4); ++i) {
      damaged[random.Below(damaged.size())] = "AQgw+/=0M\n-"[random.Below(11)];
    }
  }
  return damaged;
}

TEST(HostilePemTest, NeverHarmsUs) {
  SeededRandom random(1);
  const std::vector<std::string> texts = {Read("rsa2048"),
                                          Read("ec-secp384r1"),
                                          Read("old"),
                                          Read("dsa"),
                                          Read("rsa2048.key"),
                                          Read("rsa2048.pkcs1"),
                                          Read("ec-prime256v1.key"),
                                          Read("ec-explicit.key"),
                                          Read("ec-secp521r1.pkcs8")};
  for (int round = 0; round < 3000; ++round) {
    const std::string text = Damage(texts[random.Below(texts.size())], random);
    const auto certificate = ParsedCertificate::Parse(text);
    const auto key = ParsedKey::Parse(text);
    if (certificate && key) {
      EXPECT_FALSE(CheckKeyMatches(**certificate, **key));
    }
    ASSERT_EQ(ERR_peek_error(), 0U) << text;
  }
}

}  // namespace
}  // namespace elb::crypto
