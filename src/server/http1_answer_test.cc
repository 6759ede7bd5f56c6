// What HTTP/1 clients get to see: framing of answers, versions, persistence.

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "server/testing/connection_rig.h"

namespace elb::server {
namespace {

using std::chrono::seconds;
using testing::AnswerWith;
using testing::Step;
using testing::WithDate;

class Http1AnswerTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.Open(); }
  void TearDown() override { rig_.Destroy(); }

  /// The answer to one request, on a connection of its own.
  std::string Ask(std::string_view request) {
    rig_.Send(request);
    return rig_.Received();
  }
  void ExpectOpen() const {
    EXPECT_FALSE(rig_.ended());
    EXPECT_FALSE(rig_.wire.write_closed);
  }
  /// Orderly: FIN was sent, the rest is the client's business.
  void ExpectClosed() const {
    EXPECT_TRUE(rig_.wire.write_closed);
    EXPECT_FALSE(rig_.wire.aborted);
  }

  testing::ConnectionRig rig_;
};

TEST_F(Http1AnswerTest, AnswersWithLengthAndDateAndKeepsTheConnection) {
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\n\r\n<>"));
  ExpectOpen();

  EXPECT_EQ(Ask("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\n\r\n<>"));
  EXPECT_EQ(rig_.handler.served, (std::vector<std::string>{"GET /", "GET /2"}));
}

TEST_F(Http1AnswerTest, KeepsTheDateOfTheHandler) {
  rig_.handler.On("/", [](ServerStream& stream) {
    const std::array<http::Field, 1> fields{
        http::Field{.name = "date", .value = "yesterday", .known = http::FieldName::kDate}};
    stream.SendHead({.status = 299, .reason = "Fine", .fields = fields, .content_length = 0}, {},
                    BodyEnd::kLast);
    return Step::kDone;
  });

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 299 Fine\r\ndate: yesterday\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(Http1AnswerTest, ServesPipelinedRequestsInOrderOneAtATime) {
  net::Signal* waiting = nullptr;
  bool ready = false;
  rig_.handler.On("/slow", [&](ServerStream& stream) {
    waiting = &stream.signal();
    if (!ready) {
      return Step::kWait;
    }
    AnswerWith(stream, "slow");
    return Step::kDone;
  });

  rig_.Send(
      "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(rig_.handler.served, std::vector<std::string>{"GET /slow"});
  EXPECT_EQ(rig_.Received(), "");

  ready = true;
  waiting->Notify();
  rig_.Settle();

  EXPECT_EQ(rig_.Received(), WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 4\r\n\r\nslow"
                                      "HTTP/1.1 200 OK\r\n{D}Content-Length: 5\r\n\r\n<abc>"
                                      "HTTP/1.1 200 OK\r\n{D}Content-Length: 3\r\n\r\n<x>"
                                      "HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\n\r\n<>"));
  EXPECT_EQ(rig_.handler.served,
            (std::vector<std::string>{"GET /slow", "POST /2", "POST /3", "GET /4"}));
  ExpectOpen();
}

TEST_F(Http1AnswerTest, LetsOthersRunBetweenPipelinedRequests) {
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  rig_.wire.Send(many);

  rig_.reactor.RunTurn();

  EXPECT_LT(rig_.handler.served.size(), 20);
  rig_.Settle();
  EXPECT_EQ(rig_.handler.served.size(), 100);
}

TEST_F(Http1AnswerTest, GivesTheSameAnswersHoweverTheRequestsAreCut) {
  const std::string requests =
      "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX-T: 1\r\n\r\n"
      "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nef";
  const std::string answers = Ask(requests);
  ASSERT_EQ(answers, WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 6\r\n\r\n<abcd>"
                              "HTTP/1.1 200 OK\r\n{D}Content-Length: 4\r\n\r\n<ef>"));

  for (std::size_t cut = 1; cut < requests.size(); ++cut) {
    testing::ConnectionRig rig;
    rig.Open();
    rig.Send(std::string_view(requests).substr(0, cut));
    rig.Send(std::string_view(requests).substr(cut));

    EXPECT_EQ(rig.Received(), answers) << "cut at " << cut;
    EXPECT_EQ(rig.handler.served, rig_.handler.served) << "cut at " << cut;
    EXPECT_EQ(rig.handler.trailers, std::vector<std::string>{"X-T: 1"}) << "cut at " << cut;
    rig.Destroy();
  }
}

TEST_F(Http1AnswerTest, GivesTheSameAnswersToSingleBytes) {
  rig_.wire.read_max = 1;

  EXPECT_EQ(Ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 5\r\n\r\n<abc>"
                     "HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\n\r\n<>"));
}

TEST_F(Http1AnswerTest, ClosesWhenTheClientAsksForIt) {
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\nConnection: close\r\n\r\n<>"));

  ExpectClosed();
  EXPECT_EQ(rig_.handler.served.size(), 1);
}

TEST_F(Http1AnswerTest, ClosesAfterHttp10) {
  EXPECT_EQ(Ask("GET / HTTP/1.0\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\nConnection: close\r\n\r\n<>"));

  ExpectClosed();
}

TEST_F(Http1AnswerTest, KeepsHttp10AliveWhenAskedAndTheLengthIsKnown) {
  EXPECT_EQ(
      Ask("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
      WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\nConnection: keep-alive\r\n\r\n<>"));

  ExpectOpen();
}

TEST_F(Http1AnswerTest, ClosesHttp10WithoutContentLength) {
  rig_.handler.On("/304", [](ServerStream& stream) {
    stream.SendHead({.status = 304}, {}, BodyEnd::kLast);
    return Step::kDone;
  });

  EXPECT_EQ(Ask("GET /304 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
            WithDate("HTTP/1.1 304 Not Modified\r\n{D}Connection: close\r\n\r\n"));

  ExpectClosed();
}

TEST_F(Http1AnswerTest, ClosesWhereThereIsNoPersistence) {
  rig_.policy.keepalive = seconds{0};

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\nConnection: close\r\n\r\n<>"));

  ExpectClosed();
}

TEST_F(Http1AnswerTest, ClosesWhenTheListenerRetires) {
  Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  rig_.policy.retires = true;
  rig_.Settle();
  ExpectOpen();

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\nConnection: close\r\n\r\n<>"));

  ExpectClosed();
}

TEST_F(Http1AnswerTest, ClosesWhenTheHandlerSaysSo) {
  rig_.handler.On("/", [](ServerStream& stream) {
    stream.SendHead({.content_length = 1, .close = true}, "x", BodyEnd::kLast);
    return Step::kDone;
  });

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 1\r\nConnection: close\r\n\r\nx"));

  ExpectClosed();
}

class Http1FramingTest : public Http1AnswerTest {
 protected:
  void SetUp() override {
    Http1AnswerTest::SetUp();
    rig_.handler.On("/pieces", [](ServerStream& stream) {
      stream.SendHead({}, "ab", BodyEnd::kMore);
      stream.SendContent("", BodyEnd::kMore);
      stream.SendContent("0123456789abcdefg", BodyEnd::kMore);
      stream.SendContent("", BodyEnd::kLast);
      return Step::kDone;
    });
    rig_.handler.On("/trailers", [](ServerStream& stream) {
      const std::array<http::Field, 1> fields{http::Field{.name = "X-Sum", .value = "7"}};
      stream.SendHead({}, "ab", BodyEnd::kMore);
      stream.SendTrailers(fields);
      return Step::kDone;
    });
  }
};

TEST_F(Http1FramingTest, SendsContentOfUnknownLengthInChunks) {
  EXPECT_EQ(Ask("GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Transfer-Encoding: chunked\r\n\r\n"
                     "2\r\nab\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n"));
  ExpectOpen();
}

TEST_F(Http1FramingTest, SendsContentOfUnknownLengthUntilCloseToHttp10) {
  EXPECT_EQ(Ask("GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Connection: close\r\n\r\nab0123456789abcdefg"));
  ExpectClosed();
}

TEST_F(Http1FramingTest, SendsTrailersToThoseWhoTakeThem) {
  EXPECT_EQ(Ask("GET /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Transfer-Encoding: chunked\r\n\r\n"
                     "2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n"));
  EXPECT_EQ(Ask("GET /trailers HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Transfer-Encoding: chunked\r\n\r\n"
                     "2\r\nab\r\n0\r\n\r\n"));
  ExpectOpen();
}

TEST_F(Http1FramingTest, SendsNoTrailersToHttp10) {
  EXPECT_EQ(Ask("GET /trailers HTTP/1.0\r\nTE: trailers\r\nConnection: TE\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Connection: close\r\n\r\nab"));
  ExpectClosed();
}

TEST_F(Http1FramingTest, SendsNoContentForHead) {
  EXPECT_EQ(Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 2\r\n\r\n"));
  EXPECT_EQ(Ask("HEAD /pieces HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}\r\n"));
  EXPECT_EQ(Ask("HEAD /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}\r\n"));
  ExpectOpen();
}

TEST_F(Http1FramingTest, SendsNoContentWith204And304) {
  const auto answer = [](int status) {
    return [status](ServerStream& stream) {
      stream.SendHead({.status = status, .content_length = 7}, "content", BodyEnd::kLast);
      return Step::kDone;
    };
  };
  rig_.handler.On("/204", answer(204));
  rig_.handler.On("/304", answer(304));

  EXPECT_EQ(Ask("GET /204 HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 204 No Content\r\n{D}\r\n"));
  EXPECT_EQ(Ask("GET /304 HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 304 Not Modified\r\n{D}Content-Length: 7\r\n\r\n"));
  ExpectOpen();
}

TEST_F(Http1FramingTest, SendsInformationalAnswersBeforeTheFinalOne) {
  rig_.handler.On("/", [](ServerStream& stream) {
    const std::array<http::Field, 1> fields{http::Field{.name = "Link", .value = "</a>"}};
    stream.SendInformational(103, fields);
    AnswerWith(stream, "x");
    return Step::kDone;
  });

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            WithDate("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                     "HTTP/1.1 200 OK\r\n{D}Content-Length: 1\r\n\r\nx"));
  EXPECT_EQ(Ask("GET / HTTP/1.0\r\n\r\n"),
            WithDate("HTTP/1.1 200 OK\r\n{D}Content-Length: 1\r\nConnection: close\r\n\r\nx"));
}

TEST_F(Http1FramingTest, CountsBytesOfBothDirections) {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t content = 0;
  rig_.handler.On("/", [&](ServerStream& stream) {
    while (stream.TryReadBody(100).kind == BodyRead::Kind::kData) {
    }
    stream.SendHead({}, "abc", BodyEnd::kMore);
    stream.SendContent("de", BodyEnd::kLast);
    received = stream.bytes_received();
    sent = stream.bytes_sent();
    content = stream.content_bytes_sent();
    return Step::kDone;
  });

  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  const std::string answer = Ask(request + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_EQ(received, request.size());
  EXPECT_EQ(sent, answer.find("0\r\n\r\n") + 5);
  EXPECT_EQ(content, 5);
}

}  // namespace
}  // namespace elb::server
