/// PEM texts of certificates and keys, as tenants upload them.

#include "crypto/certificate.h"

#include <string>

#include "check.h"
#include "crypto/pem.h"

namespace elb::fuzz {
namespace {

void ReadsPem(std::string_view text) {
  const auto blocks = crypto::ReadPem(text);
  if (!blocks) {
    return;
  }
  for (const crypto::PemBlock& block : *blocks) {
    if (block.encrypted || block.bytes.empty()) {
      continue;
    }
    const auto again = crypto::ReadPem(crypto::WritePem(block.label, block.bytes));
    Require(again && again->size() == 1, "a block survives being written", block.label);
    RequireEqual(again->front().label, block.label, "a label survives being written");
    RequireEqual(again->front().bytes, block.bytes, "bytes survive being written");
  }
}

void ReadsCertificates(std::string_view text, crypto::CertificateUse use) {
  const auto parsed = crypto::ParsedCertificate::Parse(text, use);
  if (!parsed) {
    Require(!parsed.error().message.empty(), "a refusal says why");
    return;
  }
  const crypto::ParsedCertificate& certificate = **parsed;
  Require(certificate.size() >= 1 && certificate.size() <= crypto::kChainMax, "chains are bounded");
  std::string chain;
  for (std::size_t i = 0; i < certificate.size(); ++i) {
    chain += certificate.Pem(i);
  }
  const auto again = crypto::ParsedCertificate::Parse(chain, use);
  if (chain.size() <= crypto::kCertificateTextMax) {
    Require(again && (*again)->size() == certificate.size(), "a chain survives being written");
    RequireEqual((*again)->leaf().fingerprint_sha256, certificate.leaf().fingerprint_sha256,
                 "it is the same certificate");
  }
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = elb::fuzz::Text(data, size);
  elb::fuzz::ReadsPem(text);
  elb::fuzz::ReadsCertificates(text, elb::crypto::CertificateUse::kServer);
  elb::fuzz::ReadsCertificates(text, elb::crypto::CertificateUse::kClientCa);
  if (const auto key = elb::crypto::ParsedKey::Parse(text)) {
    elb::fuzz::Require((*key)->bits() > 0, "a key has a size");
  }
  return 0;
}
