#include "crypto/make_certificate.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <string>

#include "crypto/openssl_types.h"

namespace elb::crypto {
namespace {

constexpr CertificateTime kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kYear = std::chrono::hours(24 * 365);

CertificateRequest Request(const std::string& common_name) {
  return {.common_name = common_name,
          .names = {},
          .key = NewKey::kEcP256,
          .not_before = kNow,
          .not_after = kNow + kYear};
}

/// X509_V_OK or what OpenSSL has against the leaf as a server's, at `kNow` plus one hour.
int Verify(const Credentials& leaf, const Credentials& authority, const char* host) {
  const auto anchor = ParsedCertificate::Parse(authority.certificate).value();
  const auto target = ParsedCertificate::Parse(leaf.certificate).value();
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, anchor->handles().certificate(0));
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, target->handles().certificate(0), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(parameters, kNow.time_since_epoch().count() + 3600);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  X509_verify_cert(context);
  const int verdict = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return verdict;
}

TEST(MakeCertificateTest, IssuesWhatClientsAccept) {
  const auto authority = MakeAuthority(Request("Sample CA"));
  ASSERT_TRUE(authority);
  CertificateRequest request = Request("sample");
  request.names = {"localhost", "*.example.com", "127.0.0.1", "::1"};

  const auto leaf = MakeCertificate(request, *authority);

  ASSERT_TRUE(leaf);
  EXPECT_EQ(Verify(*leaf, *authority, "localhost"), X509_V_OK);
  EXPECT_EQ(Verify(*leaf, *authority, "a.example.com"), X509_V_OK);
  EXPECT_EQ(Verify(*leaf, *authority, "other.org"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_NE(Verify(*leaf, MakeAuthority(Request("Sample CA")).value(), "localhost"), X509_V_OK);
}

TEST(MakeCertificateTest, SaysWhatWasAskedFor) {
  const auto authority = MakeAuthority(Request("Sample CA"));
  ASSERT_TRUE(authority);
  CertificateRequest request = Request("sample");
  request.names = {"localhost", "127.0.0.1", "::1"};
  request.key = NewKey::kRsa1024;

  const auto leaf = MakeCertificate(request, *authority);

  ASSERT_TRUE(leaf);
  const CertificateFacts facts = ParsedCertificate::Parse(leaf->certificate).value()->leaf();
  EXPECT_EQ(facts.subject, "CN=sample");
  EXPECT_EQ(facts.issuer, "CN=Sample CA");
  EXPECT_EQ(facts.names, request.names);
  EXPECT_EQ(facts.key_bits, 1024);
  EXPECT_EQ(facts.not_before, kNow);
  EXPECT_EQ(facts.not_after, kNow + kYear);
  EXPECT_EQ(facts.serial.size(), 32);
  EXPECT_FALSE(facts.self_signed);
}

TEST(MakeCertificateTest, MakesKeysOfEveryKind) {
  for (const NewKey kind : {NewKey::kEcP256, NewKey::kEcP384, NewKey::kRsa1024, NewKey::kRsa2048}) {
    CertificateRequest request = Request("key");
    request.key = kind;
    const auto made = MakeSelfSigned(request);
    ASSERT_TRUE(made);
    const auto certificate = ParsedCertificate::Parse(made->certificate);
    const auto key = ParsedKey::Parse(made->private_key);
    ASSERT_TRUE(certificate && key);
    EXPECT_TRUE(CheckKeyMatches(**certificate, **key));
    EXPECT_TRUE((*certificate)->leaf().self_signed);
  }
}

TEST(MakeCertificateTest, NeverUsesASerialTwice) {
  const auto one = ParsedCertificate::Parse(MakeSelfSigned(Request("a"))->certificate);
  const auto two = ParsedCertificate::Parse(MakeSelfSigned(Request("a"))->certificate);

  EXPECT_NE(one.value()->leaf().serial, two.value()->leaf().serial);
}

TEST(MakeCertificateTest, RefusesImpossibleRequests) {
  EXPECT_EQ(MakeSelfSigned(Request("")).error().path, "common_name");
  EXPECT_EQ(MakeSelfSigned(Request(std::string(65, 'a'))).error().path, "common_name");
  CertificateRequest request = Request("a");
  request.not_after = kNow - kYear;
  EXPECT_EQ(MakeSelfSigned(request).error().path, "not_after");
  request = Request("a");
  request.names = {"a b"};
  EXPECT_EQ(MakeSelfSigned(request).error().path, "names");
}

TEST(MakeCertificateTest, NeedsTheAuthoritysOwnKey) {
  const auto one = MakeAuthority(Request("one"));
  const auto two = MakeAuthority(Request("two"));
  ASSERT_TRUE(one && two);

  const auto leaf = MakeCertificate(
      Request("leaf"), {.certificate = one->certificate, .private_key = two->private_key});

  ASSERT_FALSE(leaf);
  EXPECT_EQ(leaf.error().kind, ErrorKind::kUnusableCertificate);
}

}  // namespace
}  // namespace elb::crypto
