#include "tls/testing/pki.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <map>
#include <utility>

namespace elb::tls::testing {
namespace {

using BioPointer = std::unique_ptr<BIO, crypto::OpenSslFree<&BIO_free_all>>;

EVP_PKEY* MakeKey(KeyKind kind) {
  switch (kind) {
    case KeyKind::kRsa:
      return EVP_RSA_gen(2048);
    case KeyKind::kP256:
      return EVP_EC_gen("P-256");
    case KeyKind::kP384:
      return EVP_EC_gen("P-384");
  }
  return nullptr;
}

crypto::KeyPointer SharedKey(KeyKind kind, int number) {
  static std::map<std::pair<KeyKind, int>, crypto::KeyPointer> keys;
  crypto::KeyPointer& key = keys[{kind, number}];
  if (key == nullptr) {
    key.reset(MakeKey(kind));
  }
  EVP_PKEY_up_ref(key.get());
  return crypto::KeyPointer(key.get());
}

void AddExtension(X509* certificate, int name, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, name, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string TextOf(const BioPointer& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

std::string Issued::CertificatePem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return TextOf(bio);
}

std::string Issued::KeyPem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio);
}

Issued Issue(const IssueRequest& request) {
  Issued issued{.certificate = crypto::X509Pointer(X509_new()),
                .key = SharedKey(request.key, request.key_number)};
  X509* certificate = issued.certificate.get();
  X509_set_version(certificate, request.version1 ? X509_VERSION_1 : X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), request.serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), request.starts_in_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), request.ends_in_seconds);
  X509_set_pubkey(certificate, issued.key.get());
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("ELB"),
                             -1, -1, 0);
  if (!request.common_name.empty()) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(request.common_name.c_str()),
                               -1, -1, 0);
  }
  const Issued& issuer = request.issuer == nullptr ? issued : *request.issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  if (!request.version1) {
    AddExtension(certificate, NID_basic_constraints, request.ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!request.extended_key_usage.empty()) {
      AddExtension(certificate, NID_ext_key_usage, request.extended_key_usage);
    }
  }
  X509_sign(certificate, issuer.key.get(), EVP_get_digestbyname(request.digest.c_str()));
  return issued;
}

Issued WithCrossedKey(const Issued& issued, const Issued& other) {
  OSSL_PARAM* ours = nullptr;
  OSSL_PARAM* theirs = nullptr;
  EVP_PKEY_todata(issued.key.get(), EVP_PKEY_PUBLIC_KEY, &ours);
  EVP_PKEY_todata(other.key.get(), EVP_PKEY_KEYPAIR, &theirs);
  OSSL_PARAM secret[] = {*OSSL_PARAM_locate(theirs, OSSL_PKEY_PARAM_PRIV_KEY),
                         OSSL_PARAM_construct_end()};
  OSSL_PARAM* crossed = OSSL_PARAM_merge(ours, secret);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* maker = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY_fromdata_init(maker);
  EXPECT_EQ(EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEYPAIR, crossed), 1);
  EVP_PKEY_CTX_free(maker);
  OPENSSL_free(crossed);
  OSSL_PARAM_free(ours);
  OSSL_PARAM_free(theirs);
  X509_up_ref(issued.certificate.get());
  return {.certificate = crypto::X509Pointer(issued.certificate.get()),
          .key = crypto::KeyPointer(key)};
}

std::shared_ptr<const crypto::ParsedCertificate> ParseChain(
    const std::vector<const Issued*>& chain) {
  std::string pem;
  for (const Issued* issued : chain) {
    pem += issued->CertificatePem();
  }
  auto parsed = crypto::ParsedCertificate::Parse(pem);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? *parsed : nullptr;
}

CertificateEntry EntryOf(const std::string& id, const Issued& leaf,
                         const std::vector<const Issued*>& more) {
  std::vector<const Issued*> chain{&leaf};
  chain.insert(chain.end(), more.begin(), more.end());
  auto key = crypto::ParsedKey::Parse(leaf.KeyPem());
  EXPECT_TRUE(key.has_value());
  return {.id = id, .chain = ParseChain(chain), .key = key ? *key : nullptr};
}

}  // namespace elb::tls::testing
