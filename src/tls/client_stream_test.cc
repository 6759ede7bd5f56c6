#include "tls/client_stream.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_handles.h"
#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using net::ReadResult;
using testing::Issue;
using testing::KeyKind;

struct BackendOptions {
  int version_min = TLS1_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string ciphers = "ALL";
  bool selects_alpn = true;
};

/// A member made of plain OpenSSL over memory.
class Backend {
 public:
  Backend(const testing::Issued& certificate, const BackendOptions& options)
      : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, options.version_min);
    SSL_CTX_set_max_proto_version(context, options.version_max);
    SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_use_cert_and_key(context, certificate.certificate.get(), certificate.key.get(), nullptr,
                             1);
    if (options.selects_alpn) {
      SSL_CTX_set_alpn_select_cb(context, &Backend::SelectProtocol, this);
    }
    ssl_.reset(SSL_new(context));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  void Step(testing::WireState& wire) {
    const std::string bytes = wire.TakeOutbound();
    if (!bytes.empty()) {
      BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    }
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 0) {
      SSL_do_handshake(ssl_.get());
    }
    std::array<char, 65536> buffer{};
    std::size_t count = 0;
    while (SSL_is_init_finished(ssl_.get()) == 1 &&
           SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count) == 1) {
      received.append(buffer.data(), count);
    }
    ERR_clear_error();
    Flush(wire);
  }
  void Send(testing::WireState& wire, std::string_view plain) {
    std::size_t count = 0;
    SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
    Flush(wire);
  }
  void Flush(testing::WireState& wire) {
    std::string output(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())), '\0');
    if (!output.empty()) {
      BIO_read(SSL_get_wbio(ssl_.get()), output.data(), static_cast<int>(output.size()));
      wire.inbound += output;
    }
  }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] std::string sni() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }

  std::string received;
  std::string offered;  ///< The ALPN list.

 private:
  static int SelectProtocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* size,
                            const unsigned char* in, unsigned in_size, void* self) {
    static_cast<Backend*>(self)->offered.assign(reinterpret_cast<const char*>(in), in_size);
    *out = in + 1;
    *size = in[0];
    return SSL_TLSEXT_ERR_OK;
  }

  SslContextPointer context_;
  SslPointer ssl_;
};

class ClientStreamTest : public ::testing::Test {
 protected:
  void Connect(const BackendOptions& options, const std::string& sni = "",
               ClientVersions versions = ClientVersions::kTls12AndUp) {
    auto context = ClientContext::Create(versions);
    ASSERT_TRUE(context.has_value());
    backend_ = std::make_unique<Backend>(certificate_, options);
    stream_ = CreateClientStream(std::make_unique<testing::Wire>(wire_), *context, sni,
                                 listener_.reactor);
  }

  bool Establish() {
    for (int i = 0; i < 10 && (i < 2 || (outcome_ && !*outcome_)); ++i) {
      outcome_ = stream_->TryEstablish();
      backend_->Step(wire_);
    }
    return outcome_ && *outcome_;
  }

  std::string ReadAll() {
    std::string text;
    std::vector<std::byte> buffer(65536);
    while (true) {
      last_read_ = stream_->TryRead(buffer);
      if (last_read_.kind != ReadResult::Kind::kData) {
        return text;
      }
      text.append(reinterpret_cast<const char*>(buffer.data()), last_read_.bytes);
    }
  }

  testing::Issued certificate_ =
      Issue({.common_name = "expired", .key = KeyKind::kRsa, .ends_in_seconds = -60});
  testing::Listener listener_;
  testing::WireState wire_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<net::Stream> stream_;
  Outcome<bool> outcome_ = false;
  ReadResult last_read_;
};

TEST_F(ClientStreamTest, TalksToAnExpiredSelfSignedBackend) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    wire_ = {};
    Connect({.version_min = version, .version_max = version}, "www.test.com");

    ASSERT_TRUE(Establish());
    ASSERT_TRUE(stream_->Write("GET /"));
    backend_->Step(wire_);
    backend_->Send(wire_, "HTTP/1.1 200 OK");

    EXPECT_EQ(ReadAll(), "HTTP/1.1 200 OK");
    EXPECT_EQ(backend_->received, "GET /");
    EXPECT_EQ(backend_->sni(), "www.test.com");
    EXPECT_EQ(backend_->offered, "\x08http/1.1");
  }
}

TEST_F(ClientStreamTest, SendsNoServerNameWithoutOne) {
  Connect({});

  ASSERT_TRUE(Establish());

  EXPECT_EQ(backend_->sni(), "");
}

TEST_F(ClientStreamTest, WaitsForTheLowerStream) {
  Connect({});
  wire_.connected = false;
  ASSERT_EQ(stream_->TryEstablish(), false);
  EXPECT_EQ(wire_.outbound, "");
  wire_.connected = true;

  EXPECT_TRUE(Establish());
}

TEST_F(ClientStreamTest, NegotiatesTheLastResorts) {
  for (const char* suite : {"AES128-GCM-SHA256", "AES256-SHA256", "ECDHE-RSA-AES128-SHA",
                            "ECDHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES128-GCM-SHA256"}) {
    wire_ = {};
    Connect({.version_max = TLS1_2_VERSION, .ciphers = suite});

    EXPECT_TRUE(Establish()) << suite;
  }
}

TEST_F(ClientStreamTest, RefusesOldVersionsUnlessTold) {
  Connect({.version_max = TLS1_1_VERSION});
  EXPECT_FALSE(Establish());
  EXPECT_EQ(outcome_.error(),
            (Fault{.side = FaultSide::kUpstream, .code = FaultCode::kTls, .detail = 70}));

  wire_ = {};
  Connect({.version_max = TLS1_VERSION}, "", ClientVersions::kTls10AndUp);
  EXPECT_TRUE(Establish());
}

TEST_F(ClientStreamTest, LivesWithoutAlpn) {
  Connect({.selects_alpn = false});

  EXPECT_TRUE(Establish());
}

TEST_F(ClientStreamTest, FailsWhenTheBackendIsNoTlsServer) {
  Connect({});
  ASSERT_EQ(stream_->TryEstablish(), false);
  wire_.inbound = "HTTP/1.1 400 Bad Request\r\n\r\n";

  EXPECT_EQ(stream_->TryEstablish().error().code, FaultCode::kTls);
}

TEST_F(ClientStreamTest, FailsWhenTheBackendCloses) {
  Connect({});
  ASSERT_EQ(stream_->TryEstablish(), false);
  wire_.Finish();

  EXPECT_EQ(stream_->TryEstablish().error(),
            (Fault{.side = FaultSide::kUpstream, .code = FaultCode::kClosed}));
}

TEST_F(ClientStreamTest, StaysQuietWhenTicketsCome) {
  Connect({.version_min = TLS1_3_VERSION});
  ASSERT_TRUE(Establish());
  ASSERT_FALSE(wire_.inbound.empty());  // The backend's tickets.

  EXPECT_TRUE(stream_->Quiet());
  EXPECT_TRUE(wire_.inbound.empty());
  backend_->Send(wire_, "x");
  EXPECT_FALSE(stream_->Quiet());
}

TEST_F(ClientStreamTest, IsNotQuietAfterTheBackendClosed) {
  Connect({});
  ASSERT_TRUE(Establish());
  SSL_shutdown(backend_->ssl());
  backend_->Flush(wire_);

  EXPECT_FALSE(stream_->Quiet());
  EXPECT_TRUE(stream_->peer_gone());
}

TEST_F(ClientStreamTest, RefusesOneRenegotiationAndEndsWithTheSecond) {
  Connect({.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(Establish());
  SSL_renegotiate(backend_->ssl());
  SSL_do_handshake(backend_->ssl());
  backend_->Send(wire_, "data");
  EXPECT_EQ(ReadAll(), "data");
  EXPECT_EQ(last_read_.kind, ReadResult::Kind::kWouldBlock);

  SSL_renegotiate(backend_->ssl());
  SSL_do_handshake(backend_->ssl());
  backend_->Flush(wire_);
  EXPECT_EQ(ReadAll(), "");

  EXPECT_EQ(last_read_.fault,
            (Fault{.side = FaultSide::kUpstream, .code = FaultCode::kProtocol, .detail = 0}));
}

TEST_F(ClientStreamTest, TakesACutAnswerForAFault) {
  Connect({});
  ASSERT_TRUE(Establish());
  backend_->Send(wire_, "half");
  wire_.Finish();

  EXPECT_EQ(ReadAll(), "half");
  EXPECT_EQ(last_read_.fault, (Fault{.side = FaultSide::kUpstream, .code = FaultCode::kReset}));
}

TEST_F(ClientStreamTest, SurvivesChangedBytesAnywhere) {
  Connect({});
  ASSERT_EQ(stream_->TryEstablish(), false);
  backend_->Step(wire_);
  const std::size_t size = wire_.inbound.size();
  for (std::size_t at = 0; at < size; at += 2) {
    wire_ = {};
    Connect({});
    ASSERT_EQ(stream_->TryEstablish(), false);
    backend_->Step(wire_);
    if (at < wire_.inbound.size()) {
      wire_.inbound[at] = static_cast<char>(wire_.inbound[at] ^ 0xff);
    }
    static_cast<void>(stream_->TryEstablish());
    wire_.Finish();

    const Outcome<bool> outcome = stream_->TryEstablish();
    EXPECT_TRUE(!outcome || *outcome);
  }
}

}  // namespace
}  // namespace elb::tls
