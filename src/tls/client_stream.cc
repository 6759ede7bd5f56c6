#include "tls/client_stream.h"

#include <openssl/err.h>

#include <array>
#include <utility>

#include "tls/channel_stream.h"
#include "tls/openssl_handles.h"

namespace elb::tls {
namespace {

/// data-plane.md 2.9: forward secrecy and AEAD first, then ECDHE, then RSA key exchange with
/// AEAD, then CBC with SHA-2.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-CCM:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-CCM:AES256-CCM:AES128-SHA256:AES256-SHA256";
/// For backends that know nothing newer than TLS 1.1.
constexpr const char* kOldCiphers = ":DHE-RSA-AES128-SHA:DHE-RSA-AES256-SHA:AES128-SHA:AES256-SHA";
constexpr const char* kSuites13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

}  // namespace

class ClientContext::Compiled {
 public:
  explicit Compiled(SslContextPointer context) : context_(std::move(context)) {}
  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }

 private:
  SslContextPointer context_;
};

namespace {

class ConnectingStream final : public ChannelStream<net::Stream> {
 public:
  ConnectingStream(std::unique_ptr<net::Stream> lower, std::shared_ptr<const ClientContext> context,
                   std::string sni)
      : ChannelStream(std::move(lower), FaultSide::kUpstream),
        context_(std::move(context)),
        sni_(std::move(sni)) {}

  [[nodiscard]] Outcome<bool> TryEstablish() override {
    if (channel().established()) {
      return true;
    }
    if (channel().failure()) {
      // NOLINTNEXTLINE(bugprone-unchecked-optional-access): checked above.
      return std::unexpected(*channel().failure());
    }
    if (channel().ssl() == nullptr) {
      const Outcome<bool> connected = channel().lower().TryEstablish();
      if (!connected || !*connected) {
        return connected;
      }
      if (!Start()) {
        return channel().Refuse(FaultCode::kTls, 0);
      }
    }
    return channel().Handshake();
  }

 private:
  bool Start() {
    ERR_clear_error();
    SslPointer ssl(SSL_new(context_->compiled().context()));
    if (ssl == nullptr ||
        (!sni_.empty() && SSL_set_tlsext_host_name(ssl.get(), sni_.c_str()) != 1)) {
      return false;
    }
    SSL_set_connect_state(ssl.get());
    channel().Attach(std::move(ssl));
    return true;
  }

  std::shared_ptr<const ClientContext> context_;
  std::string sni_;
};

Result<SslContextPointer> NewContext(ClientVersions versions) {
  SslContextPointer made(SSL_CTX_new_ex(nullptr, nullptr, TLS_client_method()));
  SSL_CTX* context = made.get();
  const bool old = versions == ClientVersions::kTls10AndUp;
  const std::string ciphers = std::string(kCiphers) + (old ? kOldCiphers : "");
  if (context == nullptr ||
      SSL_CTX_set_min_proto_version(context, old ? TLS1_VERSION : TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1) {
    ERR_clear_error();
    return Internal("OpenSSL refuses a client context");
  }
  SSL_CTX_clear_options(context, SSL_OP_NO_SSL_MASK);
  SSL_CTX_set_security_level(context, 0);  // Backends may be old; nothing is verified anyway.
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1 ||
      SSL_CTX_set_ciphersuites(context, kSuites13) != 1 ||
      SSL_CTX_set_alpn_protos(context, kAlpn.data(), kAlpn.size()) != 0) {
    ERR_clear_error();
    return Internal("OpenSSL refuses the suites for backends");
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  // Renegotiation is refused on both sides, so servers without RFC 5746 do no harm.
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_LEGACY_SERVER_CONNECT);
  Channel::Prepare(*context);
  return made;
}

}  // namespace

Result<std::shared_ptr<const ClientContext>> ClientContext::Create(ClientVersions versions) {
  ELB_ASSIGN_OR_RETURN(SslContextPointer context, NewContext(versions));
  return std::make_shared<const ClientContext>(
      std::make_unique<const Compiled>(std::move(context)));
}

ClientContext::ClientContext(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}

ClientContext::~ClientContext() = default;

std::unique_ptr<net::Stream> CreateClientStream(std::unique_ptr<net::Stream> lower,
                                                std::shared_ptr<const ClientContext> context,
                                                const std::string& sni, net::Reactor& /*reactor*/) {
  return std::make_unique<ConnectingStream>(std::move(lower), std::move(context), sni);
}

}  // namespace elb::tls
