#include "model/certificate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/document.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::KeysOf;
using testing::PathOf;
using testing::UpdateProblem;

Certificate Server(const std::string& domain = "") {
  return {.domain = domain, .certificate = "pem", .private_key = "key"};
}

std::string Domain(const std::string& domain) { return PathOf(CheckCertificate(Server(domain))); }

TEST(CertificateTest, NeedsACertificate) {
  Certificate certificate;
  EXPECT_EQ(CreateProblem(CertificateSchema(), R"({"private_key":"k"})", &certificate),
            "certificate.certificate");
  EXPECT_EQ(CreateProblem(CertificateSchema(), R"({"certificate":""})", &certificate),
            "certificate.certificate");
}

TEST(CertificateTest, BoundsItsTexts) {
  Certificate certificate;
  const auto created = [&](std::size_t pem, std::size_t key) {
    return CreateProblem(CertificateSchema(),
                         "{\"certificate\":\"" + std::string(pem, 'x') + "\",\"private_key\":\"" +
                             std::string(key, 'x') + "\"}",
                         &certificate);
  };
  EXPECT_EQ(created(65536, 8192), "");
  EXPECT_EQ(created(65537, 8192), "certificate.certificate");
  EXPECT_EQ(created(65536, 8193), "certificate.private_key");
}

TEST(CertificateTest, NeedsAKeyForServersOnly) {
  EXPECT_EQ(PathOf(CheckCertificate({.certificate = "pem"})), "certificate.private_key");
  EXPECT_EQ(PathOf(CheckCertificate({.type = "client", .certificate = "pem"})), "");
}

TEST(CertificateTest, KnowsDomainsByTheirForm) {
  for (const char* good : {"shop.example", "*.shop.example,shop.example", "a-b.c", "localhost"}) {
    EXPECT_EQ(Domain(good), "") << good;
  }
  for (const char* bad :
       {"-a.b", "a-.b", "a..b", "www.*.b", "*a.b", "a_b.c", "a.b,", ",a.b", "a.b, c.d"}) {
    EXPECT_EQ(Domain(bad), "certificate.domain") << bad;
  }
  EXPECT_EQ(Domain(std::string(63, 'a') + ".b"), "");
  EXPECT_EQ(Domain(std::string(64, 'a') + ".b"), "certificate.domain");
}

TEST(CertificateTest, CarriesAtMost100Domains) {
  std::string domains = "a.b";
  for (int i = 1; i < 100; ++i) {
    domains += ",a.b";
  }
  EXPECT_EQ(Domain(domains), "");
  EXPECT_EQ(Domain(domains + ",a.b"), "certificate.domain");
}

TEST(CertificateTest, HasDomainsForServersOnly) {
  EXPECT_EQ(PathOf(CheckCertificate({.type = "client", .domain = "a.b", .certificate = "pem"})),
            "certificate.domain");
}

TEST(CertificateTest, ListsDomainsInLowerCase) {
  EXPECT_EQ(Server("Shop.Example,*.B").Domains(),
            (std::vector<std::string>{"shop.example", "*.b"}));
}

TEST(CertificateTest, ClearsDomainOnNullAndEmptyText) {
  for (const char* none : {"null", "\"\""}) {
    Certificate certificate = Server("a.b");
    EXPECT_EQ(
        UpdateProblem(CertificateSchema(), std::string("{\"domain\":") + none + "}", &certificate),
        "");
    EXPECT_EQ(certificate.domain, "");
  }
}

TEST(CertificateTest, KeepsTypeAndState) {
  Certificate certificate = Server();
  EXPECT_EQ(UpdateProblem(CertificateSchema(), R"({"type":"client"})", &certificate),
            "certificate.type");
  EXPECT_EQ(UpdateProblem(CertificateSchema(), R"({"admin_state_up":false})", &certificate),
            "certificate.admin_state_up");
  EXPECT_EQ(UpdateProblem(CertificateSchema(), R"({"admin_state_up":true,"type":"server"})",
                          &certificate),
            "");
  EXPECT_EQ(UpdateProblem(CertificateSchema(), R"({"certificate":null})", &certificate),
            "certificate.certificate");
}

TEST(CertificateTest, StoresItsKeyElsewhere) {
  const Certificate certificate = Server();
  EXPECT_FALSE(KeysOf(WriteText(CertificateSchema(), &certificate, Purpose::kStored))
                   .contains("private_key"));
  EXPECT_TRUE(KeysOf(WriteText(CertificateSchema(), &certificate, Purpose::kResponse))
                  .contains("private_key"));
}

}  // namespace
}  // namespace elb::model
