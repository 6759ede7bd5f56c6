#include <fmt/format.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/openssl_types.h"
#include "crypto/pem.h"
#include "crypto/supported_key.h"

namespace elb::crypto {
namespace {

using Pkcs8Pointer = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpenSslFree<&PKCS8_PRIV_KEY_INFO_free>>;
using DecoderPointer = std::unique_ptr<OSSL_DECODER_CTX, OpenSslFree<&OSSL_DECODER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, OpenSslFree<&EVP_MD_CTX_free>>;

std::unexpected<Error> Unusable(std::string_view why) {
  ERR_clear_error();
  return Failure(ErrorKind::kUnusableCertificate, "private_key",
                 fmt::format("the private key cannot be used: {}", why));
}

/// The one block with a key; parameters that tools write in front of an EC key are skipped.
Result<PemBlock> KeyBlock(std::string_view pem) {
  if (CodePoints(pem) > kKeyTextMax) {
    return Unusable(fmt::format("its text has more than {} characters", kKeyTextMax));
  }
  Result<std::vector<PemBlock>> blocks = ReadPem(pem);
  if (!blocks) {
    return Unusable(blocks.error().message);
  }
  std::erase_if(*blocks, [](const PemBlock& block) { return block.label == "EC PARAMETERS"; });
  if (blocks->empty()) {
    return Unusable("it is not a PEM text");
  }
  if (blocks->size() > 1) {
    return Unusable("the text holds more than one block");
  }
  if (blocks->front().encrypted || blocks->front().label == "ENCRYPTED PRIVATE KEY") {
    return Unusable("it is encrypted; remove its passphrase first");
  }
  return std::move(blocks->front());
}

/// By its algorithm: `EVP_PKCS82PKEY` would try the decoders of every algorithm, at three times the
/// cost.
KeyPointer DecodePkcs8(const std::string& bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const unsigned char* const end = at + bytes.size();
  const Pkcs8Pointer info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(bytes.size())));
  const ASN1_OBJECT* algorithm = nullptr;
  if (info == nullptr || at != end ||
      PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, info.get()) != 1) {
    return nullptr;
  }
  const int id = OBJ_obj2nid(algorithm);
  const char* name = OBJ_nid2sn(id);
  if (id == NID_rsaEncryption) {
    name = "RSA";
  } else if (id == NID_X9_62_id_ecPublicKey) {
    name = "EC";
  }
  EVP_PKEY* key = nullptr;
  const DecoderPointer decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "PrivateKeyInfo", name,
                                                             EVP_PKEY_KEYPAIR, nullptr, nullptr));
  at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  if (decoder != nullptr) {
    OSSL_DECODER_from_data(decoder.get(), &at, &left);
  }
  return KeyPointer(key);
}

KeyPointer DecodeOwnFormat(int algorithm, const std::string& bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const unsigned char* const end = at + bytes.size();
  KeyPointer key(d2i_PrivateKey(algorithm, nullptr, &at, static_cast<long>(bytes.size())));
  return at == end ? std::move(key) : nullptr;
}

Result<KeyPointer> Decode(const PemBlock& block) {
  KeyPointer key;
  if (block.label == "PRIVATE KEY") {
    key = DecodePkcs8(block.bytes);
  } else if (block.label == "RSA PRIVATE KEY") {
    key = DecodeOwnFormat(EVP_PKEY_RSA, block.bytes);
  } else if (block.label == "EC PRIVATE KEY") {
    key = DecodeOwnFormat(EVP_PKEY_EC, block.bytes);
  } else {
    return Unusable(
        fmt::format("a {} block is not a PKCS#1, SEC1 or PKCS#8 private key", block.label));
  }
  if (key == nullptr) {
    return Unusable(fmt::format("the {} block does not hold one", block.label));
  }
  return key;
}

/// Signs a fixed text and checks the signature with the certificate's key.
bool CanSignFor(EVP_PKEY* key, EVP_PKEY* public_key) {
  constexpr std::string_view kText = "does this key work";
  const auto* text = reinterpret_cast<const unsigned char*>(kText.data());
  const DigestContext signing(EVP_MD_CTX_new());
  const DigestContext checking(EVP_MD_CTX_new());
  if (signing == nullptr || checking == nullptr) {
    return false;
  }
  std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  return EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestSign(signing.get(), signature.data(), &size, text, kText.size()) == 1 &&
         EVP_DigestVerifyInit(checking.get(), nullptr, EVP_sha256(), nullptr, public_key) == 1 &&
         EVP_DigestVerify(checking.get(), signature.data(), size, text, kText.size()) == 1;
}

}  // namespace

ParsedKey::ParsedKey(std::unique_ptr<const Handle> handle, KeyType type, int bits)
    : handle_(std::move(handle)), type_(type), bits_(bits) {}
ParsedKey::~ParsedKey() = default;

Result<std::shared_ptr<const ParsedKey>> ParsedKey::Parse(std::string_view pem) {
  ERR_clear_error();
  ELB_ASSIGN_OR_RETURN(const PemBlock block, KeyBlock(pem));
  ELB_ASSIGN_OR_RETURN(KeyPointer key, Decode(block));
  const Result<KeyFacts> facts = CheckSupported(key.get());
  if (!facts) {
    return Unusable(facts.error().message);
  }
  ERR_clear_error();
  return std::make_shared<const ParsedKey>(std::make_unique<const Handle>(std::move(key)),
                                           facts->type, facts->bits);
}

Result<void> CheckKeyMatches(const ParsedCertificate& certificate, const ParsedKey& key) {
  ERR_clear_error();
  EVP_PKEY* public_key = X509_get0_pubkey(certificate.handles().certificate(0));
  if (EVP_PKEY_eq(public_key, key.handle().key()) != 1) {
    return Unusable("it does not belong to the (first) certificate");
  }
  if (!CanSignFor(key.handle().key(), public_key)) {
    return Unusable("its parts contradict each other");
  }
  ERR_clear_error();
  return {};
}

}  // namespace elb::crypto
