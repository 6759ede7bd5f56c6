#include "tls/server_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using net::ReadResult;
using testing::ClientOptions;
using testing::Pair;

class ServerStreamTest : public ::testing::Test {
 protected:
  ServerStreamTest() { listener_.Use(testing::SpecWith(certificate_)); }

  testing::Issued certificate_ = testing::Issue({.common_name = "www.test.com"});
  testing::Listener listener_;
};

class EveryVersion : public ServerStreamTest, public ::testing::WithParamInterface<int> {
 protected:
  ClientOptions Options() const { return {.version_min = GetParam(), .version_max = GetParam()}; }
};
INSTANTIATE_TEST_SUITE_P(Versions, EveryVersion, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(EveryVersion, EstablishesAndCarriesBytesBothWays) {
  Pair pair(listener_, Options());

  ASSERT_TRUE(pair.Establish());
  pair.client.Send("ping");
  pair.ToServer();
  EXPECT_EQ(pair.ReadAll(), "ping");
  EXPECT_EQ(pair.last_read.kind, ReadResult::Kind::kWouldBlock);
  ASSERT_TRUE(pair.server->Write("pong"));
  pair.ToClient();

  EXPECT_EQ(pair.client.received(), "pong");
  EXPECT_EQ(pair.client.ServerName(), "www.test.com");
}

TEST_P(EveryVersion, EstablishesFromSingleBytes) {
  Pair pair(listener_, Options());
  pair.wire.read_max = 1;

  ASSERT_TRUE(pair.Establish());
  pair.client.Send("ping");
  pair.ToServer();

  EXPECT_EQ(pair.ReadAll(), "ping");
}

TEST_P(EveryVersion, ReportsFacts) {
  ClientOptions options = Options();
  options.sni = "WWW.Test.COM";
  Pair pair(listener_, options);

  ASSERT_TRUE(pair.Establish());

  const Facts& facts = pair.server->facts();
  EXPECT_EQ(facts.version, GetParam() == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
  EXPECT_EQ(facts.cipher, GetParam() == TLS1_2_VERSION ? "ECDHE-ECDSA-AES256-GCM-SHA384"
                                                       : "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(facts.certificate_id, "default");
  EXPECT_EQ(facts.sni, "www.test.com");
  EXPECT_EQ(facts.alpn, Alpn::kNone);
  EXPECT_FALSE(facts.resumed);
  EXPECT_FALSE(facts.has_client_certificate);
}

TEST_P(EveryVersion, ReadsWhatCameWithTheLastFlight) {
  Pair pair(listener_, Options());
  pair.client.Step();
  pair.ToServer();
  ASSERT_TRUE(pair.server->TryEstablish());
  pair.ToClient();
  if (GetParam() == TLS1_3_VERSION) {  // In TLS 1.2 the server speaks last.
    pair.client.Send("GET");
  }
  pair.ToServer();
  const Outcome<bool> done = pair.server->TryEstablish();

  ASSERT_TRUE(done && *done);
  EXPECT_EQ(pair.ReadAll(), GetParam() == TLS1_3_VERSION ? "GET" : "");
}

TEST_P(EveryVersion, TellsCloseNotifyFromACut) {
  Pair orderly(listener_, Options());
  ASSERT_TRUE(orderly.Establish());
  orderly.client.Send("last");
  orderly.client.Close();
  orderly.ToServer();
  orderly.wire.Finish();
  EXPECT_EQ(orderly.ReadAll(), "last");
  EXPECT_EQ(orderly.last_read.kind, ReadResult::Kind::kEnd);
  EXPECT_TRUE(orderly.server->peer_gone());

  Pair cut(listener_, Options());
  ASSERT_TRUE(cut.Establish());
  cut.client.Send("last");
  cut.ToServer();
  cut.wire.Finish();
  EXPECT_EQ(cut.ReadAll(), "last");
  EXPECT_EQ(cut.last_read.kind, ReadResult::Kind::kFault);
  EXPECT_EQ(cut.last_read.fault,
            (Fault{.side = FaultSide::kDownstream, .code = FaultCode::kReset}));
}

TEST_P(EveryVersion, SendsCloseNotifyBeforeFin) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());

  ASSERT_TRUE(pair.server->Write("bye"));
  pair.server->CloseWrite();
  pair.ToClient();

  EXPECT_EQ(pair.client.received(), "bye");
  EXPECT_TRUE(pair.client.closed());
  EXPECT_TRUE(pair.wire.write_closed);
  EXPECT_EQ(pair.server->Write("more").error().code, FaultCode::kClosed);
}

TEST_P(EveryVersion, ReadsAfterItsOwnEnd) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  pair.server->CloseWrite();

  pair.client.Send("late");
  pair.ToServer();

  EXPECT_EQ(pair.ReadAll(), "late");
}

TEST_P(EveryVersion, GathersSmallPiecesIntoOneRecordAndOneWrite) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  const int writes = pair.wire.writes;

  const std::array<std::string_view, 4> pieces{"HTTP/1.1 200 OK\r\n", "", "\r\n", "body"};
  ASSERT_TRUE(pair.server->Write(pieces));

  EXPECT_EQ(pair.wire.writes, writes + 1);
  const std::string record = pair.wire.outbound;
  ASSERT_GT(record.size(), 5U);
  EXPECT_EQ(static_cast<unsigned char>(record[3]) * 256U + static_cast<unsigned char>(record[4]),
            record.size() - 5);
  pair.ToClient();
  EXPECT_EQ(pair.client.received(), "HTTP/1.1 200 OK\r\n\r\nbody");
}

TEST_P(EveryVersion, WritesLargePiecesAtOnceAndInOrder) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  const int writes = pair.wire.writes;
  std::string body(256 * 1024, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) {
    body[i] = static_cast<char>(i * 7 + i / 251);
  }

  const std::array<std::string_view, 3> pieces{"head", body, "tail"};
  ASSERT_TRUE(pair.server->Write(pieces));

  EXPECT_EQ(pair.wire.writes, writes + 1);
  pair.ToClient();
  EXPECT_EQ(pair.client.received(), "head" + body + "tail");
}

TEST_P(EveryVersion, WritesMoreThanItsScratch) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  const std::string body(1'000'000, 'x');

  ASSERT_TRUE(pair.server->Write(body));

  pair.ToClient();
  EXPECT_EQ(pair.client.received(), body);
}

TEST_P(EveryVersion, ReadsManyRecordsFromOneReadOfTheLowerStream) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    const std::string piece = "piece " + std::to_string(i);
    pair.client.Send(piece);
    sent += piece;
  }
  pair.ToServer();
  pair.wire.reads = 0;
  std::vector<std::byte> buffer(65536);

  const ReadResult read = pair.server->TryRead(buffer);

  EXPECT_EQ(read.bytes, sent.size());
  EXPECT_EQ(pair.wire.reads, 2);  // The second one finds nothing.
}

TEST_P(EveryVersion, KeepsWhatTheCallerHasNoRoomFor) {
  for (const std::size_t step : {1U, 100U, 5000U, 20000U, 300000U}) {
    Pair pair(listener_, Options());
    ASSERT_TRUE(pair.Establish());
    std::string body(step == 1 ? 20'000 : 400'000, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) {
      body[i] = static_cast<char>(i * 13 + i / 509);
    }
    pair.client.Send(body);
    pair.ToServer();

    EXPECT_EQ(pair.ReadAll(step), body) << step;
  }
}

TEST_P(EveryVersion, KeepsItsOrderWithRecordsCutAnywhere) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  const std::string body(50'000, 'q');
  pair.client.Send(body);
  const std::string cipher = pair.client.TakeOutput();
  std::string got;
  for (std::size_t at = 0; at < cipher.size(); at += 777) {
    pair.wire.inbound += cipher.substr(at, 777);
    got += pair.ReadAll(333);
  }

  EXPECT_EQ(got, body);
}

TEST_P(EveryVersion, ForwardsWhatItKnowsOfTheLowerStream) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  pair.wire.pending = 4711;

  EXPECT_EQ(pair.server->pending(), 4711U);
  EXPECT_EQ(pair.server->local().port, 443);
  EXPECT_EQ(pair.server->peer().port, 50000);
  EXPECT_EQ(pair.server->RoundTripMicros(), 77U);
  pair.server->Abort();
  EXPECT_TRUE(pair.wire.aborted);
  EXPECT_TRUE(pair.server->broken());
}

TEST_P(EveryVersion, IsQuietOnlyWithoutUnreadContent) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  EXPECT_TRUE(pair.server->Quiet());

  pair.client.Send("x");
  pair.ToServer();
  EXPECT_FALSE(pair.server->Quiet());
  EXPECT_EQ(pair.ReadAll(), "x");
  EXPECT_TRUE(pair.server->Quiet());

  pair.client.Close();
  pair.ToServer();
  EXPECT_FALSE(pair.server->Quiet());
}

TEST_P(EveryVersion, RefusesForgedRecordsWithAnAlert) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  pair.client.Send("secret");
  std::string cipher = pair.client.TakeOutput();
  cipher.back() = static_cast<char>(cipher.back() ^ 1);
  pair.wire.inbound += cipher;

  EXPECT_EQ(pair.ReadAll(), "");

  EXPECT_EQ(pair.last_read.kind, ReadResult::Kind::kFault);
  EXPECT_EQ(pair.last_read.fault.code, FaultCode::kTls);
  EXPECT_EQ(pair.last_read.fault.detail, SSL_AD_BAD_RECORD_MAC);
  EXPECT_TRUE(pair.server->broken());
  EXPECT_FALSE(pair.server->Write("x"));
  pair.ToClient();
  EXPECT_EQ(pair.client.alert(), SSL_AD_BAD_RECORD_MAC);
}

TEST_P(EveryVersion, PassesOnWhatBrokeTheLowerStream) {
  Pair pair(listener_, Options());
  ASSERT_TRUE(pair.Establish());
  pair.wire.Break(FaultCode::kTimeout);
  pair.wire.write_fault = Fault{.code = FaultCode::kReset};

  EXPECT_EQ(pair.ReadAll(), "");
  EXPECT_EQ(pair.last_read.fault.code, FaultCode::kTimeout);
  EXPECT_EQ(pair.server->Write("x").error().code, FaultCode::kReset);
}

TEST_P(EveryVersion, DiesAtAnyMomentOfAHandshake) {
  for (int steps = 0; steps < 6; ++steps) {
    testing::WireState wire;
    Pair pair(listener_, Options());
    for (int i = 0; i < steps; ++i) {
      if (i % 2 == 0) {
        pair.client.Step();
        pair.ToServer();
        pair.wire.inbound.resize(pair.wire.inbound.size() / (i == 4 ? 2 : 1));
      } else {
        static_cast<void>(pair.server->TryEstablish());
        pair.ToClient();
      }
    }
    pair.server.reset();

    EXPECT_TRUE(pair.wire.destroyed);
  }
}

TEST_P(EveryVersion, EndsTheHandshakeWithTheLowerStream) {
  Pair pair(listener_, Options());
  pair.client.Step();
  pair.ToServer();
  ASSERT_TRUE(pair.server->TryEstablish());
  pair.wire.Finish();

  EXPECT_EQ(pair.server->TryEstablish().error(),
            (Fault{.side = FaultSide::kDownstream, .code = FaultCode::kClosed}));
}

}  // namespace
}  // namespace elb::tls
