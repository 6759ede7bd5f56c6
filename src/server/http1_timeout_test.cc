// Timeouts of HTTP/1 (data-plane.md 5.1, 5.2) and the ends of a connection (12.3).
// The rig: keepalive_timeout 3 s, client_timeout 2 s.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "server/testing/connection_rig.h"

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AnswerWith;
using testing::Step;
using testing::WithDate;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class Http1TimeoutTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.Open(); }
  void TearDown() override { rig_.Destroy(); }

  void ExpectQuiet() {
    EXPECT_EQ(rig_.Received(), "");
    EXPECT_FALSE(rig_.wire.write_closed);
    EXPECT_FALSE(rig_.ended());
  }
  void ExpectSilentClose() {
    EXPECT_EQ(rig_.Received(), "");
    EXPECT_TRUE(rig_.wire.write_closed);
    EXPECT_FALSE(rig_.wire.aborted);
    EXPECT_EQ(rig_.handler.refused.size(), 0);
  }
  void Expect408() {
    EXPECT_TRUE(rig_.Received().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT_EQ(rig_.handler.refused, std::vector<std::string>{"408 client_header_timeout"});
    EXPECT_TRUE(rig_.wire.write_closed);
    EXPECT_FALSE(rig_.wire.aborted);
  }
  /// A request whose answer leaves 20 bytes that the client does not take.
  void StallAnswer() {
    rig_.wire.room = 0;
    rig_.handler.On("/stall", [](ServerStream& stream) {
      stream.SendHead({.content_length = 20}, "01234567890123456789", BodyEnd::kLast);
      return Step::kDone;
    });
    rig_.Send("GET /stall HTTP/1.1\r\nHost: a\r\n\r\n");
  }

  testing::ConnectionRig rig_;
};

TEST_F(Http1TimeoutTest, ClosesSilentlyWhenNothingComes) {
  rig_.Advance(milliseconds{1900});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  ExpectSilentClose();
}

TEST_F(Http1TimeoutTest, Says408WhenAHeadIsNotComplete) {
  rig_.Send("GET / HT");
  rig_.Advance(milliseconds{1900});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  Expect408();
}

TEST_F(Http1TimeoutTest, Says408ThoughBytesKeepComing) {
  for (int i = 0; i < 19; ++i) {
    rig_.Send("G");
    rig_.Advance(milliseconds{100});
  }
  ExpectQuiet();

  rig_.Send("G");
  rig_.Advance(milliseconds{200});
  Expect408();
}

TEST_F(Http1TimeoutTest, CountsTheFirstHeadFromTheAcceptOn) {
  rig_.Advance(milliseconds{1500});
  rig_.Send("GET ");
  rig_.Advance(milliseconds{600});

  Expect408();
}

TEST_F(Http1TimeoutTest, GivesALaterHeadItsOwnTime) {
  rig_.Send(kGet);
  rig_.Received();
  rig_.Advance(milliseconds{2900});
  rig_.Send("GET ");
  rig_.Advance(milliseconds{1900});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  Expect408();
}

TEST_F(Http1TimeoutTest, GivesAPipelinedHeadItsOwnTime) {
  rig_.Advance(milliseconds{1000});
  rig_.Send(std::string(kGet) + "GET ");
  rig_.Received();
  rig_.Advance(milliseconds{1900});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  Expect408();
}

TEST_F(Http1TimeoutTest, ClosesAnIdleConnectionSilently) {
  rig_.Send(kGet);
  rig_.Received();
  rig_.Advance(milliseconds{2900});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  ExpectSilentClose();
}

TEST_F(Http1TimeoutTest, StaysIdleThroughEmptyLines) {
  rig_.Send(kGet);
  rig_.Received();
  rig_.Advance(milliseconds{1500});
  rig_.Send("\r");
  rig_.Send("\n");
  rig_.Advance(milliseconds{1400});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  ExpectSilentClose();
}

TEST_F(Http1TimeoutTest, ServesARequestBehindEmptyLines) {
  rig_.Send("\r\n\r");
  rig_.Advance(milliseconds{1000});
  rig_.Send("\n" + std::string(kGet));

  EXPECT_EQ(rig_.handler.served, std::vector<std::string>{"GET /"});
}

TEST_F(Http1TimeoutTest, RefusesAThirdEmptyLine) {
  rig_.Send("\r\n\r\n\r\n");

  EXPECT_EQ(rig_.handler.refused, std::vector<std::string>{"400 malformed_request"});
}

TEST_F(Http1TimeoutTest, ArmsIdleTimeoutWhenTheAnswerWasTaken) {
  StallAnswer();
  rig_.Advance(milliseconds{1500});
  rig_.Take(1000);
  rig_.Received();
  rig_.Advance(milliseconds{2900});
  ExpectQuiet();

  rig_.Advance(milliseconds{200});
  ExpectSilentClose();
}

TEST_F(Http1TimeoutTest, ResetsAClientThatTakesNothing) {
  StallAnswer();
  rig_.Advance(milliseconds{1900});
  EXPECT_FALSE(rig_.wire.aborted);

  rig_.Advance(milliseconds{200});
  EXPECT_TRUE(rig_.wire.aborted);
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1TimeoutTest, ResetsAClientThatTakesNothingThoughItSends) {
  StallAnswer();
  for (int i = 0; i < 30; ++i) {
    rig_.Send("x");
    rig_.Advance(milliseconds{100});
  }

  EXPECT_TRUE(rig_.wire.aborted);
}

TEST_F(Http1TimeoutTest, GoesOnWithAClientThatTakesLittle) {
  StallAnswer();
  for (int i = 0; i < 20; ++i) {
    rig_.Advance(milliseconds{1900});
    rig_.Take(1);
  }

  EXPECT_FALSE(rig_.wire.aborted);
  EXPECT_EQ(rig_.Received(), "HTTP/1.1 200 OK\r\nDat");
}

TEST_F(Http1TimeoutTest, LingersUntilTheClientIsDone) {
  rig_.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(rig_.wire.write_closed);
  rig_.Advance(milliseconds{4000});
  EXPECT_FALSE(rig_.ended());

  rig_.Finish();
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1TimeoutTest, LingersForFiveSeconds) {
  rig_.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 49; ++i) {
    rig_.Send("x");
    rig_.Advance(milliseconds{100});
  }
  EXPECT_FALSE(rig_.ended());

  rig_.Send("x");
  rig_.Advance(milliseconds{200});
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1TimeoutTest, LingersForOneMebibyte) {
  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n");
  EXPECT_TRUE(rig_.wire.write_closed);
  rig_.Send(std::string(1024 * 1024 - 1, 'x'));
  EXPECT_FALSE(rig_.ended());
  EXPECT_EQ(rig_.wire.inbound, "");

  rig_.Send("x");
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1TimeoutTest, SaysCloseInAnEarlyAnswerAndDiscardsTheContent) {
  rig_.handler.On("/early", [](ServerStream& stream) {
    AnswerWith(stream, "no", 403);
    return Step::kDone;
  });

  rig_.Send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nxxx");
  EXPECT_EQ(rig_.Received(), WithDate("HTTP/1.1 403 Forbidden\r\n{D}Content-Length: 2\r\n"
                                      "Connection: close\r\n\r\nno"));
  EXPECT_TRUE(rig_.wire.write_closed);
  rig_.Send(std::string(999'997, 'x'));

  EXPECT_FALSE(rig_.ended());
  EXPECT_EQ(rig_.wire.inbound, "");
  EXPECT_FALSE(rig_.wire.aborted);
}

TEST_F(Http1TimeoutTest, EndsAtOnceWhenAnIdleClientLeaves) {
  rig_.Send(kGet);
  rig_.Finish();

  EXPECT_TRUE(rig_.ended());
  EXPECT_FALSE(rig_.wire.aborted);
}

TEST_F(Http1TimeoutTest, EndsSilentlyWhenAClientLeavesWithinAHead) {
  rig_.Send("GET / HTT");
  rig_.Finish();

  EXPECT_TRUE(rig_.ended());
  EXPECT_EQ(rig_.Received(), "");
  EXPECT_EQ(rig_.handler.refused.size(), 0);
}

TEST_F(Http1TimeoutTest, TellsTheHandlerThatTheClientLeft) {
  rig_.handler.On("/", [](ServerStream& stream) {
    if (!stream.client_gone()) {
      return Step::kWait;
    }
    stream.Cut();
    return Step::kDone;
  });
  rig_.Send(kGet);

  rig_.Finish();

  EXPECT_EQ(rig_.handler.ended, std::vector<std::string>{"GET /"});
  EXPECT_TRUE(rig_.ended());
  EXPECT_EQ(rig_.Received(), "");
}

TEST_F(Http1TimeoutTest, TellsTheHandlerThatTheContentEndsEarly) {
  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  rig_.Finish();

  ASSERT_EQ(rig_.handler.body_ends.size(), 1);
  EXPECT_EQ(rig_.handler.body_ends[0].kind, BodyRead::Kind::kGone);
  EXPECT_TRUE(rig_.ended());
  EXPECT_EQ(rig_.Received(), "");
}

TEST_F(Http1TimeoutTest, SendsTheRestToAClientThatClosedItsSide) {
  StallAnswer();
  rig_.Finish();
  EXPECT_FALSE(rig_.ended());
  rig_.Take(1000);

  EXPECT_TRUE(rig_.Received().ends_with("01234567890123456789"));
  EXPECT_FALSE(rig_.wire.aborted);
}

TEST_F(Http1TimeoutTest, GivesUpTheRestWhenTheClientResets) {
  StallAnswer();
  rig_.Break();

  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1TimeoutTest, EndsWhenItIsCancelled) {
  rig_.handler.On("/", [](ServerStream& /*stream*/) { return Step::kWait; });
  rig_.Send(kGet);

  rig_.connection->Cancel();
  rig_.Settle();

  EXPECT_EQ(rig_.handler.ended.size(), 1);
  EXPECT_TRUE(rig_.ended());
}

class Http1CutTest : public Http1TimeoutTest {
 protected:
  void Cut(std::optional<std::uint64_t> length) {
    rig_.handler.On("/", [length](ServerStream& stream) {
      stream.SendHead({.content_length = length}, "abc", BodyEnd::kMore);
      stream.Cut();
      return Step::kDone;
    });
  }
};

TEST_F(Http1CutTest, ClosesWithoutCompletingAKnownLength) {
  Cut(10);
  rig_.Send(kGet);

  EXPECT_EQ(rig_.Received(), WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(rig_.ended());
  EXPECT_FALSE(rig_.wire.aborted);
}

TEST_F(Http1CutTest, ClosesWithoutTheLastChunk) {
  Cut(std::nullopt);
  rig_.Send(kGet);

  EXPECT_EQ(rig_.Received(),
            WithDate("HTTP/1.1 200 OK\r\n{D}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1CutTest, ResetsWhereAnEndWouldLookComplete) {
  Cut(std::nullopt);
  rig_.Send("GET / HTTP/1.0\r\n\r\n");

  EXPECT_TRUE(rig_.wire.aborted);
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1CutTest, SendsWhatWasWrittenBefore) {
  Cut(10);
  rig_.wire.room = 5;
  rig_.Send(kGet);
  EXPECT_FALSE(rig_.ended());

  rig_.Take(1000);
  EXPECT_TRUE(rig_.Received().ends_with("\r\n\r\nabc"));
  EXPECT_TRUE(rig_.ended());
}

TEST_F(Http1CutTest, ResetsAtOnceWhenTheClientHadStalled) {
  rig_.wire.room = 0;
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.SendHead({.content_length = 10}, "abc", BodyEnd::kMore);
    stream.CutStalled();
    return Step::kDone;
  });
  rig_.Send(kGet);

  EXPECT_TRUE(rig_.wire.aborted);
  EXPECT_TRUE(rig_.ended());
}

class Http1TakeOverTest : public Http1TimeoutTest {
 protected:
  /// Answers 101, then echoes what comes until an `x`.
  void Upgrade() {
    rig_.handler.On("/ws", [this](ServerStream& stream) {
      if (tunnel_ == nullptr) {
        const std::array<http::Field, 1> fields{http::Field{.name = "Upgrade", .value = "ws"}};
        stream.SendHead({.status = 101, .fields = fields}, {}, BodyEnd::kMore);
        std::string_view already_read;
        tunnel_ = stream.TakeOver(already_read);
        EXPECT_TRUE(tunnel_->Write(already_read));
      }
      std::array<std::byte, 100> bytes{};
      while (true) {
        const net::ReadResult read = tunnel_->TryRead(bytes);
        if (read.kind != net::ReadResult::Kind::kData) {
          return read.kind == net::ReadResult::Kind::kWouldBlock ? Step::kWait : Step::kDone;
        }
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), read.bytes);
        EXPECT_TRUE(tunnel_->Write(text));
        if (text.contains('x')) {
          return Step::kDone;
        }
      }
    });
  }
  net::Stream* tunnel_ = nullptr;
};

TEST_F(Http1TakeOverTest, HandsOverTheBytesBehindTheHead) {
  Upgrade();
  rig_.Send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\nearly");
  EXPECT_EQ(rig_.Received(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\n"
            "Connection: upgrade\r\n\r\nearly");
  rig_.Send("GET / HTTP/1.1\r\n\r\n");

  EXPECT_EQ(rig_.Received(), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(rig_.handler.served.size(), 1);
}

TEST_F(Http1TakeOverTest, HasNoDeadlineOfItsOwn) {
  Upgrade();
  rig_.Send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n");
  rig_.Advance(seconds{60});
  rig_.Received();
  rig_.Send("a");

  EXPECT_EQ(rig_.Received(), "a");
}

TEST_F(Http1TakeOverTest, ClosesOrderlyWhenTheHandlerEnds) {
  Upgrade();
  rig_.Send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n");
  rig_.Send("x");

  EXPECT_TRUE(rig_.wire.write_closed);
  EXPECT_FALSE(rig_.ended());
  rig_.Finish();
  EXPECT_TRUE(rig_.ended());
}

}  // namespace
}  // namespace elb::server
