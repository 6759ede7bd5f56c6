#include "tls/server_stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cctype>
#include <utility>

#include "tls/engine.h"
#include "tls/internal.h"

namespace elb::tls {
namespace {

constexpr int kHandshakeRecord = 22;

std::string SuiteName(SSL* ssl, const unsigned char* code) {
  const unsigned value = static_cast<unsigned>(code[0]) << 8 | code[1];
  if (code[0] == code[1] && (code[0] & 0x0f) == 0x0a) {
    return {};  // GREASE (RFC 8701).
  }
  const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, code);
  return cipher != nullptr ? SSL_CIPHER_get_name(cipher) : fmt::format("0x{:04X}", value);
}

std::string OfferedCiphers(SSL* ssl) {
  const unsigned char* list = nullptr;
  const std::size_t size = SSL_client_hello_get0_ciphers(ssl, &list);
  std::string text;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    const std::string name = SuiteName(ssl, list + i);
    if (!name.empty()) {
      text += text.empty() ? "" : ":";
      text += name;
    }
  }
  return text;
}

std::string EscapedPem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  std::string text;
  for (const char letter : std::string_view(data, static_cast<std::size_t>(size))) {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_' ||
        letter == '.' || letter == '~') {
      text += letter;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
  }
  return text;
}

std::string NameText(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string TimeText(const ASN1_TIME* time) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string FingerprintText(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", digest[i]);
  }
  return text;
}

std::string SerialText(X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr);
  char* hex = BN_bn2hex(number);
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  BN_free(number);
  return text;
}

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

class OpenSslServerStream final : public ServerStream, private HandshakeState {
 public:
  OpenSslServerStream(std::unique_ptr<net::Stream> lower, ContextSource& contexts)
      : engine_(std::move(lower)), contexts_(&contexts) {}

  void SetSignal(net::Signal* signal) override { engine_.lower().SetSignal(signal); }

  Outcome<bool> TryEstablish() override {
    if (established_) {
      return true;
    }
    if (engine_.ssl() == nullptr) {
      const Outcome<bool> begun = Begin();
      if (!begun || !*begun) {
        return begun;
      }
    }
    const Outcome<bool> done = engine_.Handshake();
    if (done && *done) {
      established_ = true;
      FillFacts();
    }
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
  std::uint32_t RoundTripMicros() const override { return engine_.lower().RoundTripMicros(); }

  const Facts& facts() const override { return facts_; }
  const ClientHelloFacts& client_hello() override { return hello_; }

  const ClientCertificateFacts& client_certificate() override {
    X509* certificate = SSL_get0_peer_certificate(engine_.ssl());
    if (certificate_facts_ == nullptr && certificate != nullptr) {
      certificate_facts_ = std::make_unique<ClientCertificateFacts>(
          ClientCertificateFacts{.subject = NameText(X509_get_subject_name(certificate)),
                                 .issuer = NameText(X509_get_issuer_name(certificate)),
                                 .fingerprint = FingerprintText(certificate),
                                 .serial = SerialText(certificate),
                                 .not_after = TimeText(X509_get0_notAfter(certificate)),
                                 .pem_escaped = EscapedPem(certificate)});
    } else if (certificate_facts_ == nullptr) {
      certificate_facts_ = std::make_unique<ClientCertificateFacts>();
    }
    return *certificate_facts_;
  }

  std::unique_ptr<net::Stream> ReleaseLower() override { return engine_.ReleaseLower(); }

 private:
  /// Waits for the first byte, then takes the context in force.
  Outcome<bool> Begin() {
    Fault fault;
    const int first = engine_.PeekFirstByte(fault);
    if (first < 0) {
      return fault.code == FaultCode::kNone ? Outcome<bool>(false) : std::unexpected(fault);
    }
    if (first != kHandshakeRecord && std::isupper(first) != 0) {
      return std::unexpected(Fault{
          .side = FaultSide::kDownstream, .code = FaultCode::kProtocol, .detail = kPlainHttp});
    }
    context_ = contexts_->Current();
    if (context_ == nullptr) {
      return std::unexpected(
          Fault{.side = FaultSide::kInternal, .code = FaultCode::kCancelled, .detail = 0});
    }
    SslPtr ssl(SSL_new(context_->compiled().context.get()));
    if (ssl == nullptr) {
      ERR_clear_error();
      return std::unexpected(
          Fault{.side = FaultSide::kInternal, .code = FaultCode::kTls, .detail = 80});
    }
    SSL_set_accept_state(ssl.get());
    SSL_set_ex_data(ssl.get(), StreamSlot(), static_cast<HandshakeState*>(this));
    engine_.Attach(std::move(ssl));
    return true;
  }

  void FillFacts() {
    SSL* ssl = engine_.ssl();
    facts_.version = SSL_get_version(ssl);
    facts_.cipher = SSL_get_cipher_name(ssl);
    facts_.alpn = AlpnOf(ssl);
    facts_.resumed = SSL_session_reused(ssl) == 1;
    facts_.has_client_certificate = SSL_get0_peer_certificate(ssl) != nullptr;
    if (chosen_ == nullptr) {
      const NamePair pair = context_->compiled().Find(facts_.sni);
      chosen_ = pair.ec != nullptr    ? pair.ec
                : pair.rsa != nullptr ? pair.rsa
                                      : context_->compiled().certificates.front().get();
    }
    facts_.certificate_id = chosen_->id;
  }

  // HandshakeState
  const ServerContext::Compiled& compiled() const override { return context_->compiled(); }
  void OnServerName(std::string name) override { facts_.sni = std::move(name); }
  void OnCertificate(const Presentable& chosen) override { chosen_ = &chosen; }
  void OnClientHello(SSL* ssl) override { hello_.ciphers = OfferedCiphers(ssl); }

  std::shared_ptr<const ServerContext> context_;  // Before the engine: outlives its SSL.
  Engine engine_;
  ContextSource* contexts_;
  const Presentable* chosen_ = nullptr;
  Facts facts_;
  ClientHelloFacts hello_;
  std::unique_ptr<ClientCertificateFacts> certificate_facts_;
  bool established_ = false;
};

}  // namespace

std::unique_ptr<ServerStream> ServerStream::Create(std::unique_ptr<net::Stream> lower,
                                                   ContextSource& contexts,
                                                   net::Reactor& /*reactor*/) {
  return std::make_unique<OpenSslServerStream>(std::move(lower), contexts);
}

}  // namespace elb::tls
