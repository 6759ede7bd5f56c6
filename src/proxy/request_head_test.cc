#include "proxy/request_head.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "http/h1/parser.h"
#include "net/testing/memory_stream.h"

namespace elb::proxy {
namespace {

using contract::ForwardedForMode;

/// Parses a request and writes what a member would see, for a client 192.0.2.7:4711.
class RequestHeadTest : public testing::Test {
 protected:
  std::string Relay(const std::string& request) {
    const http::h1::Limits limits;
    http::h1::RequestParser parser(limits);
    http::RequestHead head;
    EXPECT_EQ(parser.Parse(request, head), http::h1::ParseStatus::kDone) << request;
    net::testing::MemoryEnd end;
    end.peer = {.address = *IpAddress::Parse("198.51.100.1"), .port = 1};
    end.local = {.address = *IpAddress::Parse("127.20.0.5"), .port = 8080};
    net::testing::MemoryStream stream(end);
    const server::ConnectionFacts connection{
        .client = {.address = *IpAddress::Parse("192.0.2.7"), .port = 4711},
        .tls = nullptr,
        .stream = &stream};
    std::array<char, 4096> space{};
    http::h1::HeadWriter writer(space);
    WriteRequestHead({.request = &head,
                      .listener = &listener_,
                      .connection = &connection,
                      .client = &client_,
                      .request_id = request_id_,
                      .framing = ChooseUpstreamFraming(head),
                      .hidden_cookies = hidden_cookies_,
                      .upgrade = head.upgrade_websocket},
                     writer);
    return std::string(writer.text());
  }

  contract::ListenerConfig listener_{.port = 8080};
  IpAddress client_ = *IpAddress::Parse("192.0.2.7");
  std::string request_id_;
  std::vector<std::string_view> hidden_cookies_;
};

TEST_F(RequestHeadTest, RelaysOrderAndSpellingAndAddsItsOwn) {
  EXPECT_EQ(Relay("GET /a?b HTTP/1.1\r\nhOsT: a.test:81\r\nX-One: 1\r\naccept: */*\r\n\r\n"),
            "GET /a?b HTTP/1.1\r\nHost: a.test:81\r\nX-One: 1\r\naccept: */*\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: a.test:81\r\n\r\n");
}

TEST_F(RequestHeadTest, T4_2_TakesTheAuthorityOfAnAbsoluteTarget) {
  EXPECT_EQ(Relay("GET http://zzz/q HTTP/1.1\r\nHost: a\r\n\r\n"),
            "GET /q HTTP/1.1\r\nHost: zzz\r\nX-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-Host: zzz\r\n\r\n");
}

TEST_F(RequestHeadTest, SaysLengthZeroForHttp2RequestsWhoseMethodExpectsContent) {
  using http::Method;
  http::RequestHead head;
  head.version = http::Version::kHttp2;
  for (const Method method : {Method::kPost, Method::kPut, Method::kPatch, Method::kOther}) {
    head.method = method;
    EXPECT_EQ(ChooseUpstreamFraming(head), UpstreamFraming::kLength);
  }
  for (const Method method : {Method::kGet, Method::kHead, Method::kOptions, Method::kDelete}) {
    head.method = method;
    EXPECT_EQ(ChooseUpstreamFraming(head), UpstreamFraming::kNone);
  }
}

TEST_F(RequestHeadTest, LeavesHttp1RequestsWithoutContentAsTheyAre) {
  http::RequestHead head;
  head.method = http::Method::kPost;
  EXPECT_EQ(ChooseUpstreamFraming(head), UpstreamFraming::kNone);
}

TEST_F(RequestHeadTest, T4_5_JoinsForwardedForFieldsInOrder) {
  listener_.insert_headers.host = false;
  const std::string request =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2, "
      "3.3.3.3\r\n\r\n";

  EXPECT_EQ(Relay(request),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, "
            "192.0.2.7\r\n\r\n");
  listener_.insert_headers.forwarded_for = ForwardedForMode::kPreserve;
  EXPECT_EQ(Relay(request), request);
  listener_.insert_headers.forwarded_for = ForwardedForMode::kRemove;
  EXPECT_EQ(Relay(request), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(RequestHeadTest, T4_7_DropsWhatConnectionNominatesButNotWhatMatters) {
  const std::string relayed = Relay(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Forwarded-For, Cookie, X-Foo\r\n"
      "X-Foo: 1\r\nCookie: c=1\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n");

  EXPECT_EQ(relayed.find("X-Foo"), std::string::npos);
  EXPECT_NE(relayed.find("Cookie: c=1\r\n"), std::string::npos);
  EXPECT_NE(relayed.find("X-Forwarded-For: 9.9.9.9, 192.0.2.7\r\n"), std::string::npos);
}

TEST_F(RequestHeadTest, T7_6_HidesCookiesAndLeavesTheOthersAsTheyAre) {
  hidden_cookies_ = {"LA", "LB"};

  const std::string relayed = Relay(
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: LB=1\r\nCookie: a=1;  b; LA=2; LB=2; LBX=3\r\n\r\n");

  EXPECT_TRUE(
      relayed.starts_with("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1;  b; LBX=3\r\nX-Forwarded-For"))
      << relayed;
}

TEST_F(RequestHeadTest, DropsHopByHopAndDisguisedAndTlsNames) {
  EXPECT_EQ(Relay("POST / HTTP/1.1\r\nHost: a\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy: "
                  "evil\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nTE: trailers\r\n"
                  "X_Forwarded_For: 6.6.6.6\r\nContent_Length: 9\r\n"
                  "x-forwarded-clientcert-subjectdn: admin\r\nkeep_me: 1\r\n"
                  "Content-Length: 3\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: a\r\nkeep_me: 1\r\nX-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-Host: a\r\nConnection: TE\r\nTE: trailers\r\nContent-Length: 3\r\n\r\n");
}

TEST_F(RequestHeadTest, SetsEachToggledFieldExactlyOnce) {
  listener_.insert_headers.elb_ip = listener_.insert_headers.port =
      listener_.insert_headers.for_port = listener_.insert_headers.proto =
          listener_.insert_headers.real_ip = listener_.insert_headers.elb_id = true;
  listener_.load_balancer.id = LoadBalancerId("lb-1");
  listener_.load_balancer.eip = IpAddress::Parse("198.51.100.7");

  EXPECT_EQ(Relay("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 1\r\nX-Forwarded-Port: 2\r\n"
                  "X-Forwarded-Proto: 3\r\nX-Forwarded-ELB-ID: 4\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-ELB-IP: 198.51.100.7\r\nX-Forwarded-Port: 8080\r\n"
            "X-Forwarded-For-Port: 4711\r\nX-Forwarded-Host: a\r\nX-Forwarded-Proto: http\r\n"
            "X-Real-IP: 192.0.2.7\r\nX-Forwarded-ELB-ID: lb-1\r\n\r\n");
}

TEST_F(RequestHeadTest, GivesAnHttp10RequestTheAddressAsHost) {
  EXPECT_EQ(Relay("GET / HTTP/1.0\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: 127.20.0.5\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
}

TEST_F(RequestHeadTest, RelaysAWebSocketUpgradeOnly) {
  const std::string relayed = Relay(
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, "
      "Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n");

  EXPECT_NE(relayed.find("Connection: upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(relayed.find("Sec-WebSocket-Key: k\r\n"), std::string::npos);
}

TEST(FilterResponseFieldsTest, KeepsEndToEndFieldsOnly) {
  const std::string response =
      "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
      "Upgrade: h2\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n";
  const http::h1::Limits limits;
  http::h1::ResponseParser parser(limits);
  http::ResponseHead head;
  ASSERT_EQ(parser.Parse(response, http::Method::kGet, head), http::h1::ParseStatus::kDone);
  http::FieldList fields;

  FilterResponseFields(head, fields);

  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].name, "Server");
  EXPECT_EQ(fields[1].value, "a=1");
  EXPECT_EQ(fields[2].value, "b=2");
}

}  // namespace
}  // namespace elb::proxy
