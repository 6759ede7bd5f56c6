// What comes before and instead of a proper handshake (data-plane.md 2.10), and what misuses an
// established connection.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/signal.h"
#include "tls/channel.h"
#include "tls/server_stream.h"
#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using net::ReadResult;
using testing::ClientOptions;
using testing::Pair;

constexpr Fault DownstreamFault(FaultCode code, std::int16_t detail = 0) {
  return {.side = FaultSide::kDownstream, .code = code, .detail = detail};
}

class HandshakeTest : public ::testing::Test {
 protected:
  HandshakeTest() { listener_.Use(spec_); }

  /// The first flight of a client.
  std::string HelloBytes() {
    testing::OpenSslClient client({});
    client.Step();
    return client.TakeOutput();
  }

  ServerSpec spec_ = testing::SpecWith(testing::Issue({.common_name = "a"}));
  testing::Listener listener_;
};

TEST_F(HandshakeTest, GivesTheLowerStreamBackForPlainHttp) {
  Pair pair(listener_);
  pair.wire.inbound = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

  const Outcome<bool> outcome = pair.server->TryEstablish();

  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), DownstreamFault(FaultCode::kProtocol, ServerStream::kPlainHttp));
  EXPECT_EQ(pair.wire.outbound, "");
  EXPECT_EQ(listener_.asked, 0);
  const std::unique_ptr<net::Stream> lower = pair.server->ReleaseLower();
  ASSERT_NE(lower, nullptr);
  EXPECT_EQ(pair.server->ReleaseLower(), nullptr);
  pair.server.reset();
  EXPECT_FALSE(pair.wire.destroyed);
  ASSERT_TRUE(lower->Write("HTTP/1.1 400 Bad Request\r\n\r\n"));
  EXPECT_EQ(pair.wire.outbound, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

TEST_F(HandshakeTest, AsksForTheContextOnceTheHelloIsComplete) {
  Pair pair(listener_);
  const std::string hello = HelloBytes();
  pair.wire.inbound = hello.substr(0, hello.size() - 1);
  ASSERT_EQ(pair.server->TryEstablish(), false);
  EXPECT_EQ(listener_.asked, 0);

  pair.wire.inbound = hello.substr(hello.size() - 1);
  ASSERT_EQ(pair.server->TryEstablish(), false);

  EXPECT_EQ(listener_.asked, 1);
  EXPECT_FALSE(pair.wire.outbound.empty());
}

TEST_F(HandshakeTest, KeepsTheContextOfItsHello) {
  Pair pair(listener_);
  pair.client.Step();
  pair.ToServer();
  ASSERT_EQ(pair.server->TryEstablish(), false);
  const std::weak_ptr<const ServerContext> used = listener_.context;
  listener_.context = nullptr;
  pair.ToClient();

  EXPECT_TRUE(pair.Establish());
  EXPECT_FALSE(used.expired());
  EXPECT_EQ(pair.server->facts().certificate_id, "default");
  pair.server.reset();
  EXPECT_TRUE(used.expired());
}

TEST_F(HandshakeTest, FailsWithoutAContext) {
  listener_.context = nullptr;
  Pair pair(listener_);

  EXPECT_FALSE(pair.Establish());
  EXPECT_EQ(pair.client.alert(), SSL_AD_INTERNAL_ERROR);
}

TEST_F(HandshakeTest, ClosesOnAHelloOfMoreThanSixteenKib) {
  Pair pair(listener_);
  // A record of 16 KiB that begins a message of 20,000 bytes.
  pair.wire.inbound =
      std::string("\x16\x03\x01\x40\x00\x01\x00\x4e\x20", 9) + std::string(16380, 0);

  EXPECT_EQ(pair.server->TryEstablish().error(), DownstreamFault(FaultCode::kTooLarge));
  EXPECT_EQ(listener_.asked, 0);
}

TEST_F(HandshakeTest, ClosesOnAHelloInTooManyRecords) {
  Pair pair(listener_);
  std::string record("\x16\x03\x01\x00\x01x", 6);
  pair.wire.inbound = std::string("\x16\x03\x01\x00\x04\x01\x00\x3f\x00", 9);
  for (int i = 0; i < 4000; ++i) {
    pair.wire.inbound += record;
  }

  EXPECT_EQ(pair.server->TryEstablish().error(), DownstreamFault(FaultCode::kTooLarge));
}

TEST_F(HandshakeTest, TellsWhyItRefusesWhatIsNoClientHello) {
  Pair data(listener_);
  data.wire.inbound = std::string("\x17\x03\x03\x00\x01x", 6);
  EXPECT_EQ(data.server->TryEstablish().error(), DownstreamFault(FaultCode::kTls, 10));
  EXPECT_EQ(data.wire.outbound, std::string("\x15\x03\x01\x00\x02\x02\x0a", 7));

  Pair ssl2(listener_);
  ssl2.wire.inbound = std::string("\x80\x2e\x01\x00\x02", 5);
  EXPECT_EQ(ssl2.server->TryEstablish().error(), DownstreamFault(FaultCode::kTls, 70));
  EXPECT_EQ(ssl2.wire.outbound, std::string("\x15\x03\x01\x00\x02\x02\x46", 7));

  Pair garbage(listener_);
  garbage.wire.inbound = "\x01\x02\x03";
  EXPECT_EQ(garbage.server->TryEstablish().error(), DownstreamFault(FaultCode::kTls, 0));
  EXPECT_EQ(garbage.wire.outbound, "");
  EXPECT_EQ(garbage.server->TryEstablish().error(), DownstreamFault(FaultCode::kTls, 0));
}

TEST_F(HandshakeTest, EndsWithTheClientBeforeAnyByte) {
  Pair closed(listener_);
  closed.wire.Finish();
  EXPECT_EQ(closed.server->TryEstablish().error(), DownstreamFault(FaultCode::kClosed));

  Pair reset(listener_);
  reset.wire.Break(FaultCode::kReset);
  EXPECT_EQ(reset.server->TryEstablish().error(), DownstreamFault(FaultCode::kReset));
}

TEST_F(HandshakeTest, AnswersAMalformedServerNameWithDecodeError) {
  Pair pair(listener_, {.sni = "aaaa.example"});
  pair.client.Step();
  std::string hello = pair.client.TakeOutput();
  // Make the one name of 12 bytes two: the first ends early, so that its list has more behind it.
  const std::size_t name = hello.find("aaaa.example");
  ASSERT_NE(name, std::string::npos);
  hello[name - 1] = 4;
  pair.wire.inbound = hello;

  EXPECT_EQ(pair.server->TryEstablish().error(), DownstreamFault(FaultCode::kTls, 50));
}

TEST_F(HandshakeTest, LimitsWhatAPeerSendsBeforeItsEnd) {
  const testing::Issued ca = testing::Issue({.common_name = "ca", .ca = true});
  spec_.client_ca = testing::ParseChain({&ca});
  listener_.Use(spec_);
  Pair pair(listener_, {.version_max = TLS1_2_VERSION});
  pair.client.Step();
  pair.ToServer();
  ASSERT_EQ(pair.server->TryEstablish(), false);
  // A certificate message without end, in full records.
  std::string record("\x16\x03\x03\x40\x00", 5);
  record += std::string("\x0b\x01\x80\x00", 4) + std::string(16380, 0);
  Outcome<bool> outcome = false;
  std::size_t sent = 0;
  while (outcome && sent < 10U * Channel::kHandshakeBytesMax) {
    pair.wire.inbound = record;
    sent += record.size();
    outcome = pair.server->TryEstablish();
  }

  EXPECT_FALSE(outcome.has_value());
  EXPECT_LE(sent, Channel::kHandshakeBytesMax + 4 * record.size());
}

TEST_F(HandshakeTest, DescribesTheClientHelloIfAsked) {
  spec_.keep_client_hello = true;
  listener_.Use(spec_);
  Pair pair(listener_, {.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:AES128-SHA",
                        .suites13 = "TLS_AES_256_GCM_SHA384",
                        .sni = "a.example",
                        .alpn = {"http/1.1"}});

  ASSERT_TRUE(pair.Establish());

  const ClientHelloFacts& facts = pair.server->client_hello();
  EXPECT_EQ(facts.ciphers,
            "TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:AES128-SHA:"
            "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
  EXPECT_EQ(facts.ja3.size(), 32U);
  EXPECT_TRUE(facts.ja4.starts_with("t13d0412h1_") || facts.ja4.starts_with("t13d0411h1_"))
      << facts.ja4;
}

TEST_F(HandshakeTest, ForgetsTheClientHelloOtherwise) {
  Pair pair(listener_);

  ASSERT_TRUE(pair.Establish());

  EXPECT_EQ(pair.server->client_hello().ciphers, "");
  EXPECT_EQ(pair.server->client_hello().ja3, "");
}

TEST_F(HandshakeTest, SurvivesChangedBytesAnywhere) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ClientOptions options{.version_min = version, .version_max = version, .sni = "a.example"};
    for (int flight = 0; flight < 2; ++flight) {
      std::size_t at = 0;
      std::size_t size = 1;
      while (at < size) {
        Pair pair(listener_, options);
        for (int i = 0; i <= flight; ++i) {
          pair.client.Step();
          std::string bytes = pair.client.TakeOutput();
          if (i == flight) {
            size = bytes.size();
            bytes[at] = static_cast<char>(bytes[at] ^ (at % 2 == 0 ? 0xff : 0x01));
            bytes.append(at % 40, 'z');
          }
          pair.wire.inbound += bytes;
          static_cast<void>(pair.server->TryEstablish());
          pair.ToClient();
        }
        pair.wire.Finish();
        const Outcome<bool> outcome = pair.server->TryEstablish();
        EXPECT_TRUE(!outcome || *outcome);  // Nothing waits for a client that has gone.
        at += flight == 0 ? 1 : 3;
      }
    }
  }
}

TEST_F(HandshakeTest, RefusesToRenegotiate) {
  Pair pair(listener_, {.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(pair.Establish());
  SSL_renegotiate(pair.client.ssl());
  SSL_do_handshake(pair.client.ssl());
  pair.ToServer();

  EXPECT_EQ(pair.ReadAll(), "");
  EXPECT_EQ(pair.last_read.kind, ReadResult::Kind::kWouldBlock);
  pair.ToClient();

  ASSERT_EQ(pair.client.warnings().size(), 1U);
  EXPECT_EQ(pair.client.warnings()[0], SSL_AD_NO_RENEGOTIATION);
}

TEST_F(HandshakeTest, EndsConnectionsThatOnlyUpdateKeys) {
  Pair pair(listener_);
  ASSERT_TRUE(pair.Establish());
  for (int i = 0; i < 1000 && pair.last_read.kind == ReadResult::Kind::kWouldBlock; ++i) {
    SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(pair.client.ssl());
    pair.ToServer();
    pair.ReadAll();
  }

  EXPECT_EQ(pair.last_read.fault, DownstreamFault(FaultCode::kProtocol));
}

TEST_F(HandshakeTest, EndsFloodsOfKeyUpdatesWithinOneRead) {
  Pair pair(listener_);
  ASSERT_TRUE(pair.Establish());
  for (int i = 0; i < 2000; ++i) {
    SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(pair.client.ssl());
    pair.ToServer();
  }

  EXPECT_EQ(pair.ReadAll(), "");

  EXPECT_EQ(pair.last_read.fault, DownstreamFault(FaultCode::kProtocol));
  EXPECT_LT(pair.wire.outbound.size(), 10'000U);
}

TEST_F(HandshakeTest, FollowsKeyUpdatesBetweenContent) {
  Pair pair(listener_);
  ASSERT_TRUE(pair.Establish());
  for (int i = 0; i < 300; ++i) {
    SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    pair.client.Send("x");
    pair.ToServer();
    ASSERT_EQ(pair.ReadAll(), "x");
    pair.ToClient();
  }
  ASSERT_TRUE(pair.server->Write("end"));
  pair.ToClient();

  EXPECT_EQ(pair.client.received(), "end");
}

TEST_F(HandshakeTest, TellsASignalWhatCameBefore) {
  Pair pair(listener_);
  ASSERT_TRUE(pair.Establish());
  pair.client.Send(std::string(1000, 'x'));
  pair.ToServer();
  std::vector<std::byte> small(10);
  ASSERT_EQ(pair.server->TryRead(small).bytes, 10U);

  net::Signal signal(listener_.reactor);
  pair.server->SetSignal(&signal);

  EXPECT_TRUE(signal.Wait().await_ready());
  EXPECT_EQ(pair.wire.signal, &signal);
  pair.server->SetSignal(nullptr);
  EXPECT_EQ(pair.wire.signal, nullptr);
}

TEST_F(HandshakeTest, TellsItsSignalOfAnEndThatItReadAhead) {
  Pair pair(listener_);
  ASSERT_TRUE(pair.Establish());
  net::Signal signal(listener_.reactor);
  pair.server->SetSignal(&signal);
  pair.client.Send("last");
  pair.client.Close();
  pair.ToServer();
  std::vector<std::byte> large(100);

  ASSERT_EQ(pair.server->TryRead(large).bytes, 4U);

  EXPECT_TRUE(signal.Wait().await_ready());
  EXPECT_EQ(pair.server->TryRead(large).kind, ReadResult::Kind::kEnd);
}

}  // namespace
}  // namespace elb::tls
