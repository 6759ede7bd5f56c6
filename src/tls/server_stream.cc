#include "tls/server_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tls/channel_stream.h"
#include "tls/client_certificate.h"
#include "tls/client_hello.h"
#include "tls/compiled_context.h"
#include "tls/server_callbacks.h"

namespace elb::tls {
namespace {

Alpn AlpnOf(const SSL* ssl) {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &data, &size);
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  if (name == "h2") {
    return Alpn::kHttp2;
  }
  if (name == "http/1.1") {
    return Alpn::kHttp11;
  }
  return name == "http/1.0" ? Alpn::kHttp10 : Alpn::kNone;
}

ClientHelloFacts Describe(const ClientHello& hello) {
  return {.ciphers = CipherNames(hello), .ja3 = Ja3(hello), .ja4 = Ja4(hello)};
}

ByteView BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Server side. Until the ClientHello is complete there is no SSL object, nor a context.
class AcceptingStream final : public ChannelStream<ServerStream> {
 public:
  AcceptingStream(std::unique_ptr<net::Stream> lower, ContextSource& contexts)
      : ChannelStream(std::move(lower), FaultSide::kDownstream), contexts_(&contexts) {}

  [[nodiscard]] Outcome<bool> TryEstablish() override {
    if (channel().established()) {
      return true;
    }
    if (channel().failure()) {
      // NOLINTNEXTLINE(bugprone-unchecked-optional-access): checked above.
      return std::unexpected(*channel().failure());
    }
    if (channel().ssl() == nullptr) {
      const Outcome<bool> arrived = AwaitHello();
      if (!arrived || !*arrived) {
        return arrived;
      }
    }
    Outcome<bool> done = channel().Handshake();
    if (done && *done) {
      FillFacts();
    }
    return done;
  }

  [[nodiscard]] const Facts& facts() const override { return facts_; }

  [[nodiscard]] const ClientCertificateFacts& client_certificate() override {
    if (!client_certificate_) {
      const crypto::X509Pointer certificate(SSL_get1_peer_certificate(channel().ssl()));
      client_certificate_ =
          certificate ? DescribeClientCertificate(certificate.get()) : ClientCertificateFacts{};
    }
    return *client_certificate_;
  }

  [[nodiscard]] const ClientHelloFacts& client_hello() override {
    if (!client_hello_) {
      const std::optional<ClientHello> hello = ParseClientHello(BytesOf(hello_message_));
      client_hello_ = hello ? Describe(*hello) : ClientHelloFacts{};
      hello_message_ = {};
    }
    return *client_hello_;
  }

  [[nodiscard]] std::unique_ptr<net::Stream> ReleaseLower() override {
    return channel().ReleaseLower();
  }

 private:
  /// Reads until the ClientHello is complete, then starts OpenSSL on it.
  Outcome<bool> AwaitHello() {
    while (true) {
      const HelloGate::Verdict verdict = gate_.Inspect(channel().input().bytes());
      if (verdict == HelloGate::Verdict::kComplete) {
        return Start();
      }
      if (verdict != HelloGate::Verdict::kMore) {
        return Refuse(verdict);
      }
      if (channel().input().bytes().size() >= InputBuffer::kBlockBytes) {
        return channel().Refuse(FaultCode::kTooLarge, 0);  // Cut into too many records.
      }
      const Outcome<bool> received = channel().Receive();
      if (!received || !*received) {
        return received;
      }
    }
  }

  std::unexpected<Fault> Refuse(HelloGate::Verdict verdict) {
    switch (verdict) {
      case HelloGate::Verdict::kPlainHttp:
        return channel().Refuse(FaultCode::kProtocol, kPlainHttp);
      case HelloGate::Verdict::kTooLarge:
        return channel().Refuse(FaultCode::kTooLarge, 0);
      case HelloGate::Verdict::kUnexpected:
        return channel().RefuseWithAlert(SSL_AD_UNEXPECTED_MESSAGE);
      case HelloGate::Verdict::kVersion:
        return channel().RefuseWithAlert(SSL_AD_PROTOCOL_VERSION);
      default:
        return channel().Refuse(FaultCode::kTls, 0);
    }
  }

  Outcome<bool> Start() {
    context_ = contexts_->Current();
    if (context_ == nullptr) {
      return channel().RefuseWithAlert(SSL_AD_INTERNAL_ERROR);
    }
    const ServerContext::Compiled& compiled = context_->compiled();
    SslPointer ssl(SSL_new(compiled.policy().context()));
    if (ssl == nullptr) {
      ERR_clear_error();
      return channel().RefuseWithAlert(SSL_AD_INTERNAL_ERROR);
    }
    const auto& session_context = compiled.session_context();
    SSL_set_session_id_context(ssl.get(), session_context.data(),
                               static_cast<unsigned>(session_context.size()));
    handshake_.context = &compiled;
    SetServerHandshake(*ssl, handshake_);
    SSL_set_accept_state(ssl.get());
    ReadHello(compiled);
    channel().Attach(std::move(ssl));
    return true;
  }

  void ReadHello(const ServerContext::Compiled& compiled) {
    std::string message = gate_.Message(channel().input().bytes());
    if (const std::optional<ClientHello> hello = ParseClientHello(BytesOf(message))) {
      handshake_.server_name = NormalServerName(ServerNameOf(*hello));
    }
    if (compiled.keep_client_hello()) {
      hello_message_ = std::move(message);
    }
  }

  void FillFacts() {
    SSL* ssl = channel().ssl();
    facts_.version = SSL_get_version(ssl);
    facts_.cipher = SSL_get_cipher_name(ssl);
    facts_.resumed = SSL_session_reused(ssl) == 1;
    facts_.certificate_id = CertificateId(ssl);
    facts_.sni = std::move(handshake_.server_name);
    facts_.alpn = AlpnOf(ssl);
    facts_.has_client_certificate = SSL_get0_peer_certificate(ssl) != nullptr;
  }

  /// A resumed session presents nothing; then the one it was made with counts.
  std::string_view CertificateId(SSL* ssl) const {
    const CertificateChoice choice = context_->compiled().Choose(handshake_.server_name);
    const bool ec = facts_.resumed
                        ? handshake_.resumed.certificate_type == crypto::KeyType::kEc
                        : choice.ec != nullptr && SSL_get_certificate(ssl) == choice.ec->leaf();
    const ServerCertificate* certificate = ec || choice.rsa == nullptr ? choice.ec : choice.rsa;
    if (certificate == nullptr) {
      certificate = choice.rsa;
    }
    return certificate->id();
  }

  ContextSource* contexts_;
  HelloGate gate_;
  std::shared_ptr<const ServerContext> context_;
  ServerHandshake handshake_;
  Facts facts_;
  std::string hello_message_;  ///< Kept for `client_hello` if the context says so.
  std::optional<ClientCertificateFacts> client_certificate_;
  std::optional<ClientHelloFacts> client_hello_;
};

}  // namespace

std::unique_ptr<ServerStream> ServerStream::Create(std::unique_ptr<net::Stream> lower,
                                                   ContextSource& contexts,
                                                   net::Reactor& /*reactor*/) {
  return std::make_unique<AcceptingStream>(std::move(lower), contexts);
}

}  // namespace elb::tls
