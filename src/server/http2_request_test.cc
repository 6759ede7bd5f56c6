// What handlers see of HTTP/2 requests, and which requests they never see (data-plane.md 4.4).

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/testing/http2_rig.h"

namespace elb::server {
namespace {

using std::chrono::milliseconds;
using testing::AnswerWith;
using testing::FieldPairs;
using testing::Get;
using testing::Post;
using testing::Step;

class Http2RequestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rig_.handler.On("/show", [this](ServerStream& stream) {
      Show(stream.request());
      AnswerWith(stream, "ok");
      return Step::kDone;
    });
    rig_.Start();
  }
  void Show(const http::RequestHead& head) {
    shown_ = std::string(head.method_text) + " " + std::string(head.path) + " ? " +
             std::string(head.query) + " @ " + std::string(head.authority) + "\n";
    for (const http::Field& field : head.fields) {
      shown_ += std::string(field.name) + ": " + std::string(field.value) + "\n";
    }
    framing_ = head.framing;
    accepts_trailers_ = head.accepts_trailers;
  }
  std::int32_t Ask(const FieldPairs& fields) {
    const std::int32_t id = rig_.client.Request(fields);
    rig_.Exchange();
    return id;
  }

  testing::Http2Rig rig_;
  std::string shown_;
  http::Framing framing_ = http::Framing::kNone;
  bool accepts_trailers_ = false;
};

TEST_F(Http2RequestTest, ShowsMethodTargetAuthorityAndFields) {
  Ask(Get("/show?a=b&c", {{"x-a", "1"}, {"te", "trailers"}}));

  EXPECT_EQ(shown_, "GET /show ? a=b&c @ a\nx-a: 1\nte: trailers\n");
  EXPECT_EQ(framing_, http::Framing::kNone);
  EXPECT_TRUE(accepts_trailers_);
}

TEST_F(Http2RequestTest, JoinsCookieCrumbs) {
  Ask(Get("/show", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}}));

  EXPECT_EQ(shown_, "GET /show ?  @ a\nx: y\ncookie: a=1; b=2; c=3\n");
}

TEST_F(Http2RequestTest, TakesHostWithoutAuthority) {
  Ask({{":method", "GET"}, {":scheme", "https"}, {":path", "/show"}, {"host", "b:1"}});

  EXPECT_EQ(shown_, "GET /show ?  @ b:1\n");
}

TEST_F(Http2RequestTest, TakesHostThatEqualsAuthorityWithoutRegardToCase) {
  Ask(Get("/show", {{"host", "A"}}));

  EXPECT_EQ(shown_, "GET /show ?  @ a\n");
}

TEST_F(Http2RequestTest, TakesFieldsThatNeedAnotherFrame) {
  Ask(Get("/show", {{"x", std::string(30'000, 'v')}}));

  EXPECT_EQ(shown_, "GET /show ?  @ a\nx: " + std::string(30'000, 'v') + "\n");
}

TEST_F(Http2RequestTest, KnowsTheFramingOfContent) {
  const std::int32_t with_length = rig_.client.Open(Post("/show", {{"content-length", "3"}}));
  rig_.Exchange();
  EXPECT_EQ(framing_, http::Framing::kLength);
  rig_.client.Content(with_length, "abc", true);

  rig_.client.Open(Post("/show"));
  rig_.Exchange();
  EXPECT_EQ(framing_, http::Framing::kUntilEnd);
}

TEST_F(Http2RequestTest, GivesContentAndTrailers) {
  const std::int32_t id = rig_.client.Open(Post());
  rig_.client.Content(id, "abc", false);
  rig_.Exchange();
  rig_.client.Content(id, "def", false);
  rig_.Exchange();
  rig_.client.Trailers(id, {{"x-sum", "7"}, {"vary", "x"}, {"x_forwarded_for", "1"}});
  rig_.Exchange();

  EXPECT_EQ(rig_.client[id].content, "<abcdef>");
  EXPECT_EQ(rig_.handler.trailers, std::vector<std::string>{"x-sum: 7"});
}

TEST_F(Http2RequestTest, RefusesTrailersThatAreTooLarge) {
  const std::int32_t id = rig_.client.Open(Post());
  rig_.client.Trailers(id, {{"x", std::string(16'400, 'v')}});
  rig_.Exchange();

  EXPECT_EQ(rig_.client[id].content, "bad_framing");
  EXPECT_TRUE(rig_.client[id].Has(":status: 400\n"));
}

TEST_F(Http2RequestTest, LeavesConnectAndTraceToTheHandler) {
  Ask({{":method", "CONNECT"}, {":authority", "a:1"}});
  EXPECT_EQ(rig_.handler.served, std::vector<std::string>{"CONNECT a:1"});

  FieldPairs trace = Get();
  trace[0].second = "TRACE";
  Ask(trace);
  EXPECT_EQ(rig_.handler.served.back(), "TRACE /");
}

TEST_F(Http2RequestTest, TakesAsteriskForOptions) {
  FieldPairs options = Get("*");
  options[0].second = "OPTIONS";

  Ask(options);

  EXPECT_EQ(rig_.handler.served, std::vector<std::string>{"OPTIONS *"});
}

TEST_F(Http2RequestTest, ResetsAStreamWhoseContentIsLongerThanDeclared) {
  const std::int32_t id = rig_.client.Open(Post("/", {{"content-length", "3"}}));
  rig_.client.Content(id, "abcd", false);
  rig_.Exchange();

  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_PROTOCOL_ERROR});
  ASSERT_EQ(rig_.handler.body_ends.size(), 1);
  EXPECT_EQ(rig_.handler.body_ends[0].kind, BodyRead::Kind::kGone);
}

TEST_F(Http2RequestTest, ResetsAStreamWhoseContentIsShorterThanDeclared) {
  const std::int32_t id = rig_.client.Open(Post("/", {{"content-length", "3"}}));
  rig_.client.Content(id, "ab", true);
  rig_.Exchange();

  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_PROTOCOL_ERROR});
  EXPECT_EQ(rig_.handler.body_ends[0].kind, BodyRead::Kind::kGone);
}

TEST_F(Http2RequestTest, SaysTooLargeByLengthBeforeAnyContent) {
  rig_.policy.body_bytes_max = 10;
  const std::int32_t id = rig_.client.Open(Post("/", {{"content-length", "11"}}));
  rig_.Exchange();

  EXPECT_TRUE(rig_.client[id].Has(":status: 413\n"));
  EXPECT_EQ(rig_.client[id].content, "body_too_large");
  EXPECT_EQ(rig_.client[id].resets, std::vector<std::uint32_t>{NGHTTP2_NO_ERROR});
}

TEST_F(Http2RequestTest, SaysTooLargeByCount) {
  rig_.policy.body_bytes_max = 10;
  const std::int32_t id = rig_.client.Open(Post());
  rig_.client.Content(id, "01234567890", true);
  rig_.Exchange();

  EXPECT_TRUE(rig_.client[id].Has(":status: 413\n"));
}

/// What a session answers to trailers of these fields in a frame with these flags.
std::string AnswerToTrailers(std::uint8_t flags, const FieldPairs& fields) {
  testing::Http2Rig rig;
  rig.Listen();
  rig.Send(std::string(testing::kPreface) + testing::Frame(NGHTTP2_SETTINGS, 0, 0, {}) +
           testing::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, testing::Literals(Post())) +
           testing::Frame(NGHTTP2_HEADERS, flags, 1, testing::Literals(fields)));
  return rig.Received();
}

TEST(Http2TrailersTest, ResetTheirStreamWhenTheyDoNotEndIt) {
  const std::string reset = testing::Frame(NGHTTP2_RST_STREAM, 0, 1, {"\0\0\0\1", 4});

  EXPECT_TRUE(AnswerToTrailers(4, {{"x", "y"}}).ends_with(reset));
}

TEST(Http2TrailersTest, ResetTheirStreamWhenTheyHoldAPseudoField) {
  const std::string reset = testing::Frame(NGHTTP2_RST_STREAM, 0, 1, {"\0\0\0\1", 4});

  EXPECT_TRUE(AnswerToTrailers(5, {{":path", "/"}}).ends_with(reset));
}

struct AnsweredCase {
  const char* name;
  FieldPairs fields;
  const char* refused;
};

class Http2AnsweredTest : public ::testing::TestWithParam<AnsweredCase> {};

TEST_P(Http2AnsweredTest, GetsAStatusOnItsStreamAlone) {
  testing::Http2Rig rig;
  rig.Start();

  const std::int32_t id = rig.client.Request(GetParam().fields);
  const std::int32_t good = rig.client.Request(Get());
  rig.Exchange();

  EXPECT_EQ(rig.handler.refused, std::vector<std::string>{GetParam().refused});
  const std::string status(GetParam().refused, 3);
  EXPECT_TRUE(rig.client[id].Has(":status: " + status + "\n")) << rig.client[id].head;
  EXPECT_TRUE(rig.client[id].Has("server: elb\n"));
  EXPECT_EQ(rig.client[id].closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(rig.client[good].content, "<>");
  EXPECT_EQ(rig.handler.served, std::vector<std::string>{"GET /"});
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Http2AnsweredTest,
    ::testing::Values(
        AnsweredCase{"HostDiffers", Get("/", {{"host", "b"}}), "400 malformed_request"},
        AnsweredCase{
            "BadAuthority",
            {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "u@a"}},
            "400 malformed_request"},
        AnsweredCase{"NoAuthority",
                     {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}},
                     "400 malformed_request"},
        AnsweredCase{"NulInPath", Get("/%00"), "400 malformed_request"},
        AnsweredCase{"FragmentInPath", Get("/#a"), "400 malformed_request"},
        AnsweredCase{"LongMethod",
                     {{":method", std::string(33, 'M')},
                      {":scheme", "https"},
                      {":path", "/"},
                      {":authority", "a"}},
                     "400 malformed_request"},
        AnsweredCase{"LongTarget", Get("/" + std::string(16'384, 'x')), "414 uri_too_long"},
        AnsweredCase{"LargeHead",
                     Get("/", {{"x", std::string(40'000, 'v')}, {"y", std::string(30'000, 'v')}}),
                     "400 header_too_large"},
        AnsweredCase{"ManyFields", Get("/", FieldPairs(257, {"x", "y"})), "400 header_too_large"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Http2RequestTest, RefusesInTheFormThatTheRequestPrefers) {
  const std::int32_t id = Ask(Get("/%00", {{"accept", "application/json"}}));

  EXPECT_EQ(rig_.client[id].content, R"({"status":400,"error":"malformed_request"})");
}

struct MalformedCase {
  const char* name;
  FieldPairs fields;
};

class Http2MalformedTest : public ::testing::TestWithParam<MalformedCase> {};

FieldPairs With(std::string name, std::string value) {
  return Get("/", {{std::move(name), std::move(value)}});
}

/// The rest of the connection is unharmed, the stream is forgotten, and the deadline of the header
/// block does not outlive it.
TEST_P(Http2MalformedTest, ResetsItsStreamAlone) {
  testing::Http2Rig rig;
  net::Signal* waiting = nullptr;
  bool ready = false;
  rig.handler.On("/slow", [&](ServerStream& stream) {
    waiting = &stream.signal();
    if (!ready) {
      return Step::kWait;
    }
    AnswerWith(stream, "slow");
    return Step::kDone;
  });
  rig.Listen();
  const std::string end_both = testing::Literals(GetParam().fields);
  rig.Send(std::string(testing::kPreface) + testing::Frame(NGHTTP2_SETTINGS, 0, 0, {}) +
           testing::Frame(NGHTTP2_HEADERS, 5, 1, testing::Literals(Get("/slow"))) +
           testing::Frame(NGHTTP2_HEADERS, 5, 3, end_both));

  EXPECT_TRUE(rig.Received().ends_with(testing::Frame(NGHTTP2_RST_STREAM, 0, 3, {"\0\0\0\1", 4})));
  EXPECT_EQ(rig.handler.served, std::vector<std::string>{"GET /slow"});
  rig.Advance(milliseconds{2500});
  EXPECT_EQ(rig.Received(), "");

  ready = true;
  waiting->Notify();
  rig.Settle();
  EXPECT_TRUE(rig.Received().ends_with(testing::Frame(NGHTTP2_DATA, 1, 1, "slow")));
  rig.Advance(milliseconds{3100});
  EXPECT_TRUE(
      rig.Received().ends_with(testing::Frame(NGHTTP2_GOAWAY, 0, 0, {"\0\0\0\3\0\0\0\0", 8})));
  EXPECT_EQ(rig.orderly, true);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Http2MalformedTest,
    ::testing::Values(
        MalformedCase{"UpperCaseName", With("X-A", "1")},
        MalformedCase{"CrLfInValue", With("foo", "a\r\nX: b")},
        MalformedCase{"NulInValue", With("foo", std::string("a\0b", 3))},
        MalformedCase{"LeadingSpace", With("foo", " a")},
        MalformedCase{"TrailingSpace", With("foo", "a ")},
        MalformedCase{"Connection", With("connection", "close")},
        MalformedCase{"KeepAlive", With("keep-alive", "1")},
        MalformedCase{"ProxyConnection", With("proxy-connection", "close")},
        MalformedCase{"TransferEncoding", With("transfer-encoding", "chunked")},
        MalformedCase{"Upgrade", With("upgrade", "h2c")}, MalformedCase{"Te", With("te", "gzip")},
        MalformedCase{"EmptyName", With("", "a")}, MalformedCase{"SpaceInName", With("a b", "a")},
        MalformedCase{"NoMethod", {{":scheme", "https"}, {":path", "/"}, {":authority", "a"}}},
        MalformedCase{"NoScheme", {{":method", "GET"}, {":path", "/"}, {":authority", "a"}}},
        MalformedCase{"NoPath", {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}}},
        MalformedCase{"DuplicateMethod", With(":method", "GET")},
        MalformedCase{"LatePseudoField",
                      {{":method", "GET"},
                       {":scheme", "https"},
                       {":path", "/"},
                       {"x", "y"},
                       {":authority", "a"}}},
        MalformedCase{"UnknownPseudoField",
                      {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":x", "y"}}},
        MalformedCase{"StatusPseudoField", With(":status", "200")},
        MalformedCase{"ProtocolPseudoField",
                      {{":method", "CONNECT"},
                       {":protocol", "websocket"},
                       {":scheme", "https"},
                       {":path", "/"},
                       {":authority", "a"}}},
        MalformedCase{"NoAuthorityForConnect", {{":method", "CONNECT"}}},
        MalformedCase{"SchemeForConnect",
                      {{":method", "CONNECT"}, {":scheme", "https"}, {":authority", "a"}}},
        MalformedCase{"BadScheme",
                      {{":method", "GET"}, {":scheme", "1s"}, {":path", "/"}, {":authority", "a"}}},
        MalformedCase{"EmptyMethod",
                      {{":method", ""}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}}},
        MalformedCase{"EmptyPath", Get("")}, MalformedCase{"RelativePath", Get("a")},
        MalformedCase{"AsteriskForGet", Get("*")},
        MalformedCase{"DuplicateHost", Get("/", {{"host", "a"}, {"host", "a"}})},
        MalformedCase{"DuplicateLength",
                      Get("/", {{"content-length", "0"}, {"content-length", "0"}})},
        MalformedCase{"BadLength", With("content-length", "x")},
        MalformedCase{"LengthWithoutContent", With("content-length", "1")}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace elb::server
