#include "proxy/routing.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/testing/routing_rig.h"

namespace elb::proxy {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of the tests.

std::string AskOne(L7RuleConfig rule, const std::string& target) {
  RoutingRig rig;
  rig.Add("Y", {std::move(rule)});
  return rig.Get(target);
}

std::string AskWithField(L7RuleConfig rule, const std::string& fields) {
  RoutingRig rig;
  rig.Add("Y", {std::move(rule)});
  return rig.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n");
}

TEST(RoutingTest, T10_1_MatchesPathsAsTheVendorsTableSays) {
  const std::string request = "/elb/index.html";

  EXPECT_EQ(AskOne(Exact("/elb/index.html"), request), "Y");
  EXPECT_EQ(AskOne(Exact("/elb"), request), "default");
  EXPECT_EQ(AskOne(Prefix("/elb"), request), "Y");
  EXPECT_EQ(AskOne(Prefix("/index.html"), request), "default");
  EXPECT_EQ(AskOne(Regex("/elb/index.html"), request), "Y");
  EXPECT_EQ(AskOne(Regex("/elb"), request), "default");
  EXPECT_EQ(AskOne(Regex(R"(/elb[^\s]*)"), request), "Y");
  EXPECT_EQ(AskOne(Regex("/index.html"), request), "default");
}

TEST(RoutingTest, AsksInTheOrderGivenAndEndsAtTheFirstMatch) {
  RoutingRig rig;
  rig.Add("other", {Exact("/other")});
  rig.Add("wide", {Regex(R"(/exa[^\s]*)")});
  rig.Add("narrow", {Exact("/exa/index.html")});

  EXPECT_EQ(rig.Get("/exa/index.html"), "wide");
  EXPECT_EQ(rig.decision.tried, 2U);
}

TEST(RoutingTest, T10_4_MatchesAnyOfSeveralMethods) {
  RoutingRig rig;
  rig.Add("A", {Method({"GET", "DELETE"})});
  rig.Add("B", {Method({"POST", "PUT"})});
  const auto ask = [&](const std::string& method) {
    return rig.Ask(method + " / HTTP/1.1\r\nHost: a\r\n\r\n");
  };

  EXPECT_EQ(ask("GET"), "A");
  EXPECT_EQ(ask("DELETE"), "A");
  EXPECT_EQ(ask("POST"), "B");
  EXPECT_EQ(ask("PUT"), "B");
  EXPECT_EQ(ask("PATCH"), "default");
  EXPECT_EQ(ask("HEAD"), "default");
}

TEST(RoutingTest, TakesNoUnknownMethodForAnother) {
  RoutingRig rig;
  rig.Add("Y", {Method({"PURGE"})});

  EXPECT_EQ(rig.Ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), "default");
}

TEST(RoutingTest, T10_5_MatchesHeadersWithWildcardsInAnyCase) {
  const auto rule = [] { return Header("Accept-Language", {"*en-us*"}); };

  EXPECT_EQ(AskWithField(rule(), "accept-language: en-US,en;q=0.9\r\n"), "Y");
  EXPECT_EQ(AskWithField(rule(), "Accept-Language: de\r\n"), "default");
  EXPECT_EQ(AskWithField(rule(), ""), "default");
  EXPECT_EQ(AskWithField(Header("X-Beta", {"y?s"}), "X-Beta: YES\r\n"), "Y");
  EXPECT_EQ(AskWithField(Header("X-Beta", {"y?s"}), "X-Beta: ys\r\n"), "default");
  EXPECT_EQ(AskWithField(Header("X-Beta", {"no", "YES"}), "x-beta: yes\r\n"), "Y");
}

TEST(RoutingTest, T10_5_MatchesAnyFieldLineAndAllOfThemJoined) {
  const std::string fields = "X-A: one\r\nX-B: other\r\nx-a: two\r\n";

  EXPECT_EQ(AskWithField(Header("X-A", {"two"}), fields), "Y");
  EXPECT_EQ(AskWithField(Header("X-A", {"one, two"}), fields), "Y");
  EXPECT_EQ(AskWithField(Header("X-A", {"two, one"}), fields), "default");
  EXPECT_EQ(AskWithField(Header("X-A", {"one, other, two"}), fields), "default");
}

TEST(RoutingTest, T10_5_MatchesQueryParametersInTheirCase) {
  const auto rule = [] { return Query("region", {"region01"}); };

  EXPECT_EQ(AskOne(rule(), "/?a=1&region=region01"), "Y");
  EXPECT_EQ(AskOne(rule(), "/?a=1&Region=region01"), "default");
  EXPECT_EQ(AskOne(rule(), "/?region=Region01"), "default");
  EXPECT_EQ(AskOne(rule(), "/?region=x&region=region01"), "Y");
  EXPECT_EQ(AskOne(rule(), "/?re%67ion=region%301"), "Y");
  EXPECT_EQ(AskOne(Query("q", {"a b"}), "/?q=a+b"), "Y");
  EXPECT_EQ(AskOne(Query("q", {"re*n?1"}), "/?q=region01"), "Y");
  EXPECT_EQ(AskOne(Query("q", {"re*n?1"}), "/?q=region1"), "default");
  EXPECT_EQ(AskOne(Query("q", {"*"}), "/?q"), "Y");
  EXPECT_EQ(AskOne(Query("q", {"*"}), "/?p"), "default");
}

TEST(RoutingTest, T10_6_SeesThroughDisguisedPaths) {
  EXPECT_EQ(AskOne(Exact("/admin"), "/%61dmin"), "Y");
  EXPECT_EQ(AskOne(Exact("/admin"), "/x/../admin"), "Y");
  EXPECT_EQ(AskOne(Exact("/admin"), "/./admin"), "Y");
  EXPECT_EQ(AskOne(Exact("/admin"), "/%2e/x/%2E%2e/admin?q"), "Y");
  EXPECT_EQ(AskOne(Exact("/admin"), "//admin"), "default");
  EXPECT_EQ(AskOne(Exact("/admin"), "/Admin"), "default");
}

TEST(RoutingTest, ComparesHostsWithoutPortTrailingDotAndCase) {
  RoutingRig rig;
  rig.Add("Y", {Host({"www.Test.com"})});

  EXPECT_EQ(rig.Get("/", "WWW.test.com"), "Y");
  EXPECT_EQ(rig.Get("/", "www.test.com:8080"), "Y");
  EXPECT_EQ(rig.Get("/", "www.test.com."), "Y");
  EXPECT_EQ(rig.Get("/", "test.com"), "default");
  EXPECT_EQ(rig.Ask("GET / HTTP/1.0\r\n\r\n"), "default");
}

TEST(RoutingTest, TakesAnyNonEmptyPrefixForTheStarOfAHost) {
  RoutingRig rig;
  rig.Add("Y", {Host({"*.test.com"})});

  EXPECT_EQ(rig.Get("/", "a.test.com"), "Y");
  EXPECT_EQ(rig.Get("/", "a.b.test.com"), "Y");
  EXPECT_EQ(rig.Get("/", "test.com"), "default");
  EXPECT_EQ(rig.Get("/", "atest.com"), "default");
}

TEST(RoutingTest, ComparesIpv6HostsWithoutBrackets) {
  RoutingRig rig;
  rig.Add("Y", {Host({"2001:DB8::1"})});

  EXPECT_EQ(rig.Get("/", "[2001:db8::1]:80"), "Y");
}

TEST(RoutingTest, AsksForHostAlsoWhereTheRequestHasAnAuthorityInstead) {
  RoutingRig rig;
  rig.Add("Y", {Header("host", {"A.test*"})});
  http::RequestHead head;
  head.path = head.target = "/";
  head.authority = "a.TEST:81";
  head.version = http::Version::kHttp2;

  EXPECT_EQ(rig.Decide(head), "Y");
}

TEST(RoutingTest, MatchesThePeersAddress) {
  RoutingRig rig;
  rig.Add("Y", {Source({"198.51.100.0/24", "192.0.2.0/29", "2001:db8::/32"})});

  EXPECT_EQ(rig.Get("/"), "Y");
  rig.client = *IpAddress::Parse("192.0.2.8");
  EXPECT_EQ(rig.Get("/"), "default");
  rig.client = *IpAddress::Parse("2001:db8:1::1");
  EXPECT_EQ(rig.Get("/"), "Y");
}

TEST(RoutingTest, WantsEveryRuleOfAPolicy) {
  RoutingRig rig;
  rig.Add("Y", {Prefix("/a"), Method({"GET"}), Query("x", {"1"})});

  EXPECT_EQ(rig.Get("/a?x=1"), "Y");
  EXPECT_EQ(rig.Get("/a?x=2"), "default");
  EXPECT_EQ(rig.Get("/b?x=1"), "default");
}

TEST(RoutingTest, InvertsRules) {
  EXPECT_EQ(AskOne(Not(Prefix("/a")), "/b"), "Y");
  EXPECT_EQ(AskOne(Not(Prefix("/a")), "/a"), "default");
  EXPECT_EQ(AskOne(Not(Query("x", {"1"})), "/"), "Y");
  EXPECT_EQ(AskWithField(Not(Header("X-A", {"1"})), "X-A: 2\r\nX-A: 1\r\n"), "default");
}

TEST(RoutingTest, TakesEverythingWithoutRules) {
  RoutingRig rig;
  rig.Add("all", {});

  EXPECT_EQ(rig.Get("/anything"), "all");
}

TEST(RoutingTest, SaysWhenThereAreNoPolicies) {
  RoutingRig rig;

  EXPECT_EQ(rig.Get("/"), "none");
}

TEST(RoutingTest, GoesOnWithPoliciesWithoutHostWhenNoPathOfTheHostFits) {
  RoutingRig rig;
  rig.Add("host", {Host({"h.test"}), Prefix("/a")});
  rig.Add("any host", {Prefix("/b")});

  EXPECT_EQ(rig.Get("/a", "h.test"), "host");
  EXPECT_EQ(rig.Get("/b", "h.test"), "any host");
  EXPECT_EQ(rig.Get("/c", "h.test"), "default");
}

TEST(RoutingTest, RefusesARegexThatDoesNotCompile) {
  RoutingRig rig;
  rig.Add("bad", {Regex("/a(")});

  const auto router = Router::Compile(rig.listener);

  ASSERT_FALSE(router.has_value());
  EXPECT_EQ(router.error().path, "rule.value");
  EXPECT_EQ(router.error().message,
            "forwarding policy bad: '/a(' is no usable regular expression: missing ): /a(");
}

TEST(RoutingTest, RefusesASourceThatIsNoAddress) {
  RoutingRig rig;
  rig.Add("bad", {Source({"192.0.2.0/33"})});

  EXPECT_EQ(Router::Compile(rig.listener).error().path, "rule.value");
}

TEST(RoutingTest, ExplainsEveryPolicyItAsked) {
  RoutingRig rig;
  rig.Add("one", {Prefix("/a"), Method({"POST"})});
  rig.Add("two", {Prefix("/a")});
  rig.Add("three", {});
  ASSERT_EQ(rig.Get("/a"), "two");
  http::RequestHead head;
  head.path = head.target = "/a";

  const auto traces = rig.router->Explain({.head = &head, .client = &rig.client}, rig.scratch);

  ASSERT_EQ(traces.size(), 2U);
  EXPECT_EQ(traces[0].policy, 0U);
  EXPECT_FALSE(traces[0].matched);
  EXPECT_EQ(traces[0].rules, (std::vector<bool>{true, false}));
  EXPECT_EQ(traces[1].policy, 1U);
  EXPECT_TRUE(traces[1].matched);
  EXPECT_EQ(traces[1].rules, (std::vector<bool>{true}));
}

}  // namespace
}  // namespace elb::proxy
