#include "crypto/sealing.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/random.h"
#include "crypto/encoding.h"

namespace elb::crypto {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kOverhead = 1 + kNonceBytes + kTagBytes;
// A stored secret is at most some kilobytes; OpenSSL counts in int.
constexpr std::size_t kPlaintextMax = std::size_t{64} * 1024 * 1024;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Raw(std::string& text, std::size_t offset) {
  return reinterpret_cast<unsigned char*>(text.data()) + offset;
}

std::unexpected<Error> CipherFailure() {
  ERR_clear_error();
  return Internal("the cipher AES-256-GCM failed");
}

std::unexpected<Error> CannotUnseal(std::string_view why) {
  return Failure(ErrorKind::kStorage, "", fmt::format("a sealed value cannot be opened: {}", why));
}

}  // namespace

/// The fetched cipher: looking it up anew would cost more than a seal.
class Sealer::Cipher {
 public:
  Cipher() : cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)) {
    ELB_ASSERT(cipher_ != nullptr);
  }
  ~Cipher() { EVP_CIPHER_free(cipher_); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  Cipher(Cipher&&) = delete;
  Cipher& operator=(Cipher&&) = delete;
  [[nodiscard]] const EVP_CIPHER* get() const { return cipher_; }

 private:
  EVP_CIPHER* cipher_;
};

Sealer::Sealer(const SealingKey& key) : key_(key), cipher_(std::make_unique<const Cipher>()) {}

Sealer::~Sealer() { OPENSSL_cleanse(key_.data(), key_.size()); }

Result<std::string> Sealer::Seal(std::string_view plaintext,
                                 std::string_view associated_data) const {
  if (plaintext.size() > kPlaintextMax || associated_data.size() > kPlaintextMax) {
    return Internal("a secret is too long to be sealed");
  }
  std::string sealed(kOverhead + plaintext.size(), '\0');
  sealed[0] = kVersion;
  SystemRandom random;
  random.Fill(std::as_writable_bytes(std::span(sealed.data() + 1, kNonceBytes)));

  const Context context(EVP_CIPHER_CTX_new());
  const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
  const std::size_t body = 1 + kNonceBytes;
  int written = 0;
  int rest = 0;
  const bool done =
      context != nullptr &&
      EVP_EncryptInit_ex2(context.get(), cipher_->get(), key, Raw(sealed, 1), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &rest, Raw(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), Raw(sealed, body), &written, Raw(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), Raw(sealed, body + plaintext.size()), &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                          Raw(sealed, body + plaintext.size())) == 1;
  if (!done) {
    return CipherFailure();
  }
  return sealed;
}

Result<std::string> Sealer::Unseal(std::string_view sealed,
                                   std::string_view associated_data) const {
  if (sealed.size() < kOverhead || sealed.size() > kOverhead + kPlaintextMax) {
    return CannotUnseal("it is damaged");
  }
  if (sealed[0] != kVersion) {
    return CannotUnseal(fmt::format("its format {} is not known to this version",
                                    static_cast<unsigned char>(sealed[0])));
  }
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  const std::string_view body = sealed.substr(1 + kNonceBytes, sealed.size() - kOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plaintext(body.size() + 1, '\0');  // Never empty: OpenSSL wants a buffer.

  const Context context(EVP_CIPHER_CTX_new());
  const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
  int written = 0;
  int rest = 0;
  const bool ready =
      context != nullptr &&
      EVP_DecryptInit_ex2(context.get(), cipher_->get(), key, Raw(nonce), nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &rest, Raw(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), Raw(plaintext, 0), &written, Raw(body),
                        static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, Raw(tag, 0)) == 1;
  if (!ready) {
    return CipherFailure();
  }
  if (EVP_DecryptFinal_ex(context.get(), Raw(plaintext, body.size()), &rest) != 1) {
    ERR_clear_error();
    OPENSSL_cleanse(plaintext.data(), plaintext.size());
    return CannotUnseal("it is damaged, or it was sealed under another node key");
  }
  plaintext.resize(body.size());
  return plaintext;
}

Result<std::string> Sealer::SealText(std::string_view plaintext,
                                     std::string_view associated_data) const {
  ELB_ASSIGN_OR_RETURN(const std::string sealed, Seal(plaintext, associated_data));
  return Base64UrlEncode(sealed);
}

Result<std::string> Sealer::UnsealText(std::string_view text,
                                       std::string_view associated_data) const {
  const std::optional<std::string> sealed = Base64UrlDecode(text);
  if (!sealed) {
    return CannotUnseal("it is damaged");
  }
  return Unseal(*sealed, associated_data);
}

std::string AssociatedData(std::initializer_list<std::string_view> parts) {
  std::string data;
  for (const std::string_view part : parts) {
    fmt::format_to(std::back_inserter(data), "{}:{}", part.size(), part);
  }
  return data;
}

}  // namespace elb::crypto
