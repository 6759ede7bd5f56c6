#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "base/assert.h"
#include "crypto/encoding.h"
#include "crypto/openssl_types.h"

namespace elb::crypto {
namespace {

static_assert(std::endian::native == std::endian::little);

const unsigned char* Raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::uint64_t ReadWord(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// State of SipHash (Aumasson and Bernstein 2012, section 2).
struct SipState {
  explicit SipState(const SipKey& key)
      : v0(key.first ^ 0x736f6d6570736575),
        v1(key.second ^ 0x646f72616e646f6d),
        v2(key.first ^ 0x6c7967656e657261),
        v3(key.second ^ 0x7465646279746573) {}

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void Absorb(std::uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }

  std::uint64_t Finish() {
    v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) {
      Round();
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }

  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;
};

using MacPointer = std::unique_ptr<EVP_MAC, OpenSslFree<&EVP_MAC_free>>;
using MacContextPointer = std::unique_ptr<EVP_MAC_CTX, OpenSslFree<&EVP_MAC_CTX_free>>;

/// HMAC with SHA-256. Looking it up takes longer than the HMAC of a cookie.
MacContextPointer NewMacContext() {
  const MacPointer mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContextPointer context(EVP_MAC_CTX_new(mac.get()));
  std::array<char, 7> digest{"SHA256"};
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  ELB_ASSERT(context != nullptr && EVP_MAC_CTX_set_params(context.get(), parameters.data()) == 1);
  return context;
}

}  // namespace

Digest Sha256(std::string_view bytes) {
  Digest digest;
  SHA256(Raw(bytes), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string Sha256Hex(std::string_view bytes) { return HexEncode(AsText(Sha256(bytes))); }

Digest HmacSha256(std::string_view key, std::string_view message) {
  thread_local const MacContextPointer context = NewMacContext();
  EVP_MAC_CTX* mac = context.get();
  Digest digest;
  std::size_t length = 0;
  // A null key pointer would mean "the key of the last call".
  const unsigned char* key_bytes = Raw(key.empty() ? std::string_view("") : key);
  const bool made = EVP_MAC_init(mac, key_bytes, key.size(), nullptr) == 1 &&
                    EVP_MAC_update(mac, Raw(message), message.size()) == 1 &&
                    EVP_MAC_final(mac, reinterpret_cast<unsigned char*>(digest.data()), &length,
                                  digest.size()) == 1;
  ELB_ASSERT(made && length == digest.size());
  return digest;
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

SipKey SipKey::FromBytes(std::span<const std::byte, 16> bytes) {
  return {.first = ReadWord(bytes.data()), .second = ReadWord(bytes.data() + 8)};
}

std::uint64_t SipHash24(const SipKey& key, std::span<const std::byte> bytes) {
  SipState state(key);
  const std::size_t whole = bytes.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    state.Absorb(ReadWord(bytes.data() + i));
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  if (whole < bytes.size()) {
    std::memcpy(&last, bytes.data() + whole, bytes.size() - whole);
  }
  state.Absorb(last);
  return state.Finish();
}

}  // namespace elb::crypto
