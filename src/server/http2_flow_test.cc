// Answers of HTTP/2, resets and flow control: memory stays bounded, nothing is lost or stuck.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "server/testing/http2_rig.h"

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using testing::AnswerWith;
using testing::Get;
using testing::Post;
using testing::Step;

constexpr std::size_t kMebibyte = 1024 * 1024;

class Http2FlowTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.Start(); }
  std::int32_t Ask(std::string_view path) {
    const std::int32_t id = rig_.client.Request(Get(path));
    rig_.Exchange();
    return id;
  }
  testing::Http2Rig rig_;
};

TEST_F(Http2FlowTest, AnswersWithDateAndLowerCaseNames) {
  rig_.handler.On("/", [](ServerStream& stream) {
    const std::array<http::Field, 1> fields{http::Field{.name = "X-Thing", .value = "1"}};
    stream.SendHead({.status = 201, .fields = fields, .content_length = 2}, "ok", BodyEnd::kLast);
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_EQ(rig_.client[id].head,
            ":status: 201\nx-thing: 1\ndate: Tue, 14 Nov 2023 22:13:20 GMT\ncontent-length: 2\n");
  EXPECT_EQ(rig_.client[id].content, "ok");
  EXPECT_TRUE(rig_.client[id].ended);
  EXPECT_EQ(rig_.client[id].closed, NGHTTP2_NO_ERROR);
}

TEST_F(Http2FlowTest, SendsNoContentForHead) {
  testing::FieldPairs head = Get();
  head[0].second = "HEAD";
  const std::int32_t id = rig_.client.Request(head);
  rig_.Exchange();

  EXPECT_TRUE(rig_.client[id].Has("content-length: 2\n"));
  EXPECT_EQ(rig_.client[id].content, "");
  EXPECT_TRUE(rig_.client[id].ended);
}

TEST_F(Http2FlowTest, SendsNoContentWith204And304) {
  const auto answer = [](int status) {
    return [status](ServerStream& stream) {
      stream.SendHead({.status = status, .content_length = 7}, "content", BodyEnd::kLast);
      return Step::kDone;
    };
  };
  rig_.handler.On("/204", answer(204));
  rig_.handler.On("/304", answer(304));

  const std::int32_t no_content = Ask("/204");
  const std::int32_t not_modified = Ask("/304");

  EXPECT_FALSE(rig_.client[no_content].Has("content-length"));
  EXPECT_TRUE(rig_.client[not_modified].Has("content-length: 7\n"));
  EXPECT_EQ(rig_.client[no_content].content + rig_.client[not_modified].content, "");
  EXPECT_TRUE(rig_.client[no_content].ended && rig_.client[not_modified].ended);
}

TEST_F(Http2FlowTest, SendsInformationalAnswers) {
  rig_.handler.On("/", [](ServerStream& stream) {
    const std::array<http::Field, 1> fields{http::Field{.name = "Link", .value = "</a>"}};
    stream.SendInformational(103, fields);
    stream.SendHead({}, {}, BodyEnd::kLast);
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_TRUE(rig_.client[id].head.starts_with(":status: 103\nlink: </a>\n:status: 200\n"));
}

TEST_F(Http2FlowTest, SendsTrailersBehindAllContent) {
  const std::string content(300'000, 'x');
  rig_.handler.On("/", [&](ServerStream& stream) {
    const std::array<http::Field, 1> fields{http::Field{.name = "X-Sum", .value = "7"}};
    stream.SendHead({}, content, BodyEnd::kMore);
    stream.SendTrailers(fields);
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_EQ(rig_.client[id].content.size(), content.size());
  EXPECT_TRUE(rig_.client[id].head.ends_with("x-sum: 7\n"));
  EXPECT_TRUE(rig_.client[id].ended);
  EXPECT_EQ(rig_.client[id].closed, NGHTTP2_NO_ERROR);
}

TEST_F(Http2FlowTest, SendsAnEarlyAnswerWholeAndThenAsksForNoMore) {
  const std::string content(300'000, 'x');
  rig_.handler.On("/early", [&](ServerStream& stream) {
    AnswerWith(stream, content, 403);
    return Step::kDone;
  });
  const std::int32_t id = rig_.client.Open(Post("/early"));
  rig_.client.Content(id, "abc", false);
  rig_.Exchange();

  EXPECT_EQ(rig_.client[id].content.size(), content.size());
  EXPECT_TRUE(rig_.client[id].ended);
  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_NO_ERROR});
}

TEST_F(Http2FlowTest, GivesBackTheWindowOfContentThatNobodyRead) {
  rig_.handler.On("/early", [](ServerStream& stream) {
    AnswerWith(stream, "no", 403);
    return Step::kDone;
  });
  for (int i = 0; i < 20; ++i) {
    const std::int32_t id = rig_.client.Open(Post("/early"));
    rig_.client.Content(id, std::string(100'000, 'x'), true);
    rig_.Exchange();
    ASSERT_EQ(rig_.client[id].content, "no");
  }

  EXPECT_GT(rig_.client.ConnectionWindow(), static_cast<std::int32_t>(kMebibyte / 2));
}

TEST_F(Http2FlowTest, GivesBackTheWindowOfContentOfResetStreams) {
  rig_.handler.On(
      "/", [](ServerStream& stream) { return stream.client_gone() ? Step::kDone : Step::kWait; });
  for (int i = 0; i < 20; ++i) {
    const std::int32_t id = rig_.client.Open(Post());
    rig_.client.Content(id, std::string(100'000, 'x'), false);
    rig_.Exchange();
    rig_.client.Reset(id);
    rig_.Exchange();
  }

  EXPECT_EQ(rig_.handler.present, 0);
  EXPECT_GT(rig_.client.ConnectionWindow(), static_cast<std::int32_t>(kMebibyte / 2));
}

TEST_F(Http2FlowTest, OpensTheWindowOnlyAsTheHandlerReads) {
  std::size_t allowed = 0;
  net::Signal* waiting = nullptr;
  rig_.handler.On("/", [&](ServerStream& stream) {
    waiting = &stream.signal();
    while (allowed > 0) {
      const BodyRead read = stream.TryReadBody(allowed);
      if (read.kind != BodyRead::Kind::kData) {
        break;
      }
      allowed -= read.data.size();
    }
    return Step::kWait;
  });
  const std::int32_t id = rig_.client.Open(Post());
  rig_.client.Content(id, std::string(2 * kMebibyte, 'x'), true);
  rig_.Exchange();
  EXPECT_EQ(rig_.client.uploaded(id), 262'144);

  allowed = 200'000;
  waiting->Notify();
  rig_.Settle();
  rig_.Exchange();

  EXPECT_EQ(rig_.client.uploaded(id), 262'144 + 200'000);
}

TEST_F(Http2FlowTest, CancelsTheHandlerOfAResetStreamAtOnce) {
  rig_.handler.On("/", [](ServerStream& stream) {
    if (!stream.client_gone()) {
      return Step::kWait;
    }
    stream.Cut();
    return Step::kDone;
  });
  const std::int32_t id = Ask("/");
  rig_.client.Reset(id);
  rig_.Exchange();

  EXPECT_EQ(rig_.handler.present, 0);
  EXPECT_EQ(rig_.client[Ask("/other")].content, "<>");
}

TEST_F(Http2FlowTest, NeverStartsAStreamThatWasResetBehindItsHead) {
  const std::int32_t id = rig_.client.Request(Get());
  const std::string head = rig_.client.Output();
  rig_.client.Reset(id);
  rig_.Send(head + rig_.client.Output());
  rig_.Exchange();

  EXPECT_EQ(rig_.handler.served.size(), 0);
  rig_.Pass(milliseconds{3100});
  EXPECT_EQ(rig_.orderly, true);
}

TEST_F(Http2FlowTest, ResetsAStreamThatWasCut) {
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.SendHead({.content_length = 10}, "abc", BodyEnd::kMore);
    stream.Cut();
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_FALSE(rig_.client[id].ended);
  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_INTERNAL_ERROR});
}

TEST_F(Http2FlowTest, SendsWhatWasWrittenBeforeTheCut) {
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.SendHead({.content_length = 100'000}, std::string(40'000, 'x'), BodyEnd::kMore);
    stream.Cut();
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_TRUE(rig_.client[id].Has(":status: 200\n"));
  EXPECT_EQ(rig_.client[id].content, std::string(40'000, 'x'));
}

TEST_F(Http2FlowTest, SendsTheHeadBeforeTheCut) {
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.SendHead({.content_length = 10}, {}, BodyEnd::kMore);
    stream.Cut();
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_TRUE(rig_.client[id].Has(":status: 200\n"));
  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_INTERNAL_ERROR});
}

TEST_F(Http2FlowTest, CancelsAStreamWhoseClientIsSilentBehindWhatWasWritten) {
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.SendHead({}, "abc", BodyEnd::kMore);
    stream.CutSilent();
    return Step::kDone;
  });

  const std::int32_t id = Ask("/");

  EXPECT_EQ(rig_.client[id].content, "abc");
  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_CANCEL});
}

TEST_F(Http2FlowTest, CancelsAStreamWhoseClientStalled) {
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.CutStalled();
    return Step::kDone;
  });

  EXPECT_EQ(rig_.client[Ask("/")].resets, std::vector<std::uint32_t>{NGHTTP2_CANCEL});
}

/// Relays `total` bytes as a handler with a high mark of 256 KiB does.
class Relay {
 public:
  explicit Relay(std::size_t total) : left_(total) {}
  Step operator()(ServerStream& stream) {
    if (!std::exchange(started_, true)) {
      stream.SendHead({}, {}, BodyEnd::kMore);
    }
    while (left_ > 0 && stream.pending_output() < 64 * 1024) {
      const std::size_t count = std::min<std::size_t>(left_, 64 * 1024);
      left_ -= count;
      stream.SendContent(std::string(count, 'x'), left_ > 0 ? BodyEnd::kMore : BodyEnd::kLast);
    }
    most_pending = std::max(most_pending, stream.pending_output());
    return left_ > 0 ? Step::kWait : Step::kDone;
  }
  std::size_t most_pending = 0;

 private:
  std::size_t left_;
  bool started_ = false;
};

TEST_F(Http2FlowTest, HoldsLittleForAReaderWhoseSocketIsSlow) {
  Relay relay(16 * kMebibyte);
  rig_.handler.On("/", [&](ServerStream& stream) { return relay(stream); });
  rig_.client.Settings(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 30);
  rig_.client.OpenWindow(1 << 30);
  const std::int32_t id = rig_.client.Request(Get());
  rig_.wire.room = 0;
  rig_.Send(rig_.client.Output());
  for (int i = 0; i < 10'000 && !rig_.client[id].ended; ++i) {
    rig_.Take(4096);
    rig_.client.Feed(rig_.Received());
    rig_.wire.room = 0;
  }

  EXPECT_EQ(rig_.client[id].content.size(), 16 * kMebibyte);
  EXPECT_LE(rig_.wire.pending_max, 256 * 1024 + 96 * 1024);
  EXPECT_LE(relay.most_pending, 128 * 1024);
}

class Http2SlowReaderTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.Start(); }
  testing::Http2Rig rig_{false};
};

TEST_F(Http2SlowReaderTest, SendsNoMoreThanTheClientsWindow) {
  rig_.handler.On("/", [](ServerStream& stream) {
    AnswerWith(stream, std::string(200'000, 'x'));
    return Step::kDone;
  });
  const std::int32_t id = rig_.client.Request(Get());
  rig_.Exchange();
  EXPECT_EQ(rig_.client[id].content.size(), 65'535);

  rig_.client.Consume(id, 65'535);
  rig_.Exchange();
  EXPECT_EQ(rig_.client[id].content.size(), 131'070);
}

TEST_F(Http2SlowReaderTest, CancelsAnAnswerThatTheClientDoesNotTake) {
  rig_.handler.On("/", [](ServerStream& stream) {
    AnswerWith(stream, std::string(200'000, 'x'));
    return Step::kDone;
  });
  const std::int32_t id = rig_.client.Request(Get());
  rig_.Exchange();
  rig_.Pass(milliseconds{1900});
  EXPECT_EQ(rig_.client[id].resets.size(), 0);

  rig_.Pass(milliseconds{200});
  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_CANCEL});
  rig_.Pass(milliseconds{3100});
  EXPECT_EQ(rig_.client.goaways.size(), 1);
}

TEST_F(Http2SlowReaderTest, ForgetsContentThatWasTaken) {
  // 1 GiB through one stream: with what was taken still in memory this would not end well.
  Relay relay(64 * kMebibyte);
  std::size_t left = 0;
  rig_.handler.On("/", [&](ServerStream& stream) { return relay(stream); });
  const std::int32_t id = rig_.client.Request(Get());
  rig_.Exchange();
  while (!rig_.client[id].ended) {
    left = rig_.client[id].content.size();
    ASSERT_GT(left, 0);
    rig_.client[id].content.clear();
    rig_.client.Consume(id, left);
    rig_.Exchange();
  }

  EXPECT_LE(relay.most_pending, 128 * 1024);
}

}  // namespace
}  // namespace elb::server
