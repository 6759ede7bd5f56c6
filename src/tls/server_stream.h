#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/reactor.h"
#include "net/stream.h"
#include "tls/server_context.h"

namespace elb::tls {

enum class Alpn : std::uint8_t { kNone, kHttp11, kHttp2, kHttp10 };

/// What a handshake decided. Filled once, when it completes; views and strings live as long as the
/// stream.
struct Facts {
  std::string_view version;         ///< `TLSv1` `TLSv1.1` `TLSv1.2` `TLSv1.3`
  std::string_view cipher;          ///< OpenSSL suite name.
  std::string_view certificate_id;  ///< `CertificateEntry::id` of the one presented.
  std::string sni;                  ///< Lower case, without trailing dot; empty if none.
  Alpn alpn = Alpn::kNone;
  bool resumed = false;
  bool has_client_certificate = false;
};

/// Facts of the client's certificate for data-plane.md 4.7; made on demand.
struct ClientCertificateFacts {
  std::string subject;      ///< RFC 2253.
  std::string issuer;       ///< RFC 2253.
  std::string fingerprint;  ///< SHA-256 of DER, lower-case hex.
  std::string serial;       ///< Upper-case hex.
  std::string not_after;    ///< `Nov 22 10:57:29 2039 GMT`
  std::string pem_escaped;  ///< Leaf PEM, percent-encoded.
};

/// Facts of the ClientHello for data-plane.md 4.7; only when the context keeps it.
struct ClientHelloFacts {
  std::string ciphers;  ///< ClientHello order, OpenSSL names, `:`-separated.
  std::string ja3;
  std::string ja4;
};

/// Says which context rules a connection. Asked once, when the first record has arrived: a
/// configuration change before that moment counts (data-plane.md 13). Same thread as the stream.
class ContextSource {
 public:
  virtual ~ContextSource() = default;
  [[nodiscard]] virtual std::shared_ptr<const ServerContext> Current() = 0;
};

/// Server side of TLS over another stream, through our own BIO: one read of the lower stream feeds
/// many records, one write takes everything a call produced. An idle stream holds no buffer.
/// `TryEstablish` drives the handshake. Faults of a failed one: code kTls with the alert number as
/// `detail`; code kProtocol with `detail` 1 when the peer speaks plain HTTP (`kPlainHttp`).
class ServerStream : public net::Stream {
 public:
  static constexpr std::int16_t kPlainHttp = 1;

  /// `contexts` must outlive the handshake.
  [[nodiscard]] static std::unique_ptr<ServerStream> Create(std::unique_ptr<net::Stream> lower,
                                                            ContextSource& contexts,
                                                            net::Reactor& reactor);
  /// After the handshake.
  [[nodiscard]] virtual const Facts& facts() const = 0;
  [[nodiscard]] virtual const ClientCertificateFacts& client_certificate() = 0;
  [[nodiscard]] virtual const ClientHelloFacts& client_hello() = 0;
  /// The stream below, once the handshake has failed: for a plain-text answer to plain HTTP
  /// (data-plane.md 2.10), or to let an alert reach a client that is still sending. Null
  /// afterwards.
  [[nodiscard]] virtual std::unique_ptr<net::Stream> ReleaseLower() = 0;
};

}  // namespace elb::tls
