// Connections end at any moment: destroyed, cancelled or left by the client after every single turn
// of an exchange. AddressSanitizer is the judge; the assertions say that nothing stays behind.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/testing/http2_rig.h"

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using testing::Frame;
using testing::Get;
using testing::Literals;
using testing::Post;
using testing::Step;

enum class Ending : std::uint8_t { kDestroyed, kCancelled, kFinished, kBroken };

constexpr Ending kEndings[] = {Ending::kDestroyed, Ending::kCancelled, Ending::kFinished,
                               Ending::kBroken};

/// Answers in pieces, one at each wake, for as long as the client is there.
void AnswerInPieces(testing::ScriptHandler& handler) {
  handler.On("/pieces", [pieces = 0](ServerStream& stream) mutable {
    if (stream.client_gone()) {
      stream.Cut();
      return Step::kDone;
    }
    if (pieces == 0) {
      stream.SendHead({}, "x", BodyEnd::kMore);
    }
    const bool last = ++pieces == 4;
    stream.SendContent(std::string(1000, 'x'), last ? BodyEnd::kLast : BodyEnd::kMore);
    stream.signal().Notify();
    return last ? Step::kDone : Step::kWait;
  });
}

/// Runs `script` piece by piece, each followed by its turns, and ends the connection after `turns`
/// turns in all. Returns false once the script is over before that.
template <typename Rig>
bool RunAndEnd(Rig& rig, const std::vector<std::function<void()>>& script, int turns,
               const std::function<void()>& end) {
  for (const std::function<void()>& step : script) {
    step();
    while (true) {
      if (turns-- == 0) {
        end();
        return true;
      }
      if (!rig.reactor.RunTurn()) {
        break;
      }
    }
  }
  end();
  return false;
}

template <typename Rig>
std::function<void()> EndOf(Rig& rig, Ending ending, std::function<void()> cancel) {
  return [&rig, ending, cancel = std::move(cancel)] {
    switch (ending) {
      case Ending::kDestroyed:
        break;
      case Ending::kCancelled:
        cancel();
        break;
      case Ending::kFinished:
        rig.wire.Finish();
        break;
      case Ending::kBroken:
        rig.wire.Break();
        break;
    }
  };
}

class TeardownTest : public ::testing::TestWithParam<Ending> {};

TEST_P(TeardownTest, LeavesNothingOfAnHttp1ConnectionAtAnyTurn) {
  bool more = true;
  int last = 0;
  for (int turns = 0; more; ++turns) {
    testing::ConnectionRig rig;
    AnswerInPieces(rig.handler);
    rig.wire.room = 1500;
    rig.Open();
    const auto send = [&rig](std::string bytes) {
      return [&rig, bytes = std::move(bytes)] { rig.wire.Send(bytes); };
    };
    more =
        RunAndEnd(rig,
                  {send("GET /pie"), send("ces HTTP/1.1\r\nHost: a\r\n\r\n"),
                   [&rig] { rig.wire.Take(100'000); },
                   send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc"),
                   send("\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n"),
                   send("Host: a\r\nConnection: close\r\n\r\n"), send("more")},
                  turns, EndOf(rig, GetParam(), [&rig] { rig.connection->Cancel(); }));
    if (GetParam() != Ending::kDestroyed) {
      rig.Advance(milliseconds{5100});
      EXPECT_TRUE(rig.ended()) << "after turn " << turns;
      EXPECT_EQ(rig.handler.ended.size(), rig.handler.served.size()) << "after turn " << turns;
    }
    rig.Destroy();

    EXPECT_EQ(rig.handler.present, 0) << "after turn " << turns;
    EXPECT_TRUE(rig.wire.destroyed) << "after turn " << turns;
    ASSERT_LT(turns, 200);
    last = turns;
  }
  EXPECT_GT(last, 10);  // So many turns there are.
}

TEST_P(TeardownTest, LeavesNothingOfAnHttp2SessionAtAnyTurn) {
  bool more = true;
  int last = 0;
  for (int turns = 0; more; ++turns) {
    testing::Http2Rig rig;
    AnswerInPieces(rig.handler);
    rig.wire.room = 1500;
    rig.Listen();
    const auto send = [&rig](std::string bytes) {
      return [&rig, bytes = std::move(bytes)] { rig.wire.Send(bytes); };
    };
    more = RunAndEnd(
        rig,
        {send(std::string(testing::kPreface) + Frame(NGHTTP2_SETTINGS, 0, 0, {})),
         send(Frame(NGHTTP2_HEADERS, 5, 1, Literals(Get("/pieces"))) +
              Frame(NGHTTP2_HEADERS, 4, 3, Literals(Post("/")))),
         [&rig] { rig.wire.Take(100'000); },
         send(Frame(NGHTTP2_HEADERS, 5, 5, Literals(Get("/", {{"te", "x"}})))),
         send(Frame(NGHTTP2_DATA, 0, 3, "abc")),
         send(Frame(NGHTTP2_HEADERS, 4, 7, Literals(Post("/"))) + Frame(NGHTTP2_DATA, 0, 7, "abc")),
         send(Frame(NGHTTP2_RST_STREAM, 0, 7, {"\0\0\0\x8", 4})),
         send(Frame(NGHTTP2_DATA, 1, 3, "def")), send(Frame(NGHTTP2_DATA, 0, 0, "bad"))},
        turns, EndOf(rig, GetParam(), [&rig] { rig.RequestCancel(); }));
    if (GetParam() != Ending::kDestroyed) {
      rig.Settle();
      EXPECT_TRUE(rig.orderly.has_value()) << "after turn " << turns;
      EXPECT_EQ(rig.handler.ended.size(), rig.handler.served.size()) << "after turn " << turns;
    }
    rig.Close();

    EXPECT_EQ(rig.handler.present, 0) << "after turn " << turns;
    EXPECT_TRUE(rig.wire.destroyed) << "after turn " << turns;
    ASSERT_LT(turns, 200);
    last = turns;
  }
  EXPECT_GT(last, 10);  // So many turns there are.
}

INSTANTIATE_TEST_SUITE_P(Endings, TeardownTest, ::testing::ValuesIn(kEndings),
                         [](const auto& info) {
                           switch (info.param) {
                             case Ending::kDestroyed:
                               return "Destroyed";
                             case Ending::kCancelled:
                               return "Cancelled";
                             case Ending::kFinished:
                               return "Finished";
                             case Ending::kBroken:
                               return "Broken";
                           }
                           return "";
                         });

}  // namespace
}  // namespace elb::server
