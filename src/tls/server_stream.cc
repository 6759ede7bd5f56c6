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
      channel().set_server_handshake(nullptr);
      SSL_SESSION_set1_ticket_appdata(SSL_get_session(channel().ssl()), nullptr, 0);
      hello_.reset();
    }
    return done;
  }

  [[nodiscard]] const Facts& facts() const override { return facts_; }

  [[nodiscard]] const ClientCertificateFacts& client_certificate() override {
    std::optional<ClientCertificateFacts>& known = details().client_certificate;
    if (!known) {
      const crypto::X509Pointer certificate(SSL_get1_peer_certificate(channel().ssl()));
      known = certificate ? DescribeClientCertificate(certificate.get()) : ClientCertificateFacts{};
    }
    return *known;
  }

  [[nodiscard]] const ClientHelloFacts& client_hello() override {
    std::optional<ClientHelloFacts>& known = details().client_hello;
    if (!known) {
      const std::optional<ClientHello> hello = ParseClientHello(BytesOf(details().hello_message));
      known = hello ? Describe(*hello) : ClientHelloFacts{};
      details().hello_message = {};
    }
    return *known;
  }

  [[nodiscard]] std::unique_ptr<net::Stream> ReleaseLower() override {
    return channel().ReleaseLower();
  }

 private:
  /// What the handshake needs and an established connection does not.
  struct Hello {
    HelloGate gate;
    ServerHandshake handshake;
  };
  /// What few connections are asked for: the others do not carry it.
  struct Details {
    std::string hello_message;  ///< Kept for `client_hello` if the context says so.
    std::optional<ClientCertificateFacts> client_certificate;
    std::optional<ClientHelloFacts> client_hello;
  };
  Details& details() {
    if (details_ == nullptr) {
      details_ = std::make_unique<Details>();
    }
    return *details_;
  }

  /// Reads until the ClientHello is complete, then starts OpenSSL on it.
  Outcome<bool> AwaitHello() {
    while (true) {
      const HelloGate::Verdict verdict = hello_->gate.Inspect(channel().input().bytes());
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
    hello_->handshake.context = &compiled;
    channel().set_server_handshake(&hello_->handshake);
    SSL_set_accept_state(ssl.get());
    ReadHello(compiled);
    channel().Attach(std::move(ssl));
    return true;
  }

  void ReadHello(const ServerContext::Compiled& compiled) {
    std::string message = hello_->gate.Message(channel().input().bytes());
    if (const std::optional<ClientHello> hello = ParseClientHello(BytesOf(message))) {
      hello_->handshake.server_name = NormalServerName(ServerNameOf(*hello));
    }
    if (compiled.keep_client_hello()) {
      details().hello_message = std::move(message);
    }
  }

  void FillFacts() {
    SSL* ssl = channel().ssl();
    facts_.version = SSL_get_version(ssl);
    facts_.cipher = SSL_get_cipher_name(ssl);
    facts_.resumed = SSL_session_reused(ssl) == 1;
    facts_.certificate_id = CertificateId(ssl);
    facts_.sni = std::move(hello_->handshake.server_name);
    facts_.alpn = AlpnOf(ssl);
    facts_.has_client_certificate = SSL_get0_peer_certificate(ssl) != nullptr;
  }

  /// A resumed session presents nothing; then the one it was made with counts.
  std::string_view CertificateId(SSL* ssl) const {
    const CertificateChoice choice = context_->compiled().Choose(hello_->handshake.server_name);
    const bool ec = facts_.resumed
                        ? hello_->handshake.resumed.certificate_type == crypto::KeyType::kEc
                        : choice.ec != nullptr && SSL_get_certificate(ssl) == choice.ec->leaf();
    const ServerCertificate* certificate = ec || choice.rsa == nullptr ? choice.ec : choice.rsa;
    if (certificate == nullptr) {
      certificate = choice.rsa;
    }
    return certificate->id();
  }

  ContextSource* contexts_;
  std::shared_ptr<const ServerContext> context_;
  std::unique_ptr<Hello> hello_ = std::make_unique<Hello>();  ///< Until the handshake is over.
  Facts facts_;
  std::unique_ptr<Details> details_;
};

}  // namespace

std::unique_ptr<ServerStream> ServerStream::Create(std::unique_ptr<net::Stream> lower,
                                                   ContextSource& contexts,
                                                   net::Reactor& /*reactor*/) {
  return std::make_unique<AcceptingStream>(std::move(lower), contexts);
}

}  // namespace elb::tls
