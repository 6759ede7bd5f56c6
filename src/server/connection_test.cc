// TLS below HTTP: handshake, protocol choice, and the ends of connections that never got to HTTP.
// The rig: keepalive_timeout 3 s, client_timeout 2 s.

#include "server/connection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "server/testing/connection_rig.h"
#include "server/testing/http2_rig.h"
#include "tls/testing/openssl_client.h"
#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using tls::testing::ClientOptions;
using tls::testing::OpenSslClient;

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tls::ServerSpec spec = tls::testing::SpecWith(certificate_);
    spec.http2 = tls::Http2::kOn;
    listener_.Use(spec);
  }
  void TearDown() override { rig_.Destroy(); }

  void Open(const ClientOptions& options = {}) {
    client_ = std::make_unique<OpenSslClient>(options);
    rig_.Open(&listener_);
    Exchange();
  }
  void Exchange() {
    while (true) {
      client_->Step();
      const std::string up = client_->TakeOutput();
      if (!up.empty()) {
        rig_.Send(up);
      }
      const std::string down = rig_.Received();
      if (!down.empty()) {
        client_->Feed(down);
      } else if (up.empty()) {
        return;
      }
    }
  }
  std::string Ask(std::string_view request) {
    client_->Send(request);
    Exchange();
    return client_->received();
  }

  tls::testing::Issued certificate_ = tls::testing::Issue({.common_name = "a"});
  tls::testing::Listener listener_;
  testing::ConnectionRig rig_;
  std::unique_ptr<OpenSslClient> client_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ConnectionTest, ServesHttp1OverTlsWithoutAlpn) {
  Open();

  EXPECT_TRUE(Ask(kGet).ends_with("\r\n\r\n<>"));
  EXPECT_EQ(rig_.handler.handshake_faults.size(), 0);
}

TEST_F(ConnectionTest, ServesHttp1WhenTheClientChoosesIt) {
  Open({.alpn = {"http/1.1"}});

  EXPECT_TRUE(Ask(kGet).ends_with("\r\n\r\n<>"));
}

TEST_F(ConnectionTest, ServesHttp2WhenTheClientOffersIt) {
  Open({.alpn = {"http/1.1", "h2"}});
  testing::Http2Client http2;
  const std::int32_t id = http2.Request(testing::Get());
  http2.Feed(Ask(http2.Output()));

  EXPECT_EQ(http2[id].content, "<>");
}

TEST_F(ConnectionTest, TellsTheHandlerAboutTls) {
  std::string version;
  rig_.handler.On("/", [&](ServerStream& stream) {
    version = std::string(stream.connection().tls->facts().version);
    testing::AnswerWith(stream, "x");
    return testing::Step::kDone;
  });
  Open();
  Ask(kGet);

  EXPECT_EQ(version, "TLSv1.3");
}

TEST_F(ConnectionTest, ClosesOrderlyBelowTls) {
  Open();
  Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

  EXPECT_TRUE(client_->closed());  // close_notify
  EXPECT_TRUE(rig_.wire.write_closed);
  rig_.Finish();
  EXPECT_TRUE(rig_.ended());
}

TEST_F(ConnectionTest, BoundsTheHandshake) {
  rig_.Open(&listener_);
  rig_.Send(std::string("\x16\x03\x01", 3));
  rig_.Advance(milliseconds{1900});
  EXPECT_FALSE(rig_.ended());

  rig_.Advance(milliseconds{200});
  EXPECT_TRUE(rig_.ended());
  EXPECT_EQ(rig_.Received(), "");
  ASSERT_EQ(rig_.handler.handshake_faults.size(), 1);
  EXPECT_EQ(rig_.handler.handshake_faults[0].code, FaultCode::kTimeout);
}

TEST_F(ConnectionTest, BoundsTheHandshakeThoughBytesKeepComing) {
  client_ = std::make_unique<OpenSslClient>(ClientOptions{});
  client_->Step();
  const std::string hello = client_->TakeOutput();
  rig_.Open(&listener_);
  for (std::size_t i = 0; i < 21; ++i) {
    rig_.Send(hello.substr(i, 1));
    rig_.Advance(milliseconds{100});
  }

  EXPECT_TRUE(rig_.ended());
}

TEST_F(ConnectionTest, GivesTheFirstRequestItsOwnTimeAfterTheHandshake) {
  client_ = std::make_unique<OpenSslClient>(ClientOptions{});
  rig_.Open(&listener_);
  rig_.Advance(milliseconds{1500});
  Exchange();
  rig_.Advance(milliseconds{1900});

  EXPECT_TRUE(Ask(kGet).ends_with("\r\n\r\n<>"));
}

TEST_F(ConnectionTest, ReportsTheAlertOfAFailedHandshakeAndLingers) {
  Open({.version_max = TLS1_1_VERSION});

  ASSERT_EQ(rig_.handler.handshake_faults.size(), 1);
  EXPECT_EQ(rig_.handler.handshake_faults[0].code, FaultCode::kTls);
  EXPECT_EQ(rig_.handler.handshake_faults[0].detail, SSL_AD_PROTOCOL_VERSION);
  EXPECT_EQ(client_->alert(), SSL_AD_PROTOCOL_VERSION);
  EXPECT_TRUE(rig_.wire.write_closed);
  EXPECT_FALSE(rig_.ended());
  rig_.Advance(milliseconds{5100});
  EXPECT_TRUE(rig_.ended());
  EXPECT_FALSE(rig_.wire.aborted);
}

TEST_F(ConnectionTest, ReportsAClientThatLeavesWithinTheHandshake) {
  rig_.Open(&listener_);
  rig_.Finish();

  ASSERT_EQ(rig_.handler.handshake_faults.size(), 1);
  EXPECT_EQ(rig_.handler.handshake_faults[0].code, FaultCode::kClosed);
  EXPECT_TRUE(rig_.ended());
}

TEST_F(ConnectionTest, ReportsACancelledHandshake) {
  rig_.Open(&listener_);
  rig_.connection->Cancel();
  rig_.Settle();

  ASSERT_EQ(rig_.handler.handshake_faults.size(), 1);
  EXPECT_EQ(rig_.handler.handshake_faults[0].code, FaultCode::kCancelled);
  EXPECT_TRUE(rig_.ended());
}

TEST_F(ConnectionTest, AnswersPlainHttpOnATlsPort) {
  rig_.Open(&listener_);
  rig_.Send(kGet);
  const std::string answer = rig_.Received();

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\nServer: elb\r\n")) << answer;
  EXPECT_TRUE(answer.contains("\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n")) << answer;
  EXPECT_TRUE(answer.contains("\r\nConnection: close\r\n")) << answer;
  EXPECT_EQ(rig_.handler.refused, std::vector<std::string>{"400 plain_http_on_tls"});
  EXPECT_EQ(rig_.handler.refused_bytes_sent, answer.size());
  EXPECT_EQ(rig_.handler.handshake_faults.size(), 0);
  EXPECT_TRUE(rig_.wire.write_closed);
  rig_.Finish();
  EXPECT_TRUE(rig_.ended());
}

TEST_F(ConnectionTest, TakesAFewHandshakeStepsPerTurn) {
  constexpr int kConnections = 30;
  client_ = std::make_unique<OpenSslClient>(ClientOptions{});
  client_->Step();
  const std::string hello = client_->TakeOutput();
  std::vector<testing::ClientWire> wires(kConnections);
  std::vector<std::unique_ptr<Connection>> connections;
  net::TaskScope scope(rig_.reactor);
  for (testing::ClientWire& wire : wires) {
    connections.push_back(std::make_unique<Connection>(std::make_unique<testing::WireStream>(wire),
                                                       &listener_, rig_.handler, rig_.policy,
                                                       rig_.reactor));
    scope.Spawn(connections.back()->Run(rig_.reactor.now()));
  }
  rig_.Settle();
  for (testing::ClientWire& wire : wires) {
    wire.Send(hello);
  }
  const auto answered = [&wires] {
    return std::ranges::count_if(wires, [](const auto& wire) { return !wire.outbound.empty(); });
  };

  rig_.reactor.RunTurn();
  EXPECT_LE(answered(), 8);
  EXPECT_GT(answered(), 0);
  rig_.Settle();
  EXPECT_EQ(answered(), kConnections);
  scope.Clear();
}

}  // namespace
}  // namespace elb::server
