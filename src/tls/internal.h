#pragma once

// OpenSSL's side of the tls module. Included inside tls/ only.

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "crypto/openssl_types.h"
#include "tls/client_stream.h"
#include "tls/server_context.h"
#include "tls/ticket_keys.h"

namespace elb::tls {

using SslCtxPtr = std::unique_ptr<SSL_CTX, crypto::OpenSslFree<&SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, crypto::OpenSslFree<&SSL_free>>;

using BioPtr = std::unique_ptr<BIO, crypto::OpenSslFree<&BIO_free_all>>;

/// The oldest error of this thread's OpenSSL queue as text; clears the queue.
[[nodiscard]] std::string TakeOpenSslError();

/// A certificate ready to be presented: id, leaf, key, and the chain to send behind the leaf.
struct Presentable {
  std::string id;
  std::shared_ptr<const crypto::ParsedCertificate> certificate;
  std::shared_ptr<const crypto::ParsedKey> key;
  std::vector<X509*> chain;  ///< Without the leaf and without a self-signed root at the end.
};

/// The certificates of one name: one for each kind of key.
struct NamePair {
  const Presentable* rsa = nullptr;
  const Presentable* ec = nullptr;
};

class ServerContext::Compiled {
 public:
  SslCtxPtr context;
  std::vector<std::unique_ptr<Presentable>> certificates;  ///< The default one first.
  absl::flat_hash_map<std::string, NamePair> exact;
  absl::flat_hash_map<std::string, NamePair> wildcard;  ///< By what stands behind `*.`.
  std::vector<std::string> effective_ciphers;
  SniMatch sni_match = SniMatch::kWildcard;
  Http2 http2 = Http2::kOff;
  bool keep_client_hello = false;
  TicketKeys* ticket_keys = nullptr;

  /// The certificates for a normalised name; null members where there is none.
  [[nodiscard]] NamePair Find(std::string_view name) const;
};

class ClientContext::Compiled {
 public:
  SslCtxPtr context;
};

/// Lower case, one trailing dot off; empty when the name can match nothing (data-plane.md 2.4).
[[nodiscard]] std::string NormaliseServerName(std::string_view name);

/// Whether a TLS 1.2 suite may carry HTTP/2 (RFC 9113 appendix A): ephemeral key exchange and AEAD.
[[nodiscard]] bool MayCarryHttp2(const SSL_CIPHER* cipher);

/// SSL ex_data slot that holds the stream of a connection.
[[nodiscard]] int StreamSlot();

/// What the handshake callbacks need to know of a connection; base of the server stream.
class HandshakeState {
 public:
  [[nodiscard]] virtual const ServerContext::Compiled& compiled() const = 0;
  virtual void OnServerName(std::string name) = 0;
  virtual void OnCertificate(const Presentable& chosen) = 0;
  virtual void OnClientHello(SSL* ssl) = 0;

 protected:
  ~HandshakeState() = default;
};
[[nodiscard]] HandshakeState& StateOf(SSL* ssl);

/// Installs the callbacks for certificate choice, ALPN and tickets.
void InstallCallbacks(SSL_CTX* context, const ServerContext::Compiled& compiled);

}  // namespace elb::tls
