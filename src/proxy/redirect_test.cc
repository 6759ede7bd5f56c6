#include "proxy/redirect.h"

#include <gtest/gtest.h>

#include <string>

#include "http/h1/parser.h"

namespace elb::proxy {
namespace {

using contract::L7PolicyConfig;

/// Parses requests and redirects them, on an HTTP listener at port 8080.
class RedirectTest : public testing::Test {
 protected:
  RedirectTest() {
    listener_.port = 8080;
    policy_ = {.action = contract::PolicyAction::kToUrl,
               .url_protocol = "${protocol}",
               .url_host = "${host}",
               .url_port = "${port}",
               .url_path = "${path}",
               .url_query = "${query}"};
  }

  static std::string Get(const std::string& target, const std::string& host) {
    return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  }
  void Parse(const std::string& request) {
    text_ = request;
    parser_.Reset();
    ASSERT_EQ(parser_.Parse(text_, head_), http::h1::ParseStatus::kDone) << text_;
  }
  std::string ToListener(const std::string& request, std::uint16_t port = 443) {
    Parse(request);
    std::string location;
    made_ = AppendListenerLocation({.head = &head_, .listener = &listener_, .local = vip_}, port,
                                   location);
    return location;
  }
  std::string ToUrl(const std::string& request) {
    Parse(request);
    std::string location;
    made_ = UrlTemplate(policy_).AppendLocation(
        {.head = &head_, .listener = &listener_, .local = vip_, .tls = tls_}, location);
    return location;
  }

  contract::ListenerConfig listener_;
  L7PolicyConfig policy_;
  IpAddress vip_ = *IpAddress::Parse("127.20.0.5");
  bool tls_ = false;
  LocationMade made_ = LocationMade::kYes;
  http::h1::Limits limits_;
  http::h1::RequestParser parser_{limits_};
  http::RequestHead head_;
  std::string text_;
};

TEST_F(RedirectTest, T10_7_KeepsHostAndTargetForTheListener) {
  EXPECT_EQ(ToListener(Get("/p?q=1", "a.com:80")), "https://a.com/p?q=1");
}

TEST_F(RedirectTest, T10_7_NamesAPortOtherThan443) {
  EXPECT_EQ(ToListener(Get("/p?q=1", "a.com:80"), 8443), "https://a.com:8443/p?q=1");
}

TEST_F(RedirectTest, KeepsTheTargetAsItWasReceived) {
  EXPECT_EQ(ToListener(Get("/x/../%61?", "a.com")), "https://a.com/x/../%61?");
}

TEST_F(RedirectTest, KeepsTheBracketsOfAnAddress) {
  EXPECT_EQ(ToListener(Get("/", "[2001:db8::1]:80"), 8443), "https://[2001:db8::1]:8443/");
  EXPECT_EQ(ToListener(Get("/", "[2001:db8::1]")), "https://[2001:db8::1]/");
}

TEST_F(RedirectTest, RedirectsRequestsWithoutHostToItsAddress) {
  EXPECT_EQ(ToListener("GET /a HTTP/1.0\r\n\r\n"), "https://127.20.0.5/a");
  listener_.load_balancer.eip = IpAddress::Parse("203.0.113.9");
  EXPECT_EQ(ToListener("GET /a HTTP/1.0\r\n\r\n"), "https://203.0.113.9/a");
  EXPECT_EQ(ToUrl("GET /a HTTP/1.0\r\n\r\n"), "http://203.0.113.9:8080/a");
  listener_.load_balancer.eip.reset();
  vip_ = *IpAddress::Parse("fd00::5");
  EXPECT_EQ(ToUrl("GET /a HTTP/1.0\r\n\r\n"), "http://[fd00::5]:8080/a");
}

TEST_F(RedirectTest, LeavesTheAsteriskOut) {
  EXPECT_EQ(ToListener("OPTIONS * HTTP/1.1\r\nHost: a.com\r\n\r\n"), "https://a.com");
}

TEST_F(RedirectTest, T10_8_MixesTextAndVariables) {
  policy_.url_host = "www.b.com";
  policy_.url_path = "/new";
  policy_.url_query = "${query}&x=1";

  EXPECT_EQ(ToUrl(Get("/old", "a.com:8080")), "http://www.b.com:8080/new?x=1");
  EXPECT_EQ(ToUrl(Get("/old?a=b", "a.com:8080")), "http://www.b.com:8080/new?a=b&x=1");
}

TEST_F(RedirectTest, TakesThePortOfTheListenerWhenHostHasNone) {
  policy_.url_path = "/new";

  EXPECT_EQ(ToUrl(Get("/old", "a.com")), "http://a.com:8080/new");
}

TEST_F(RedirectTest, LeavesOutTheDefaultPortOfTheNewScheme) {
  EXPECT_EQ(ToUrl(Get("/", "a.com:80")), "http://a.com/");
  policy_.url_protocol = "HTTPS";
  policy_.url_port = "443";
  EXPECT_EQ(ToUrl(Get("/", "a.com:80")), "https://a.com/");
}

TEST_F(RedirectTest, KeepsThePortWhenTheSchemeChanges) {
  policy_.url_protocol = "HTTPS";

  EXPECT_EQ(ToUrl(Get("/", "a.com:80")), "https://a.com:80/");
}

TEST_F(RedirectTest, KnowsWhenTheClientUsesTls) {
  tls_ = true;

  EXPECT_EQ(ToUrl(Get("/a", "a.com:443")), "https://a.com/a");
}

TEST_F(RedirectTest, EmbedsVariablesInHostPathAndQuery) {
  policy_.url_host = "m.${host}";
  policy_.url_path = "/v2${path}/x";
  policy_.url_query = "from=${query}";

  EXPECT_EQ(ToUrl(Get("/a?b=c", "a.com:80")), "http://m.a.com/v2/a/x?from=b=c");
}

TEST_F(RedirectTest, NeverLetsAPathBecomePartOfTheHost) {
  policy_.url_path = ".evil.com${path}";

  EXPECT_EQ(ToUrl(Get("/a", "a.com:80")), "http://a.com/.evil.com/a");
}

TEST_F(RedirectTest, OmitsAnEmptyQuery) {
  EXPECT_EQ(ToUrl(Get("/a", "a.com:80")), "http://a.com/a");
  EXPECT_EQ(ToUrl(Get("/a?", "a.com:80")), "http://a.com/a");
  policy_.url_query = "";
  EXPECT_EQ(ToUrl(Get("/a?b", "a.com:80")), "http://a.com/a");
}

TEST_F(RedirectTest, KeepsAnAmpersandThatTheRequestBrought) {
  policy_.url_query = "${query}&x=1";

  EXPECT_EQ(ToUrl(Get("/?&a", "a.com:80")), "http://a.com/?&a&x=1");
}

TEST_F(RedirectTest, LeavesUnknownVariablesAlone) {
  policy_.url_path = "/${path/$1";

  EXPECT_EQ(ToUrl(Get("/a", "a.com:80")), "http://a.com/${path/$1");
}

TEST_F(RedirectTest, MakesNoLocationBeyondItsLimit) {
  policy_.url_path = "${path}${path}${path}";

  static_cast<void>(ToUrl(Get("/" + std::string(12 * 1024, 'a'), "a.com")));

  EXPECT_EQ(made_, LocationMade::kTooLong);
}

}  // namespace
}  // namespace elb::proxy
