#include "crypto/certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <utility>

#include "base/assert.h"
#include "crypto/openssl_types.h"
#include "crypto/pem.h"
#include "crypto/supported_key.h"

namespace elb::crypto {
namespace {

std::unexpected<Error> Unusable(CertificateUse use, std::string_view why) {
  ERR_clear_error();
  const bool server = use == CertificateUse::kServer;
  return Failure(
      server ? ErrorKind::kUnusableCertificate : ErrorKind::kUnusableCaCertificate, "certificate",
      fmt::format("the {} cannot be used: {}", server ? "certificate" : "CA certificate", why));
}

/// The certificates' DER forms. Other blocks are refused: a private key that slipped into this
/// field would be shown to everybody.
Result<std::vector<PemBlock>> CertificateBlocks(std::string_view pem, CertificateUse use) {
  if (CodePoints(pem) > kCertificateTextMax) {
    return Unusable(use, fmt::format("its text has more than {} characters", kCertificateTextMax));
  }
  Result<std::vector<PemBlock>> blocks = ReadPem(pem);
  if (!blocks) {
    return Unusable(use, blocks.error().message);
  }
  if (blocks->empty()) {
    return Unusable(use, "it is not a PEM text");
  }
  for (const PemBlock& block : *blocks) {
    if ((block.label != "CERTIFICATE" && block.label != "X509 CERTIFICATE") || block.encrypted) {
      return Unusable(use, fmt::format("the text holds a {} block; only certificates are allowed",
                                       block.label));
    }
  }
  if (blocks->size() > kChainMax) {
    return Unusable(use, fmt::format("the text holds {} certificates; {} are allowed",
                                     blocks->size(), kChainMax));
  }
  return blocks;
}

X509Pointer Decode(const std::string& bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const unsigned char* const end = at + bytes.size();
  X509Pointer certificate(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
  return at == end ? std::move(certificate) : nullptr;
}

}  // namespace

ParsedCertificate::ParsedCertificate(std::unique_ptr<const Handles> handles,
                                     std::vector<CertificateFacts> facts)
    : handles_(std::move(handles)), facts_(std::move(facts)) {}
ParsedCertificate::~ParsedCertificate() = default;

Result<std::shared_ptr<const ParsedCertificate>> ParsedCertificate::Parse(std::string_view pem,
                                                                          CertificateUse use) {
  ERR_clear_error();
  ELB_ASSIGN_OR_RETURN(const std::vector<PemBlock> blocks, CertificateBlocks(pem, use));
  std::vector<X509Pointer> certificates;
  std::vector<CertificateFacts> facts;
  for (const PemBlock& block : blocks) {
    const auto which = [&] {
      return fmt::format("certificate {} of {}", facts.size() + 1, blocks.size());
    };
    X509Pointer certificate = Decode(block.bytes);
    if (certificate == nullptr) {
      return Unusable(use, fmt::format("{} is not X.509", which()));
    }
    Result<CertificateFacts> read = ReadFacts(certificate.get());
    if (!read) {
      return Unusable(use, fmt::format("{}: {}", which(), read.error().message));
    }
    certificates.push_back(std::move(certificate));
    facts.push_back(*std::move(read));
  }
  if (use == CertificateUse::kServer) {
    const Result<KeyFacts> key = CheckSupported(X509_get0_pubkey(certificates.front().get()));
    if (!key) {
      return Unusable(use, key.error().message);
    }
  }
  ERR_clear_error();
  return std::make_shared<const ParsedCertificate>(
      std::make_unique<const Handles>(std::move(certificates)), std::move(facts));
}

std::string ParsedCertificate::Der(std::size_t index) const {
  ELB_ASSERT(index < size());
  X509* certificate = handles_->certificate(index);
  const int bytes = i2d_X509(certificate, nullptr);
  ELB_ASSERT(bytes > 0);
  std::string der(static_cast<std::size_t>(bytes), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate, &at);
  return der;
}

std::string ParsedCertificate::Pem(std::size_t index) const {
  return WritePem("CERTIFICATE", Der(index));
}

}  // namespace elb::crypto
