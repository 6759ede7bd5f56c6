#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/ip.h"
#include "tls/internal.h"

namespace elb::tls {
namespace {

/// RSA key exchange and RSA signatures on one side, ECDSA on the other: can the client use an EC
/// certificate on `group` (data-plane.md 2.4 step 4)?
bool ClientTakesEcdsa(SSL* ssl, const Presentable& certificate) {
  const int nid = EVP_PKEY_get_base_id(certificate.key->handle().key());
  bool signature = false;
  for (int i = 0, count = SSL_get_sigalgs(ssl, 0, nullptr, nullptr, nullptr, nullptr, nullptr);
       i < count && !signature; ++i) {
    int sign = NID_undef;
    SSL_get_sigalgs(ssl, i, &sign, nullptr, nullptr, nullptr, nullptr);
    signature = sign == nid;
  }
  const bool sends_algorithms =
      SSL_get_sigalgs(ssl, 0, nullptr, nullptr, nullptr, nullptr, nullptr) > 0;
  if (sends_algorithms && !signature) {
    return false;
  }
  STACK_OF(SSL_CIPHER)* offered = SSL_get_client_ciphers(ssl);
  STACK_OF(SSL_CIPHER)* ours = SSL_get_ciphers(ssl);
  for (int i = 0; i < sk_SSL_CIPHER_num(offered); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(offered, i);
    const int authentication = SSL_CIPHER_get_auth_nid(cipher);
    if ((authentication == NID_auth_ecdsa || authentication == NID_auth_any) &&
        sk_SSL_CIPHER_find(ours, const_cast<SSL_CIPHER*>(cipher)) >= 0) {
      return true;
    }
  }
  return false;
}

const Presentable& Choose(SSL* ssl, const ServerContext::Compiled& compiled,
                          std::string_view name) {
  const Presentable& fallback = *compiled.certificates.front();
  if (name.empty() || compiled.certificates.size() == 1) {
    return fallback;
  }
  const NamePair pair = compiled.Find(name);
  if (pair.ec != nullptr && (pair.rsa == nullptr || ClientTakesEcdsa(ssl, *pair.ec))) {
    return *pair.ec;
  }
  return pair.rsa != nullptr ? *pair.rsa : fallback;
}

bool Present(SSL* ssl, const Presentable& chosen) {
  STACK_OF(X509)* chain = sk_X509_new_reserve(nullptr, static_cast<int>(chosen.chain.size()));
  if (chain == nullptr) {
    return false;
  }
  for (X509* certificate : chosen.chain) {
    sk_X509_push(chain, certificate);
  }
  const int used = SSL_use_cert_and_key(ssl, chosen.certificate->handles().certificate(0),
                                        chosen.key->handle().key(), chain, 1);
  sk_X509_free(chain);
  return used == 1;
}

/// Runs when ClientHello, sigalgs and suites are known; also for resumptions that fall through.
int ChooseCertificate(SSL* ssl, void* /*argument*/) {
  HandshakeState& state = StateOf(ssl);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const Presentable& chosen =
      Choose(ssl, state.compiled(), NormaliseServerName(name == nullptr ? "" : name));
  state.OnCertificate(chosen);
  const bool is_default = &chosen == state.compiled().certificates.front().get();
  return is_default || Present(ssl, chosen) ? 1 : 0;  // The context presents the default one.
}

int SeeClientHello(SSL* ssl, int* /*alert*/, void* /*argument*/) {
  StateOf(ssl).OnClientHello(ssl);
  return SSL_CLIENT_HELLO_SUCCESS;
}

int SeeServerName(SSL* ssl, int* /*alert*/, void* /*argument*/) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) {
    StateOf(ssl).OnServerName(NormaliseServerName(name));
  }
  return SSL_TLSEXT_ERR_OK;
}

constexpr std::string_view kHttp2 = "h2";
constexpr std::string_view kHttp11 = "http/1.1";
constexpr std::string_view kHttp10 = "http/1.0";

/// The client's list as names; malformed lists were refused by the library.
template <typename Visit>
void ForEachProtocol(std::span<const unsigned char> list, const Visit& visit) {
  while (!list.empty() && list.front() < list.size()) {
    const std::size_t size = list.front();
    visit(list.subspan(1, size));
    list = list.subspan(1 + size);
  }
}

int ChooseProtocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned in_size, void* /*argument*/) {
  std::span<const unsigned char> http2;
  std::span<const unsigned char> http11;
  std::span<const unsigned char> http10;
  ForEachProtocol({in, in_size}, [&](std::span<const unsigned char> name) {
    const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
    if (text == kHttp2) {
      http2 = name;
    } else if (text == kHttp11) {
      http11 = name;
    } else if (text == kHttp10) {
      http10 = name;
    }
  });
  const bool fits =
      SSL_version(ssl) >= TLS1_3_VERSION || MayCarryHttp2(SSL_get_pending_cipher(ssl));
  const bool offer =
      StateOf(ssl).compiled().http2 == Http2::kOn && fits && SSL_version(ssl) >= TLS1_2_VERSION;
  const auto chosen = offer && !http2.empty() ? http2 : !http11.empty() ? http11 : http10;
  if (chosen.empty()) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol (RFC 7301).
  }
  *out = chosen.data();
  *out_size = static_cast<unsigned char>(chosen.size());
  return SSL_TLSEXT_ERR_OK;
}

bool SetTicketKey(const TicketKey& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, bool encrypt) {
  std::array<char, 7> digest{"SHA256"};
  std::array<std::byte, 32> mac_key = key.mac_key;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr,
                           reinterpret_cast<const unsigned char*>(key.cipher_key.data()), iv,
                           encrypt ? 1 : 0) == 1 &&
         EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/// RFC 5077 section 4 with our own ring of keys. 0: no such key, full handshake. 2: renew.
int UseTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                 EVP_MAC_CTX* mac, int encrypt) {
  const std::vector<TicketKey> keys = StateOf(ssl).compiled().ticket_keys->Keys();
  if (encrypt == 1) {
    const TicketKey& key = keys.front();
    std::memcpy(name, key.name.data(), key.name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) {
      return -1;
    }
    return SetTicketKey(key, iv, cipher, mac, true) ? 1 : -1;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (std::memcmp(name, keys[i].name.data(), keys[i].name.size()) == 0) {
      if (!SetTicketKey(keys[i], iv, cipher, mac, false)) {
        return -1;
      }
      // TLS 1.3 sends a fresh ticket with each resumption anyway.
      return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
    }
  }
  return 0;
}

}  // namespace

std::string NormaliseServerName(std::string_view name) {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  if (name.empty() || name.size() > 253 || name.starts_with('.') || name.contains("..") ||
      IpAddress::Parse(name)) {
    return {};
  }
  std::string lower(name);
  for (char& letter : lower) {
    if (static_cast<unsigned char>(letter) >= 0x80) {
      return {};
    }
    if (letter >= 'A' && letter <= 'Z') {
      letter = static_cast<char>(letter + ('a' - 'A'));
    }
  }
  return lower;
}

bool MayCarryHttp2(const SSL_CIPHER* cipher) {
  if (cipher == nullptr) {
    return false;
  }
  const int exchange = SSL_CIPHER_get_kx_nid(cipher);
  return SSL_CIPHER_is_aead(cipher) == 1 &&
         (exchange == NID_kx_ecdhe || exchange == NID_kx_dhe || exchange == NID_kx_any);
}

int StreamSlot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

HandshakeState& StateOf(SSL* ssl) {
  auto* state = static_cast<HandshakeState*>(SSL_get_ex_data(ssl, StreamSlot()));
  ELB_ASSERT(state != nullptr);
  return *state;
}

void InstallCallbacks(SSL_CTX* context, const ServerContext::Compiled& compiled) {
  SSL_CTX_set_cert_cb(context, &ChooseCertificate, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, &SeeServerName);
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &UseTicketKey);
  if (compiled.keep_client_hello) {
    SSL_CTX_set_client_hello_cb(context, &SeeClientHello, nullptr);
  }
}

}  // namespace elb::tls
