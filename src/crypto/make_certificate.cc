#include "crypto/make_certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/ip.h"
#include "base/random.h"
#include "crypto/openssl_types.h"
#include "crypto/pem.h"

namespace elb::crypto {
namespace {

using ExtensionPointer = std::unique_ptr<X509_EXTENSION, OpenSslFree<&X509_EXTENSION_free>>;
using NamePointer = std::unique_ptr<GENERAL_NAME, OpenSslFree<&GENERAL_NAME_free>>;
using NamesPointer = std::unique_ptr<GENERAL_NAMES, OpenSslFree<&GENERAL_NAMES_free>>;
using StringPointer = std::unique_ptr<ASN1_STRING, OpenSslFree<&ASN1_STRING_free>>;
using NumberPointer = std::unique_ptr<BIGNUM, OpenSslFree<&BN_free>>;
using Pkcs8Pointer = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpenSslFree<&PKCS8_PRIV_KEY_INFO_free>>;

constexpr std::size_t kCommonNameMax = 64;  // RFC 5280 ub-common-name.
constexpr std::size_t kSerialBytes = 16;
constexpr long kVersion3 = 2;
// The year 9999 is the last one ASN.1 can write.
constexpr CertificateTime kEndOfTime{std::chrono::seconds{253'402'300'799}};

enum class Role : std::uint8_t { kAuthority, kEndEntity };

std::unexpected<Error> Failed(std::string_view step) {
  ERR_clear_error();
  return Internal(fmt::format("a certificate cannot be made: {} failed", step));
}

KeyPointer NewKeyPair(NewKey kind) {
  switch (kind) {
    case NewKey::kEcP256:
      return KeyPointer(EVP_EC_gen("P-256"));
    case NewKey::kEcP384:
      return KeyPointer(EVP_EC_gen("P-384"));
    case NewKey::kRsa1024:
      return KeyPointer(EVP_RSA_gen(1024));
    case NewKey::kRsa2048:
      return KeyPointer(EVP_RSA_gen(2048));
    case NewKey::kRsa4096:
      return KeyPointer(EVP_RSA_gen(4096));
  }
  return nullptr;
}

Result<void> Check(const CertificateRequest& request) {
  const std::size_t characters = CodePoints(request.common_name);
  if (characters == 0 || characters > kCommonNameMax) {
    return Invalid("common_name",
                   fmt::format("a common name has 1 to {} characters", kCommonNameMax));
  }
  if (request.not_before > request.not_after || request.not_after > kEndOfTime ||
      request.not_before < CertificateTime{}) {
    return Invalid("not_after", "a certificate is valid from a time after 1969 to a later one");
  }
  for (const std::string& name : request.names) {
    const bool printable =
        std::ranges::all_of(name, [](char byte) { return byte > ' ' && byte <= '~'; });
    if (name.empty() || !printable) {
      return Invalid("names", fmt::format("'{}' is neither a DNS name nor an address", name));
    }
  }
  return {};
}

bool SetSerial(X509* certificate) {
  std::array<std::byte, kSerialBytes> bytes{};
  SystemRandom random;
  random.Fill(bytes);
  bytes[0] = (bytes[0] & std::byte{0x3f}) | std::byte{0x40};  // Positive, always 16 bytes.
  const NumberPointer number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetSubject(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool Add(X509* certificate, X509* issuer, int extension, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPointer made(X509V3_EXT_conf_nid(nullptr, &context, extension, value));
  return made != nullptr && X509_add_ext(certificate, made.get(), -1) == 1;
}

NamePointer AlternativeName(const std::string& name) {
  const std::optional<IpAddress> address = IpAddress::Parse(name);
  const void* bytes = address ? static_cast<const void*>(address->bytes().data()) : name.data();
  const std::size_t size = address ? address->size() : name.size();
  StringPointer value(ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  NamePointer made(GENERAL_NAME_new());
  if (value == nullptr || made == nullptr ||
      ASN1_STRING_set(value.get(), bytes, static_cast<int>(size)) != 1) {
    return nullptr;
  }
  GENERAL_NAME_set0_value(made.get(), address ? GEN_IPADD : GEN_DNS, value.release());
  return made;
}

bool AddNames(X509* certificate, const std::vector<std::string>& names) {
  if (names.empty()) {
    return true;
  }
  const NamesPointer stack(GENERAL_NAMES_new());
  for (const std::string& name : names) {
    NamePointer made = AlternativeName(name);
    if (made == nullptr || sk_GENERAL_NAME_push(stack.get(), made.get()) == 0) {
      return false;
    }
    static_cast<void>(made.release());
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, stack.get(), 0, X509V3_ADD_DEFAULT) ==
         1;
}

bool AddExtensions(X509* certificate, X509* issuer, const CertificateRequest& request, Role role) {
  const bool authority = role == Role::kAuthority;
  return Add(certificate, issuer, NID_basic_constraints,
             authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
         Add(certificate, issuer, NID_key_usage,
             authority ? "critical,keyCertSign,cRLSign"
                       : "critical,digitalSignature,"
                         "keyEncipherment") &&
         (authority || Add(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
         Add(certificate, issuer, NID_subject_key_identifier, "hash") &&
         Add(certificate, issuer, NID_authority_key_identifier, "keyid") &&
         AddNames(certificate, request.names);
}

std::string CertificatePem(X509* certificate) {
  std::string der(static_cast<std::size_t>(std::max(0, i2d_X509(certificate, nullptr))), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate, &at);
  return WritePem("CERTIFICATE", der);
}

Result<std::string> KeyPem(EVP_PKEY* key) {
  const Pkcs8Pointer info(EVP_PKEY2PKCS8(key));
  const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  if (size <= 0) {
    return Failed("writing the key");
  }
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at);
  return WritePem("PRIVATE KEY", der);
}

/// Who signs: null pointers mean the certificate itself.
struct Issuer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};

Result<Credentials> Make(const CertificateRequest& request, Role role, const Issuer& issuer) {
  ELB_RETURN_IF_ERROR(Check(request));
  ERR_clear_error();
  const KeyPointer key = NewKeyPair(request.key);
  const X509Pointer certificate(X509_new());
  if (key == nullptr || certificate == nullptr) {
    return Failed("making the key");
  }
  X509* signer = issuer.certificate == nullptr ? certificate.get() : issuer.certificate;
  EVP_PKEY* signing_key = issuer.key == nullptr ? key.get() : issuer.key;
  const bool filled = X509_set_version(certificate.get(), kVersion3) == 1 &&
                      SetSerial(certificate.get()) &&
                      ASN1_TIME_set(X509_getm_notBefore(certificate.get()),
                                    request.not_before.time_since_epoch().count()) != nullptr &&
                      ASN1_TIME_set(X509_getm_notAfter(certificate.get()),
                                    request.not_after.time_since_epoch().count()) != nullptr &&
                      SetSubject(certificate.get(), request.common_name) &&
                      X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) == 1 &&
                      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
                      AddExtensions(certificate.get(), signer, request, role);
  if (!filled) {
    return Failed("filling it in");
  }
  if (X509_sign(certificate.get(), signing_key, EVP_sha256()) == 0) {
    return Failed("signing it");
  }
  ELB_ASSIGN_OR_RETURN(std::string private_key, KeyPem(key.get()));
  return Credentials{.certificate = CertificatePem(certificate.get()),
                     .private_key = std::move(private_key)};
}

}  // namespace

Result<Credentials> MakeAuthority(const CertificateRequest& request) {
  return Make(request, Role::kAuthority, {});
}

Result<Credentials> MakeCertificate(const CertificateRequest& request,
                                    const Credentials& authority) {
  ELB_ASSIGN_OR_RETURN(const auto certificate, ParsedCertificate::Parse(authority.certificate));
  ELB_ASSIGN_OR_RETURN(const auto key, ParsedKey::Parse(authority.private_key));
  ELB_RETURN_IF_ERROR(CheckKeyMatches(*certificate, *key));
  return Make(request, Role::kEndEntity,
              {.certificate = certificate->handles().certificate(0), .key = key->handle().key()});
}

Result<Credentials> MakeSelfSigned(const CertificateRequest& request) {
  return Make(request, Role::kEndEntity, {});
}

}  // namespace elb::crypto
