// Requests that the connection refuses itself, and limits of request content.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/testing/connection_rig.h"

namespace elb::server {
namespace {

using testing::AnswerWith;
using testing::Step;
using testing::WithDate;

struct RefusedCase {
  const char* name;
  std::string request;
  const char* status_line;
  const char* refused;
};

class Http1RefusalTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(Http1RefusalTest, AnswersAndClosesWithoutServingWhatIsBehind) {
  testing::ConnectionRig rig;
  rig.Open();

  rig.Send(GetParam().request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = rig.Received();

  EXPECT_TRUE(answer.starts_with(GetParam().status_line)) << answer;
  EXPECT_TRUE(answer.contains("\r\nServer: elb\r\n")) << answer;
  EXPECT_TRUE(answer.contains("\r\nConnection: close\r\n")) << answer;
  EXPECT_EQ(rig.handler.refused, std::vector<std::string>{GetParam().refused});
  EXPECT_EQ(rig.handler.refused_bytes_sent, answer.size());
  EXPECT_EQ(rig.handler.served, std::vector<std::string>{});
  EXPECT_TRUE(rig.wire.write_closed);
  EXPECT_FALSE(rig.ended());  // Lingers.
  rig.Finish();
  EXPECT_TRUE(rig.ended());
  rig.Destroy();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Http1RefusalTest,
    ::testing::Values(
        RefusedCase{"Malformed", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                    "HTTP/1.1 400 Bad Request\r\n", "400 malformed_request"},
        RefusedCase{"NoHost", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n",
                    "400 malformed_request"},
        RefusedCase{"BadFraming",
                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n",
                    "HTTP/1.1 400 Bad Request\r\n", "400 bad_framing"},
        RefusedCase{"HeaderTooLarge",
                    "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(66'000, 'x') + "\r\n\r\n",
                    "HTTP/1.1 400 Bad Request\r\n", "400 header_too_large"},
        RefusedCase{"UriTooLong",
                    "GET /" + std::string(16'384, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
                    "HTTP/1.1 414 URI Too Long\r\n", "414 uri_too_long"},
        RefusedCase{"Connect", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
                    "HTTP/1.1 405 Method Not Allowed\r\n", "405 method_not_allowed"},
        RefusedCase{"UnknownCoding",
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                    "HTTP/1.1 501 Not Implemented\r\n", "501 unsupported_te"},
        RefusedCase{"Version", "PRI * HTTP/2.0\r\n\r\n",
                    "HTTP/1.1 505 HTTP Version Not Supported\r\n", "505 unsupported_version"}),
    [](const auto& info) { return std::string(info.param.name); });

class Http1LimitsTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.Open(); }
  void TearDown() override { rig_.Destroy(); }
  testing::ConnectionRig rig_;
};

TEST_F(Http1LimitsTest, NamesTheMethodsThatAreAllowed) {
  rig_.Send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");

  EXPECT_TRUE(
      rig_.Received().contains("\r\nAllow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n"));
}

TEST_F(Http1LimitsTest, RefusesInTheFormThatTheRequestPrefers) {
  rig_.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n"
      "Transfer-Encoding: gzip\r\n\r\n");

  EXPECT_TRUE(rig_.Received().ends_with(R"({"status":501,"error":"unsupported_te"})"));
}

TEST_F(Http1LimitsTest, RefusesMethodsInTheFormThatTheRequestPrefers) {
  rig_.Send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n");
  EXPECT_EQ(rig_.Received(), "");
  rig_.Send("Accept: application/json\r\n\r\n");

  EXPECT_TRUE(rig_.Received().ends_with(R"({"status":405,"error":"method_not_allowed"})"));
}

TEST_F(Http1LimitsTest, RefusesAfterServedRequests) {
  rig_.Send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nG@T / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");

  EXPECT_EQ(rig_.handler.served, std::vector<std::string>{"GET /1"});
  EXPECT_EQ(rig_.handler.refused, std::vector<std::string>{"400 malformed_request"});
  EXPECT_TRUE(rig_.wire.write_closed);
}

TEST_F(Http1LimitsTest, SendsNoContentWhenARefusedRequestIsHead) {
  rig_.Send("\r\nHEAD / HTTP/1.1\r\n\r\n");
  const std::string answer = rig_.Received();

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\nConnection: close\r\n\r\n")) << answer;
}

TEST_F(Http1LimitsTest, ReportsTheBeginningOfWhatWasReceived) {
  rig_.Send("G@T / HTTP/1.1\r\n" + std::string(1000, 'x'));

  EXPECT_EQ(rig_.handler.refused_bytes, "G@T / HTTP/1.1\r\n" + std::string(240, 'x'));
}

TEST_F(Http1LimitsTest, SaysTooLargeByLengthBeforeAnyContent) {
  rig_.policy.body_bytes_max = 10;

  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");

  EXPECT_EQ(rig_.Received(), WithDate("HTTP/1.1 413 Content Too Large\r\n{D}Content-Length: 14\r\n"
                                      "Connection: close\r\n\r\nbody_too_large"));
  EXPECT_TRUE(rig_.wire.write_closed);
}

TEST_F(Http1LimitsTest, TakesContentOfTheLargestLength) {
  rig_.policy.body_bytes_max = 10;

  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");

  EXPECT_TRUE(rig_.Received().ends_with("\r\n\r\n<0123456789>"));
}

TEST_F(Http1LimitsTest, SaysTooLargeByCount) {
  rig_.policy.body_bytes_max = 10;

  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  rig_.Send("9\r\n012345678\r\n");
  EXPECT_EQ(rig_.Received(), "");
  rig_.Send("2\r\n01\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_EQ(rig_.Received(), WithDate("HTTP/1.1 413 Content Too Large\r\n{D}Content-Length: 14\r\n"
                                      "Connection: close\r\n\r\nbody_too_large"));
  EXPECT_TRUE(rig_.wire.write_closed);
  EXPECT_EQ(rig_.handler.served.size(), 1);
}

TEST_F(Http1LimitsTest, RefusesBadChunksWithoutServingWhatIsBehind) {
  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  rig_.Send("2\nab\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_EQ(rig_.Received(), WithDate("HTTP/1.1 400 Bad Request\r\n{D}Content-Length: 11\r\n"
                                      "Connection: close\r\n\r\nbad_framing"));
  EXPECT_TRUE(rig_.wire.write_closed);
  EXPECT_EQ(rig_.handler.served.size(), 1);
}

TEST_F(Http1LimitsTest, ReadsOnWhileTheSocketHasMoreThanFraming) {
  rig_.handler.read_limit = 1;

  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  rig_.Send("3;extension=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");

  EXPECT_TRUE(rig_.Received().ends_with("\r\n\r\n<abc>"));
}

TEST_F(Http1LimitsTest, ReadsOnWhenOnlyFramingCameWithTheHead) {
  rig_.wire.read_max = 80;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";
  const std::string padding = "X-Pad: " + std::string(80 - head.size() - 14, 'x') + "\r\n\r\n";
  ASSERT_EQ((head + padding + "3\r\n").size(), 80);

  rig_.Send(head + padding + "3\r\n" + "abc\r\n0\r\n\r\n");

  EXPECT_TRUE(rig_.Received().ends_with("\r\n\r\n<abc>"));
}

TEST_F(Http1LimitsTest, NeverReadsBeyondContentOfKnownLength) {
  std::string next;
  rig_.handler.On("/", [&](ServerStream& stream) {
    const BodyRead read = stream.TryReadBody(1000);
    if (read.kind != BodyRead::Kind::kData) {
      return Step::kWait;
    }
    next = rig_.wire.inbound;
    AnswerWith(stream, read.data);
    return Step::kDone;
  });

  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  rig_.Send("abcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_EQ(next, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(rig_.handler.served, (std::vector<std::string>{"POST /", "GET /2"}));
}

TEST_F(Http1LimitsTest, LeavesContentThatIsNotAskedForWithTheClient) {
  rig_.handler.On("/", [&](ServerStream& /*stream*/) { return Step::kWait; });

  rig_.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  rig_.Send(std::string(1'000'000, 'x'));

  EXPECT_EQ(rig_.wire.inbound.size(), 1'000'000);
}

TEST_F(Http1LimitsTest, KeepsReadingUnderTheLimitsItBeganWith) {
  rig_.Send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  rig_.policy.codec_limits = {.head_bytes_max = 10, .fields_max = 0};

  rig_.Send("1\r\n\r\n");

  EXPECT_EQ(rig_.handler.served, std::vector<std::string>{"GET /"});
}

}  // namespace
}  // namespace elb::server
