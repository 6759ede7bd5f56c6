#include "tls/server_callbacks.h"

#include "tls/channel.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace elb::tls {
namespace {

/// A ticket is good for this long (data-plane.md 2.7).
constexpr std::chrono::hours kTicketLifetime{2};
/// However often it is renewed, after this the client proves its identity again (RFC 8446
/// section 4.6.1).
constexpr std::chrono::hours kSessionAgeMax{24};

ServerHandshake& HandshakeOf(SSL* ssl) { return *Channel::Of(ssl).server_handshake(); }

std::chrono::sys_seconds Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

bool Use(SSL* ssl, const ServerCertificate* certificate) {
  if (certificate == nullptr) {
    return true;
  }
  // An empty list would be copied for each connection.
  STACK_OF(X509)* chain = sk_X509_num(certificate->chain()) > 0 ? certificate->chain() : nullptr;
  return SSL_use_cert_and_key(ssl, certificate->leaf(), certificate->key(), chain, 1) == 1;
}

/// OpenSSL asks on full handshakes only. Given both kinds, it takes the one of the first suite or,
/// in TLS 1.3, of the first signature algorithm of the server's order that the client shares.
int ChooseCertificate(SSL* ssl, void* /*unused*/) {
  const ServerHandshake& handshake = HandshakeOf(ssl);
  const CertificateChoice choice = handshake.context->Choose(handshake.server_name);
  return Use(ssl, choice.ec) && Use(ssl, choice.rsa) ? 1 : 0;
}

/// RFC 9113 appendix A forbids all suites but ephemeral ones with an AEAD.
bool AllowsHttp2(SSL* ssl) {
  const int version = SSL_version(ssl);
  if (version != TLS1_2_VERSION) {
    return version > TLS1_2_VERSION;
  }
  const SSL_CIPHER* cipher = SSL_get_pending_cipher(ssl);
  if (cipher == nullptr || SSL_CIPHER_is_aead(cipher) != 1) {
    return false;
  }
  const int exchange = SSL_CIPHER_get_kx_nid(cipher);
  return exchange == NID_kx_ecdhe || exchange == NID_kx_dhe;
}

/// The entry of a protocol list equal to `protocol`, or nothing.
std::string_view FindProtocol(std::string_view list, std::string_view protocol) {
  while (!list.empty()) {
    const std::size_t size = static_cast<unsigned char>(list.front());
    const std::string_view entry = list.substr(1, size);
    if (entry == protocol) {
      return entry;
    }
    list.remove_prefix(1 + entry.size());
  }
  return {};
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature.
int SelectProtocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned in_size, void* /*unused*/) {
  const std::string_view offered(reinterpret_cast<const char*>(in), in_size);
  const bool http2 = HandshakeOf(ssl).context->http2() == Http2::kOn && AllowsHttp2(ssl);
  for (const std::string_view protocol : {"h2", "http/1.1", "http/1.0"}) {
    const std::string_view entry =
        protocol == "h2" && !http2 ? std::string_view{} : FindProtocol(offered, protocol);
    if (!entry.empty()) {
      *out = reinterpret_cast<const unsigned char*>(entry.data());
      *out_size = static_cast<unsigned char>(entry.size());
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol, RFC 7301.
}

const EVP_CIPHER* TicketCipher() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

const unsigned char* Bytes(const auto& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool SetMacKey(EVP_MAC_CTX* mac, const TicketKey& key) {
  std::array<char, 7> digest{"SHA256"};
  auto mac_key = key.mac_key;
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const bool done = EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
  OPENSSL_cleanse(mac_key.data(), mac_key.size());
  return done;
}

/// Seals and opens tickets with the node's keys. 0: unknown key, so a full handshake; 2: good, and
/// to be renewed with the newest key.
// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature.
int TicketKeyFor(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                 EVP_MAC_CTX* mac, int encrypt) {
  const TicketKeys::Ring& ring = HandshakeOf(ssl).context->keys().Current();
  if (encrypt == 1) {
    const TicketKey& key = ring.newest();
    std::memcpy(name, key.name.data(), key.name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(TicketCipher())) != 1 ||
        EVP_EncryptInit_ex2(cipher, TicketCipher(), Bytes(key.cipher_key), iv, nullptr) != 1) {
      return -1;
    }
    return SetMacKey(mac, key) ? 1 : -1;
  }
  const TicketKey* key = ring.Find(name);
  if (key == nullptr) {
    return 0;
  }
  if (!SetMacKey(mac, *key) ||
      EVP_DecryptInit_ex2(cipher, TicketCipher(), Bytes(key->cipher_key), iv, nullptr) != 1) {
    return -1;
  }
  return key == &ring.newest() ? 1 : 2;
}

/// `SessionMemory` as the ticket carries it; tickets may come back to another node.
struct PackedMemory {
  std::array<unsigned char, 8> full_handshake_at{};
  unsigned char certificate_type = 0;
};

PackedMemory Pack(const SessionMemory& memory) {
  PackedMemory packed;
  auto seconds = static_cast<std::uint64_t>(memory.full_handshake_at.time_since_epoch().count());
  for (unsigned char& byte : packed.full_handshake_at) {
    byte = static_cast<unsigned char>(seconds);
    seconds >>= 8;
  }
  packed.certificate_type = static_cast<unsigned char>(memory.certificate_type);
  return packed;
}

SessionMemory Unpack(const PackedMemory& packed) {
  std::uint64_t seconds = 0;
  for (std::size_t i = packed.full_handshake_at.size(); i-- > 0;) {
    seconds = seconds << 8 | packed.full_handshake_at[i];
  }
  return {.full_handshake_at =
              std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(seconds))),
          .certificate_type = static_cast<crypto::KeyType>(packed.certificate_type)};
}

int OnTicketMade(SSL* ssl, void* /*unused*/) {
  SessionMemory memory = HandshakeOf(ssl).resumed;
  if (SSL_session_reused(ssl) != 1) {
    const EVP_PKEY* key = SSL_get_privatekey(ssl);
    const bool ec = key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
    memory = {.full_handshake_at = Now(),
              .certificate_type = ec ? crypto::KeyType::kEc : crypto::KeyType::kRsa};
  }
  const PackedMemory packed = Pack(memory);
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &packed, sizeof(packed));
}

bool IsExpired(const X509* certificate) {
  return certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

/// Whether a session that was opened may still be used.
bool Accept(SSL* ssl, SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t size = 0;
  PackedMemory packed;
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size != sizeof(packed)) {
    return false;
  }
  std::memcpy(&packed, data, sizeof(packed));
  const SessionMemory memory = Unpack(packed);
  if (Now() - memory.full_handshake_at > kSessionAgeMax ||
      IsExpired(SSL_SESSION_get0_peer(session))) {
    return false;
  }
  HandshakeOf(ssl).resumed = memory;
  return true;
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature.
SSL_TICKET_RETURN OnTicketOpened(SSL* ssl, SSL_SESSION* session, const unsigned char* /*name*/,
                                 std::size_t /*name_size*/, SSL_TICKET_STATUS status,
                                 void* /*unused*/) {
  switch (status) {
    case SSL_TICKET_SUCCESS:
    case SSL_TICKET_SUCCESS_RENEW:
      if (!Accept(ssl, session)) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
      }
      // Clients of TLS 1.3 use a ticket once (RFC 8446 appendix C.4), so each resumption brings
      // the next one.
      return status == SSL_TICKET_SUCCESS && SSL_version(ssl) < TLS1_3_VERSION
                 ? SSL_TICKET_RETURN_USE
                 : SSL_TICKET_RETURN_USE_RENEW;
    default:
      return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
}

}  // namespace

void SetServerCallbacks(SSL_CTX& context) {
  SSL_CTX_set_cert_cb(&context, &ChooseCertificate, nullptr);
  SSL_CTX_set_alpn_select_cb(&context, &SelectProtocol, nullptr);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, &TicketKeyFor);
  SSL_CTX_set_session_ticket_cb(&context, &OnTicketMade, &OnTicketOpened, nullptr);
  SSL_CTX_set_num_tickets(&context, 1);
  SSL_CTX_set_timeout(&context, std::chrono::seconds(kTicketLifetime).count());
}

}  // namespace elb::tls
