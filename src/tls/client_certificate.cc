#include "tls/client_certificate.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <iterator>
#include <string_view>

namespace elb::tls {
namespace {

using BioPointer = std::unique_ptr<BIO, crypto::OpenSslFree<&BIO_free_all>>;

std::string TextOf(const BioPointer& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// RFC 2253; control characters and bytes above 127 are escaped, so it fits into a header field.
std::string NameText(const X509_NAME* name) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return TextOf(bio);
}

std::string TimeText(const ASN1_TIME* time) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  return TextOf(bio);
}

std::string Fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return fmt::format("{:02x}", fmt::join(digest.data(), digest.data() + size, ""));
}

std::string SerialText(const X509* certificate) {
  const std::unique_ptr<BIGNUM, crypto::OpenSslFree<&BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* hex = number == nullptr ? nullptr : BN_bn2hex(number.get());
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  return text;
}

/// RFC 3986 section 2.1: everything but unreserved characters.
std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  encoded.reserve(text.size() + text.size() / 4);
  for (const char byte : text) {
    if (kUnreserved.contains(byte)) {
      encoded += byte;
    } else {
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return encoded;
}

std::string PemText(X509* certificate) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return TextOf(bio);
}

}  // namespace

ClientCertificateFacts DescribeClientCertificate(X509* certificate) {
  ClientCertificateFacts facts{
      .subject = NameText(X509_get_subject_name(certificate)),
      .issuer = NameText(X509_get_issuer_name(certificate)),
      .fingerprint = Fingerprint(certificate),
      .serial = SerialText(certificate),
      .not_after = TimeText(X509_get0_notAfter(certificate)),
      .pem_escaped = PercentEncoded(PemText(certificate)),
  };
  ERR_clear_error();
  return facts;
}

}  // namespace elb::tls
