#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "http/h1/parser.h"
#include "http/testing/describe.h"

namespace elb::http::h1 {
namespace {

/// Parses one request that must be accepted; the head views into it.
class RequestHeadTest : public ::testing::Test {
 protected:
  const RequestHead& Parse(std::string bytes) {
    bytes_ = std::move(bytes);
    parser_.Reset();
    EXPECT_EQ(parser_.Parse(bytes_, head_), ParseStatus::kDone)
        << bytes_ << static_cast<int>(parser_.refusal());
    return head_;
  }
  const RequestHead& Line(const std::string& line) {
    return Parse(line + "\r\nHost: a.test\r\n\r\n");
  }
  const RequestHead& WithFields(const std::string& fields) {
    return Parse("GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n\r\n");
  }
  const RequestHead& WithFields10(const std::string& fields) {
    return Parse("GET / HTTP/1.0\r\nHost: a.test\r\n" + fields + "\r\n\r\n");
  }

  const Limits limits_;
  RequestParser parser_{limits_};
  RequestHead head_;
  std::string bytes_;
};

TEST_F(RequestHeadTest, SplitsTheRequestLine) {
  const RequestHead& head = Line("PoST /a/b%20c?d=e?f HTTP/1.1");

  EXPECT_EQ(head.method, Method::kOther);
  EXPECT_EQ(head.method_text, "PoST");
  EXPECT_EQ(head.target, "/a/b%20c?d=e?f");
  EXPECT_EQ(head.path, "/a/b%20c");
  EXPECT_EQ(head.query, "d=e?f");
  EXPECT_EQ(head.authority, "a.test");
  EXPECT_EQ(head.version, Version::kHttp11);
}

TEST_F(RequestHeadTest, KnowsTheMethods) {
  EXPECT_EQ(Line("GET / HTTP/1.1").method, Method::kGet);
  EXPECT_EQ(Line("HEAD / HTTP/1.1").method, Method::kHead);
  EXPECT_EQ(Line("POST / HTTP/1.1").method, Method::kPost);
  EXPECT_EQ(Line("PUT / HTTP/1.1").method, Method::kPut);
  EXPECT_EQ(Line("DELETE / HTTP/1.1").method, Method::kDelete);
  EXPECT_EQ(Line("OPTIONS / HTTP/1.1").method, Method::kOptions);
  EXPECT_EQ(Line("PATCH / HTTP/1.1").method, Method::kPatch);
  EXPECT_EQ(Line("TRACE / HTTP/1.1").method, Method::kTrace);
  EXPECT_EQ(Line("PROPFIND / HTTP/1.1").method, Method::kOther);
}

TEST_F(RequestHeadTest, ReadsMinorVersionsAboveOneAsOne) {
  EXPECT_EQ(Line("GET / HTTP/1.0").version, Version::kHttp10);
  EXPECT_EQ(Line("GET / HTTP/1.9").version, Version::kHttp11);
}

TEST_F(RequestHeadTest, KeepsFieldsInOrderAndAsSpelt) {
  const RequestHead& head = WithFields("b-B: 1\r\nA-a:2\r\nB-b:  \t 3 4\t \r\nContent-TYPE:");

  EXPECT_EQ(testing::Describe(head.fields),
            "[Host|a.test|1][b-B|1|0][A-a|2|0][B-b|3 4|0][Content-TYPE||19]");
}

TEST_F(RequestHeadTest, CountsTheBytesOfTheHead) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

  Parse("\r\n" + head + "body");

  EXPECT_EQ(head_.head_bytes, head.size());
  EXPECT_EQ(parser_.consumed(), head.size() + 2);
}

TEST_F(RequestHeadTest, ParsesTheNextMessageAfterReset) {
  Line("POST /first HTTP/1.1");
  const RequestHead& head = Parse("GET /second HTTP/1.0\r\n\r\n");

  EXPECT_EQ(head.path, "/second");
  EXPECT_EQ(head.authority, "");
  EXPECT_TRUE(head.fields.empty());
}

TEST_F(RequestHeadTest, TakesAuthorityAndPathFromAbsoluteForm) {
  const RequestHead& head = Line("GET http://z.test:81/q?r HTTP/1.1");

  EXPECT_EQ(head.authority, "z.test:81");
  EXPECT_EQ(head.target, "/q?r");
  EXPECT_EQ(head.path, "/q");
  EXPECT_EQ(head.query, "r");
}

TEST_F(RequestHeadTest, GivesAnEmptyPathOfAbsoluteFormASlash) {
  EXPECT_EQ(Line("GET http://z.test HTTP/1.1").target, "/");
  EXPECT_EQ(Line("GET http://z.test?r=1 HTTP/1.1").target, "/?r=1");
  EXPECT_EQ(head_.path, "/");
  EXPECT_EQ(head_.query, "r=1");
}

TEST_F(RequestHeadTest, ReadsOptionsWithoutPathAsAsterisk) {
  EXPECT_EQ(Line("OPTIONS http://z.test HTTP/1.1").target, "*");
  EXPECT_EQ(head_.path, "*");
  EXPECT_EQ(Line("OPTIONS http://z.test/ HTTP/1.1").target, "/");
  EXPECT_EQ(Line("OPTIONS * HTTP/1.1").path, "*");
}

TEST_F(RequestHeadTest, TakesAuthorityOfAbsoluteFormInHttp10WithoutHost) {
  EXPECT_EQ(Parse("GET http://z.test/ HTTP/1.0\r\n\r\n").authority, "z.test");
}

TEST_F(RequestHeadTest, ReadsFraming) {
  EXPECT_EQ(WithFields("X: y").framing, Framing::kNone);
  EXPECT_EQ(WithFields("Content-Length: 42").framing, Framing::kLength);
  EXPECT_EQ(head_.content_length, 42U);
  EXPECT_EQ(WithFields("Content-Length: 9223372036854775807").content_length,
            9'223'372'036'854'775'807U);
  EXPECT_EQ(WithFields("Transfer-Encoding:\tChunked ").framing, Framing::kChunked);
  EXPECT_EQ(WithFields("Transfer-Encoding: identity").framing, Framing::kNone);
  EXPECT_EQ(WithFields10("Content-Length: 1").framing, Framing::kLength);
}

TEST_F(RequestHeadTest, KeepsHttp11ConnectionsUnlessAskedToClose) {
  EXPECT_TRUE(WithFields("X: y").keep_alive);
  EXPECT_TRUE(WithFields("Connection: keep-alive").keep_alive);
  EXPECT_FALSE(WithFields("Connection: close").keep_alive);
  EXPECT_FALSE(WithFields("Connection: X-Foo, Close").keep_alive);
  EXPECT_FALSE(WithFields("Connection: keep-alive\r\nConnection: ,close,").keep_alive);
  EXPECT_TRUE(WithFields("Connection: closed").keep_alive);
}

TEST_F(RequestHeadTest, ClosesHttp10ConnectionsUnlessAskedToKeep) {
  EXPECT_FALSE(WithFields10("X: y").keep_alive);
  EXPECT_TRUE(WithFields10("Connection: Keep-Alive").keep_alive);
  EXPECT_FALSE(WithFields10("Connection: keep-alive, close").keep_alive);
}

TEST_F(RequestHeadTest, ReadsExpectations) {
  EXPECT_FALSE(WithFields("X: y").expect_continue);
  EXPECT_TRUE(WithFields("Expect: 100-Continue").expect_continue);
  EXPECT_FALSE(head_.expect_unknown);
  EXPECT_TRUE(WithFields("Expect: 200-ok").expect_unknown);
  EXPECT_FALSE(head_.expect_continue);
  EXPECT_TRUE(WithFields("Expect: 200-ok\r\nExpect: 100-continue").expect_unknown);
}

TEST_F(RequestHeadTest, IgnoresContinueInHttp10) {
  EXPECT_FALSE(WithFields10("Expect: 100-continue").expect_continue);
  EXPECT_FALSE(head_.expect_unknown);
}

TEST_F(RequestHeadTest, SeesWhetherTrailersAreAccepted) {
  EXPECT_FALSE(WithFields("X: y").accepts_trailers);
  EXPECT_TRUE(WithFields("TE: trailers").accepts_trailers);
  EXPECT_TRUE(WithFields("TE: gzip;q=0.5, Trailers").accepts_trailers);
  EXPECT_FALSE(WithFields("TE: gzip").accepts_trailers);
}

TEST_F(RequestHeadTest, SeesWebSocketUpgrades) {
  EXPECT_TRUE(WithFields("Connection: Upgrade\r\nUpgrade: WebSocket").upgrade_websocket);
  EXPECT_TRUE(
      WithFields("Upgrade: websocket\r\nConnection: keep-alive, upgrade").upgrade_websocket);
  EXPECT_TRUE(WithFields("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0")
                  .upgrade_websocket);
  EXPECT_TRUE(WithFields("Connection: upgrade\r\nUpgrade: h2c, websocket").upgrade_websocket);
}

TEST_F(RequestHeadTest, SeesNoUpgradeWhereTheContractHasNone) {
  EXPECT_FALSE(WithFields("Upgrade: websocket").upgrade_websocket);
  EXPECT_FALSE(WithFields("Connection: upgrade").upgrade_websocket);
  EXPECT_FALSE(WithFields("Connection: upgrade\r\nUpgrade: h2c").upgrade_websocket);
  EXPECT_FALSE(WithFields("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1")
                   .upgrade_websocket);
  EXPECT_FALSE(WithFields("Connection: upgrade\r\nUpgrade: websocket\r\n"
                          "Transfer-Encoding: chunked")
                   .upgrade_websocket);
  EXPECT_FALSE(WithFields10("Connection: upgrade\r\nUpgrade: websocket").upgrade_websocket);
  EXPECT_FALSE(Parse("POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                     "Upgrade: websocket\r\n\r\n")
                   .upgrade_websocket);
}

TEST_F(RequestHeadTest, ReusesTheRoomOfFields) {
  WithFields("A: 1\r\nB: 2\r\nC: 3");
  const Field* const place = head_.fields.data();

  Line("GET / HTTP/1.1");

  EXPECT_EQ(head_.fields.data(), place);
}

/// The answer looks at Accept.
TEST_F(RequestHeadTest, RefusesMethodsOnceTheFieldsAreThere) {
  const std::string head = "CONNECT a.test:443 HTTP/1.1\r\nAccept: x/y\r\n\r\n";
  RequestParser parser(limits_);
  EXPECT_EQ(parser.Parse(head.substr(0, head.size() - 1), head_), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.Parse(head, head_), ParseStatus::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kMethodNotAllowed);
  EXPECT_EQ(head_.head_bytes, head.size());
  ASSERT_EQ(head_.fields.size(), 1);
  EXPECT_EQ(head_.fields[0].value, "x/y");
}

/// Beginnings of a head that are not complete but already certain to be refused.
TEST_F(RequestHeadTest, RefusesAsEarlyAsItIsCertain) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a.test\r\n";
  const struct {
    std::string bytes;
    Refusal refusal;
  } rows[] = {
      {"GET /\x01", Refusal::kMalformed},
      {"GET / HTTQ", Refusal::kMalformed},
      {"GET / HTTP/2.0", Refusal::kUnsupportedVersion},
      {"GET / HTTP/1.1\n", Refusal::kMalformed},
      {"GET a.test HTTP/1.1\r\n", Refusal::kMalformed},
      {"GET /" + std::string(16'384, 't'), Refusal::kUriTooLong},
      {std::string(33, 'M'), Refusal::kMalformed},
      {start + " ", Refusal::kMalformed},
      {start + "X ", Refusal::kMalformed},
      {start + "X: y\n", Refusal::kMalformed},
      {start + "X: y\x7f", Refusal::kMalformed},
      {start + std::string(65'536 - start.size(), 'x'), Refusal::kHeaderTooLarge},
  };
  for (const auto& row : rows) {
    for (std::size_t first = 0; first < row.bytes.size(); first += 1 + row.bytes.size() / 100) {
      RequestParser parser(limits_);
      EXPECT_EQ(parser.Parse(row.bytes.substr(0, first), head_), ParseStatus::kNeedMore);
      EXPECT_EQ(parser.Parse(row.bytes, head_), ParseStatus::kRefused) << row.bytes.substr(0, 99);
      EXPECT_EQ(parser.refusal(), row.refusal) << row.bytes.substr(0, 99);
    }
  }
}

TEST_F(RequestHeadTest, RefusesThe257thFieldWithItsFirstByte) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: a.test\r\n";
  for (int i = 0; i < 255; ++i) {
    bytes += "X: y\r\n";
  }

  EXPECT_EQ(parser_.Parse(bytes, head_), ParseStatus::kNeedMore);
  EXPECT_EQ(parser_.Parse(bytes + "X", head_), ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), Refusal::kHeaderTooLarge);
}

TEST_F(RequestHeadTest, StaysRefused) {
  EXPECT_EQ(parser_.Parse("\n", head_), ParseStatus::kRefused);
  EXPECT_EQ(parser_.Parse("GET / HTTP/1.0\r\n\r\n", head_), ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), Refusal::kMalformed);
}

/// The result of a parse that gets its input in the pieces that end at `cuts`.
std::string ParseInPieces(std::string_view bytes, std::vector<std::size_t> cuts) {
  const Limits limits;
  RequestParser parser(limits);
  cuts.push_back(bytes.size());
  for (const std::size_t cut : cuts) {
    const std::string received(bytes.substr(0, cut));  // A new place for each piece.
    RequestHead head;                                  // And another head.
    const ParseStatus status = parser.Parse(received, head);
    if (status != ParseStatus::kNeedMore || cut == bytes.size()) {
      return testing::DescribeEnd(status, parser, head);
    }
  }
  return {};
}

TEST(RequestSplitTest, GivesTheSameResultForEveryTwoCuts) {
  const std::string requests[] = {
      "\r\nPUT http://b.test?q=1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 7\r\n"
      "Connection: close\r\nTE: trailers\r\nExpect: 100-continue\r\n\r\ncontent",
      "GET / HTTP/1.1\r\nHost: a.test\r\nCookie: a=b; c=d\r\nX-Forwarded-For: \t1.1.1.1 \r\n"
      "Upgrade: websocket\r\nConnection: upgrade\r\n\r\nGET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nHost: a.test\r\nX: y\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1, 1\r\n\r\n",
  };
  for (const std::string& request : requests) {
    const std::string whole = ParseInPieces(request, {});
    EXPECT_TRUE(whole.starts_with("done") || whole.starts_with("refused"));
    for (std::size_t first = 0; first <= request.size(); ++first) {
      for (std::size_t second = first; second <= request.size(); ++second) {
        ASSERT_EQ(ParseInPieces(request, {first, second}), whole) << first << " " << second;
      }
    }
  }
}

TEST(RequestSplitTest, GivesTheSameResultForEveryCutNearTheLimits) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a.test\r\nX: ";
  const std::string request = start + std::string(65'537 - start.size() - 4, 'y') + "\r\n\r\n";

  for (std::size_t cut = request.size() - 8; cut <= request.size(); ++cut) {
    EXPECT_EQ(ParseInPieces(request, {100, cut}), "refused 3") << cut;
  }
}

}  // namespace
}  // namespace elb::http::h1
