#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "base/ip.h"
#include "crypto/encoding.h"
#include "crypto/openssl_types.h"
#include "crypto/supported_key.h"

namespace elb::crypto {
namespace {

using BioPointer = std::unique_ptr<BIO, OpenSslFree<&BIO_free_all>>;
using NumberPointer = std::unique_ptr<BIGNUM, OpenSslFree<&BN_free>>;
using NamesPointer = std::unique_ptr<GENERAL_NAMES, OpenSslFree<&GENERAL_NAMES_free>>;

struct FreeText {
  void operator()(void* text) const { OPENSSL_free(text); }
};
using HexPointer = std::unique_ptr<char, FreeText>;
using Utf8Pointer = std::unique_ptr<unsigned char, FreeText>;

/// UTF-8 stays as it is; control characters are escaped.
std::optional<std::string> NameText(const X509_NAME* name) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    return std::nullopt;
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string CommonName(const X509_NAME* name) {
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) {
    last = at;
  }
  if (last < 0) {
    return {};
  }
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
  const Utf8Pointer owned(text);
  return size < 0
             ? std::string()
             : std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

/// A DNS name or address as text; nothing for other kinds and for bytes that no name has.
std::optional<std::string> AlternativeName(const GENERAL_NAME& name) {
  const bool is_dns = name.type == GEN_DNS;
  if (!is_dns && name.type != GEN_IPADD) {
    return std::nullopt;
  }
  const ASN1_STRING* string = is_dns ? name.d.dNSName : name.d.iPAddress;
  const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                          static_cast<std::size_t>(ASN1_STRING_length(string)));
  if (is_dns) {
    const bool printable =
        std::ranges::all_of(bytes, [](char byte) { return byte > ' ' && byte <= '~'; });
    return printable && !bytes.empty() ? std::optional(bytes) : std::nullopt;
  }
  if (bytes.size() == 4) {
    std::array<std::uint8_t, 4> octets{};
    std::ranges::copy(bytes, octets.begin());
    return IpAddress::V4(octets).ToString();
  }
  if (bytes.size() == 16) {
    std::array<std::uint8_t, 16> octets{};
    std::ranges::copy(bytes, octets.begin());
    return IpAddress::V6(octets).ToString();
  }
  return std::nullopt;
}

std::vector<std::string> AlternativeNames(const X509* certificate) {
  std::vector<std::string> names;
  const NamesPointer stack(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(stack.get()); ++i) {
    if (auto name = AlternativeName(*sk_GENERAL_NAME_value(stack.get(), i))) {
      names.push_back(*std::move(name));
    }
  }
  return names;
}

std::string Serial(const X509* certificate) {
  const NumberPointer number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const HexPointer text(number == nullptr ? nullptr : BN_bn2hex(number.get()));
  const std::string serial = text == nullptr ? std::string() : std::string(text.get());
  return serial == "0" ? "00" : serial;
}

std::string Fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return HexEncode({reinterpret_cast<const char*>(digest.data()), size});
}

std::string SignatureAlgorithm(const X509* certificate) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, X509_get0_tbs_sigalg(certificate));
  std::array<char, 80> text{};
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 0);
  return text.data();
}

std::optional<CertificateTime> TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return std::nullopt;
  }
  return CertificateTime(std::chrono::seconds(timegm(&parts)));
}

std::unexpected<Error> Unreadable(std::string_view what) {
  ERR_clear_error();
  return Failure(ErrorKind::kUnusableCertificate, "certificate",
                 fmt::format("its {} cannot be read", what));
}

}  // namespace

Result<CertificateFacts> ReadFacts(X509* certificate) {
  ERR_clear_error();
  const std::optional<std::string> subject = NameText(X509_get_subject_name(certificate));
  const std::optional<std::string> issuer = NameText(X509_get_issuer_name(certificate));
  if (!subject || !issuer) {
    return Unreadable("subject or issuer");
  }
  const auto not_before = TimeOf(X509_get0_notBefore(certificate));
  const auto not_after = TimeOf(X509_get0_notAfter(certificate));
  if (!not_before || !not_after) {
    return Unreadable("validity");
  }
  const EVP_PKEY* public_key = X509_get0_pubkey(certificate);
  if (public_key == nullptr) {
    return Unreadable("public key");
  }
  const KeyFacts key = DescribeKey(public_key);
  CertificateFacts facts{.subject = *subject,
                         .issuer = *issuer,
                         .common_name = CommonName(X509_get_subject_name(certificate)),
                         .names = AlternativeNames(certificate),
                         .serial = Serial(certificate),
                         .fingerprint_sha256 = Fingerprint(certificate),
                         .signature = SignatureAlgorithm(certificate),
                         .not_before = *not_before,
                         .not_after = *not_after,
                         .key_type = key.type,
                         .key_bits = key.bits,
                         .curve = key.curve,
                         .self_signed = X509_self_signed(certificate, 0) == 1};
  ERR_clear_error();
  return facts;
}

}  // namespace elb::crypto
