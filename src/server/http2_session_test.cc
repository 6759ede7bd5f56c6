// Settings, limits, timeouts, abuse and the end of HTTP/2 sessions (data-plane.md 4.4, 5.1, 5.2).
// The rig: keepalive_timeout 3 s, client_timeout 2 s.

#include "server/http2_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/testing/http2_rig.h"

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using testing::AnswerWith;
using testing::Frame;
using testing::Get;
using testing::Post;
using testing::Step;
using GoAway = testing::Http2Client::GoAway;

class Http2SessionTest : public ::testing::Test {
 protected:
  /// Makes "/wait" answer when `Release` is called; ends with the client.
  void SetUp() override {
    rig_.handler.On("/wait", [this](ServerStream& stream) {
      waiting_.push_back(&stream.signal());
      if (stream.client_gone()) {
        stream.Cut();
        return Step::kDone;
      }
      if (!released_) {
        return Step::kWait;
      }
      AnswerWith(stream, "ok");
      return Step::kDone;
    });
    rig_.Start();
  }
  void Release() {
    released_ = true;
    const auto signals = std::exchange(waiting_, {});
    for (net::Signal* signal : signals) {
      signal->Notify();
    }
    rig_.Settle();
    rig_.Exchange();
  }
  std::int32_t Ask(std::string_view path = "/") {
    const std::int32_t id = rig_.client.Request(Get(path));
    rig_.Exchange();
    return id;
  }
  void ExpectCalm() { EXPECT_EQ(rig_.client.goaways.size(), 0); }
  void ExpectEnhanceYourCalm() {
    ASSERT_EQ(rig_.client.goaways.size(), 1);
    EXPECT_EQ(rig_.client.goaways[0].code, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_EQ(rig_.orderly, true);
    EXPECT_EQ(rig_.handler.present, 0);
  }

  testing::Http2Rig rig_;
  std::vector<net::Signal*> waiting_;
  bool released_ = false;
};

TEST_F(Http2SessionTest, AdvertisesItsLimits) {
  EXPECT_EQ(rig_.client.settings_ids,
            (std::vector<std::int32_t>{
                NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE}));
  EXPECT_EQ(rig_.client.RemoteSetting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 128);
  EXPECT_EQ(rig_.client.RemoteSetting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE), 262'144);
  EXPECT_EQ(rig_.client.RemoteSetting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE), 16'384);
  EXPECT_EQ(rig_.client.RemoteSetting(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE), 4'096);
  EXPECT_EQ(rig_.client.RemoteSetting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), 65'536);
  EXPECT_EQ(rig_.client.ConnectionWindow(), 1'048'576);
}

TEST_F(Http2SessionTest, Serves128StreamsAtATime) {
  for (int i = 0; i < 128; ++i) {
    rig_.client.Request(Get("/wait"));
  }
  rig_.Exchange();
  EXPECT_EQ(rig_.handler.present, 128);

  Release();
  EXPECT_EQ(rig_.handler.ended.size(), 128);
  ExpectCalm();
}

TEST_F(Http2SessionTest, RefusesTheStreamBeyond) {
  std::string frames(testing::kPreface);
  testing::Http2Rig rig;
  rig.handler.On("/wait", [](ServerStream& stream) {
    return stream.client_gone() ? Step::kDone : Step::kWait;
  });
  rig.Listen();
  frames += Frame(NGHTTP2_SETTINGS, 0, 0, {});
  for (int i = 0; i < 129; ++i) {
    frames += Frame(NGHTTP2_HEADERS, 5, 2 * i + 1, testing::Literals(Get("/wait")));
  }
  rig.Send(frames);

  EXPECT_EQ(rig.handler.served.size(), 128);
  EXPECT_TRUE(rig.Received().ends_with(Frame(NGHTTP2_RST_STREAM, 0, 257, {"\0\0\0\7", 4})));
}

TEST_F(Http2SessionTest, EndsAfterABadPreface) {
  testing::Http2Rig rig;
  rig.Listen();
  rig.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_TRUE(rig.orderly.has_value());
  EXPECT_TRUE(rig.Received().ends_with(Frame(NGHTTP2_GOAWAY, 0, 0, {"\0\0\0\0\0\0\0\1", 8})));
}

TEST_F(Http2SessionTest, SaysGoAwayAfterAConnectionError) {
  Ask();
  rig_.Send(Frame(NGHTTP2_DATA, 0, 0, "x"));
  rig_.Exchange();

  EXPECT_EQ(rig_.client.goaways, (std::vector<GoAway>{{1, NGHTTP2_PROTOCOL_ERROR}}));
  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2SessionTest, TellsHandlersOfAConnectionError) {
  Ask("/wait");
  rig_.Send(Frame(NGHTTP2_DATA, 0, 0, "x"));

  EXPECT_EQ(rig_.handler.ended.size(), 1);
  EXPECT_EQ(rig_.handler.present, 0);
  EXPECT_TRUE(rig_.orderly.has_value());
}

TEST_F(Http2SessionTest, SaysGoAwayWhenIdle) {
  Ask();
  rig_.Pass(milliseconds{2900});
  ExpectCalm();

  rig_.Pass(milliseconds{200});
  EXPECT_EQ(rig_.client.goaways, (std::vector<GoAway>{{1, NGHTTP2_NO_ERROR}}));
  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2SessionTest, IsIdleInSpiteOfPings) {
  Ask();
  for (int i = 0; i < 31; ++i) {
    rig_.client.Ping();
    rig_.Pass(milliseconds{100});
  }

  EXPECT_EQ(rig_.client.goaways, (std::vector<GoAway>{{1, NGHTTP2_NO_ERROR}}));
}

TEST_F(Http2SessionTest, IsNotIdleWhileAStreamIsOpen) {
  Ask("/wait");
  rig_.Pass(milliseconds{10'000});
  ExpectCalm();

  Release();
  rig_.Pass(milliseconds{2900});
  ExpectCalm();
  rig_.Pass(milliseconds{200});
  EXPECT_EQ(rig_.client.goaways.size(), 1);
}

TEST_F(Http2SessionTest, WaitsTheRequestTimeoutForTheFirstRequest) {
  rig_.Pass(milliseconds{1900});
  ExpectCalm();

  rig_.Pass(milliseconds{200});
  EXPECT_EQ(rig_.client.goaways, (std::vector<GoAway>{{0, NGHTTP2_NO_ERROR}}));
}

TEST_F(Http2SessionTest, SaysGoAwayAfterTheLastStreamWithoutPersistence) {
  rig_.policy.keepalive = std::chrono::seconds{0};
  const std::int32_t id = Ask();

  EXPECT_EQ(rig_.client[id].content, "<>");
  EXPECT_EQ(rig_.client.goaways, (std::vector<GoAway>{{1, NGHTTP2_NO_ERROR}}));
  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2SessionTest, BoundsTheTimeOfAHeaderBlock) {
  Ask("/wait");
  rig_.Send(Frame(NGHTTP2_HEADERS, 1, 3, testing::Literals(Get())));
  rig_.Pass(milliseconds{1900});
  ExpectCalm();

  rig_.Pass(milliseconds{200});
  EXPECT_EQ(rig_.client.goaways.size(), 1);
  EXPECT_TRUE(rig_.orderly.has_value());
}

TEST_F(Http2SessionTest, ResetsAClientWhoseSocketStalls) {
  rig_.handler.On("/", [](ServerStream& stream) {
    AnswerWith(stream, std::string(60'000, 'x'));
    return Step::kDone;
  });
  Ask("/wait");
  rig_.Pass(milliseconds{10'000});  // Long after the session's beginning.
  rig_.wire.room = 100;
  rig_.client.Request(Get());
  rig_.Send(rig_.client.Output());
  rig_.Advance(milliseconds{1900});
  EXPECT_FALSE(rig_.wire.aborted);
  rig_.Take(100);
  rig_.Advance(milliseconds{1900});
  EXPECT_FALSE(rig_.wire.aborted);

  rig_.Advance(milliseconds{200});
  EXPECT_TRUE(rig_.wire.aborted);
  EXPECT_EQ(rig_.orderly, false);
}

TEST_F(Http2SessionTest, ResetsAClientWhoseSocketStallsThoughItSends) {
  rig_.handler.On("/", [](ServerStream& stream) {
    AnswerWith(stream, std::string(60'000, 'x'));
    return Step::kDone;
  });
  rig_.wire.room = 0;
  rig_.client.Request(Get());
  rig_.Send(rig_.client.Output());
  for (int i = 0; i < 21; ++i) {
    rig_.client.Ping();
    rig_.Send(rig_.client.Output());
    rig_.Advance(milliseconds{100});
  }

  EXPECT_TRUE(rig_.wire.aborted);
}

TEST_F(Http2SessionTest, TellsHandlersThatTheClientLeft) {
  Ask("/wait");
  rig_.Finish();

  EXPECT_EQ(rig_.handler.present, 0);
  EXPECT_EQ(rig_.orderly, false);
}

TEST_F(Http2SessionTest, EndsWhenItIsCancelled) {
  Ask("/wait");
  rig_.Cancel();

  EXPECT_EQ(rig_.orderly, false);
  EXPECT_EQ(rig_.handler.present, 0);
}

TEST_F(Http2SessionTest, RetiresInTwoSteps) {
  Ask("/wait");
  rig_.policy.retires = true;
  rig_.WakeSession();
  rig_.Exchange();
  EXPECT_EQ(rig_.client.goaways, (std::vector<GoAway>{{2'147'483'647, NGHTTP2_NO_ERROR}}));

  // What was on its way when the client heard of it is still served.
  rig_.Send(Frame(NGHTTP2_HEADERS, 5, 3, testing::Literals(Get("/late"))));
  EXPECT_EQ(rig_.handler.served.back(), "GET /late");
  rig_.Received();
  rig_.Pass(milliseconds{1100});
  EXPECT_EQ(rig_.client.goaways.size(), 2);
  EXPECT_EQ(rig_.client.goaways.back(), (GoAway{3, NGHTTP2_NO_ERROR}));
  EXPECT_FALSE(rig_.orderly.has_value());

  Release();
  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2SessionTest, RetiresWhenIdle) {
  Ask();
  rig_.policy.retires = true;
  rig_.WakeSession();
  rig_.Pass(milliseconds{1100});

  EXPECT_EQ(rig_.client.goaways,
            (std::vector<GoAway>{{2'147'483'647, NGHTTP2_NO_ERROR}, {1, NGHTTP2_NO_ERROR}}));
  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2SessionTest, EndsWhenTheClientSaysGoAway) {
  Ask();
  rig_.Send(Frame(NGHTTP2_GOAWAY, 0, 0, {"\0\0\0\0\0\0\0\0", 8}));

  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2SessionTest, StopsRapidResets) {
  int sent = 0;
  while (sent < 1000 && rig_.client.goaways.empty()) {
    const std::int32_t id = rig_.client.Request(Get("/wait"));
    rig_.Exchange();
    rig_.client.Reset(id);
    rig_.Exchange();
    ++sent;
  }

  EXPECT_EQ(sent, 257);
  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, StopsRapidResetsInOnePacket) {
  std::string frames;
  for (int i = 0; i < 1000; ++i) {
    frames += Frame(NGHTTP2_HEADERS, 5, 2 * i + 1, testing::Literals(Get("/wait"))) +
              Frame(NGHTTP2_RST_STREAM, 0, 2 * i + 1, {"\0\0\0\x8", 4});
  }
  rig_.Send(frames);
  rig_.Exchange();

  EXPECT_EQ(rig_.handler.served.size(), 0);
  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, TakesTheClosingOfABusyPage) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 128; ++i) {
    ids.push_back(rig_.client.Request(Get("/wait")));
  }
  rig_.Exchange();
  for (const std::int32_t id : ids) {
    rig_.client.Reset(id);
  }
  rig_.Exchange();

  ExpectCalm();
  EXPECT_EQ(rig_.handler.present, 0);
  EXPECT_EQ(rig_.client[Ask()].content, "<>");
}

TEST_F(Http2SessionTest, StopsAClientThatMakesItResetStreams) {
  for (int i = 0; i < 300 && rig_.client.goaways.empty(); ++i) {
    rig_.client.Request(Get("/", {{"te", "x"}}));
    rig_.Exchange();
  }

  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, StopsAFloodOfPings) {
  std::string frames;
  for (int i = 0; i < 5000; ++i) {
    frames += Frame(NGHTTP2_PING, 0, 0, "01234567");
  }
  rig_.Send(frames);
  rig_.Exchange();

  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, StopsAFloodOfPriorities) {
  Ask("/wait");
  std::string frames;
  for (int i = 0; i < 1001; ++i) {
    frames += Frame(NGHTTP2_PRIORITY, 0, 1, {"\0\0\0\0\x10", 5});
  }
  rig_.Send(frames);
  rig_.Exchange();

  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, StopsAFloodOfEmptyFrames) {
  const std::int32_t id = rig_.client.Open(Post("/wait"));
  rig_.Exchange();
  std::string frames;
  for (int i = 0; i < 101; ++i) {
    frames += Frame(NGHTTP2_DATA, 0, id, {});
  }
  rig_.Send(frames);
  rig_.Exchange();

  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, StopsAFloodOfContinuations) {
  std::string frames = Frame(NGHTTP2_HEADERS, 1, 1, {});
  for (int i = 0; i < 20; ++i) {
    frames += Frame(NGHTTP2_CONTINUATION, 0, 1, testing::Literals({{"x", "y"}}));
  }
  rig_.Send(frames);
  rig_.Exchange();

  ExpectEnhanceYourCalm();
}

TEST_F(Http2SessionTest, StopsAHeaderBlockThatIsTooLarge) {
  std::string frames = Frame(NGHTTP2_HEADERS, 1, 1, {});
  const std::string fields = testing::Literals({{"x", std::string(120, 'y')}});
  std::string block;
  while (block.size() + fields.size() < 16'384) {
    block += fields;
  }
  for (int i = 0; i < 9; ++i) {
    frames += Frame(NGHTTP2_CONTINUATION, 0, 1, block);
  }
  rig_.Send(frames);
  rig_.Exchange();

  ExpectEnhanceYourCalm();
}

}  // namespace
}  // namespace elb::server
