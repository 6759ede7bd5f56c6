#include "tls/client_stream.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <utility>

#include "tls/engine.h"
#include "tls/internal.h"

namespace elb::tls {
namespace {

/// Forward secrecy and AEAD first, RSA key exchange and CBC with SHA-2 as the last resort
/// (data-plane.md 2.9).
constexpr const char* kCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:AESGCM:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:"
    "ECDHE-RSA-AES256-SHA384:AES128-SHA256:AES256-SHA256";
constexpr const char* kOldCiphers =
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-SHA:AES256-SHA";

class OpenSslClientStream final : public net::Stream {
 public:
  OpenSslClientStream(std::unique_ptr<net::Stream> lower,
                      std::shared_ptr<const ClientContext> context, const std::string& sni)
      : context_(std::move(context)), engine_(std::move(lower)) {
    SslPtr ssl(SSL_new(context_->compiled().context.get()));
    if (ssl != nullptr) {
      SSL_set_connect_state(ssl.get());
      if (!sni.empty()) {
        SSL_set_tlsext_host_name(ssl.get(), sni.c_str());
      }
      engine_.Attach(std::move(ssl));
    }
  }

  void SetSignal(net::Signal* signal) override { engine_.lower().SetSignal(signal); }
  Outcome<bool> TryEstablish() override {
    if (established_) {
      return true;
    }
    if (engine_.ssl() == nullptr) {
      return std::unexpected(
          Fault{.side = FaultSide::kInternal, .code = FaultCode::kTls, .detail = 80});
    }
    const Outcome<bool> lower = engine_.lower().TryEstablish();
    if (!lower || !*lower) {
      return lower;
    }
    const Outcome<bool> done = engine_.Handshake();
    established_ = done && *done;
    return done;
  }
  net::ReadResult TryRead(std::span<std::byte> into) override { return engine_.Read(into); }
  Outcome<void> Write(std::span<const std::string_view> pieces) override {
    return engine_.Write(pieces);
  }
  std::size_t pending() const override { return engine_.lower().pending(); }
  void CloseWrite() override { engine_.CloseWrite(); }
  void Abort() override { engine_.lower().Abort(); }
  bool peer_gone() const override { return engine_.lower().peer_gone(); }
  bool broken() const override { return engine_.lower().broken(); }
  bool Quiet() override { return engine_.Quiet(); }
  Endpoint local() const override { return engine_.lower().local(); }
  Endpoint peer() const override { return engine_.lower().peer(); }

 private:
  std::shared_ptr<const ClientContext> context_;
  Engine engine_;
  bool established_ = false;
};

}  // namespace

Result<std::shared_ptr<const ClientContext>> ClientContext::Create(ClientVersions versions) {
  auto compiled = std::make_unique<Compiled>();
  compiled->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = compiled->context.get();
  const bool old = versions == ClientVersions::kTls10AndUp;
  const std::string ciphers = std::string(kCiphers) + (old ? kOldCiphers : "");
  if (context == nullptr || SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return Internal(fmt::format("TLS set-up failed: {}", TakeOpenSslError()));
  }
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, old ? TLS1_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof(kProtocols) - 1);
  ERR_clear_error();
  return std::make_shared<const ClientContext>(std::move(compiled));
}

ClientContext::ClientContext(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}

ClientContext::~ClientContext() = default;

std::unique_ptr<net::Stream> CreateClientStream(std::unique_ptr<net::Stream> lower,
                                                std::shared_ptr<const ClientContext> context,
                                                const std::string& sni, net::Reactor& /*reactor*/) {
  return std::make_unique<OpenSslClientStream>(std::move(lower), std::move(context), sni);
}

}  // namespace elb::tls
