#include "proxy/forwarded_client.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace elb::proxy {
namespace {

using contract::FrontProxyMode;

/// The client of a request with these fields, sent by a proxy 10.0.0.9:4711. Proxies are 10.0.0.0/8
/// and 2001:db8:1::/48.
std::string Client(FrontProxyMode mode,
                   const std::vector<std::pair<std::string, std::string>>& fields) {
  static const AddressSet proxies(
      std::vector<IpPrefix>{*IpPrefix::Parse("10.0.0.0/8"), *IpPrefix::Parse("2001:db8:1::/48")});
  http::RequestHead head;
  for (const auto& [name, value] : fields) {
    head.fields.push_back({.name = name, .value = value, .known = http::InternFieldName(name)});
  }
  return ForwardedClient(head, mode, proxies,
                         {.address = *IpAddress::Parse("10.0.0.9"), .port = 4711})
      .ToString();
}

std::string Plain(const std::string& value) {
  return Client(FrontProxyMode::kXForwardedFor, {{"X-Forwarded-For", value}});
}
std::string Forwarded(const std::string& value) {
  return Client(FrontProxyMode::kForwarded, {{"forwarded", value}});
}

constexpr const char* kPeer = "10.0.0.9:4711";

TEST(ForwardedClientTest, E10_3_TakesTheLastAddressThatIsNoProxy) {
  EXPECT_EQ(Plain("192.0.2.7"), "192.0.2.7:0");
  EXPECT_EQ(Plain("9.9.9.9, 192.0.2.7"), "192.0.2.7:0");
  EXPECT_EQ(Plain("9.9.9.9, 192.0.2.7, 10.0.0.2,10.0.0.3"), "192.0.2.7:0");
  EXPECT_EQ(Plain("2001:db8::7 , 2001:db8:1::1"), "[2001:db8::7]:0");
}

TEST(ForwardedClientTest, ReadsSeveralFieldsAsOneList) {
  EXPECT_EQ(Client(FrontProxyMode::kXForwardedFor, {{"X-Forwarded-For", "9.9.9.9, 192.0.2.7"},
                                                    {"Other", "192.0.2.1"},
                                                    {"x-forwarded-for", "10.0.0.2"}}),
            "192.0.2.7:0");
  EXPECT_EQ(Client(FrontProxyMode::kForwarded,
                   {{"Forwarded", "for=9.9.9.9, for=192.0.2.7"}, {"Forwarded", "for=10.0.0.2"}}),
            "192.0.2.7:0");
}

TEST(ForwardedClientTest, KeepsThePeerWithoutAWord) {
  EXPECT_EQ(Client(FrontProxyMode::kXForwardedFor, {}), kPeer);
  EXPECT_EQ(Plain(""), kPeer);
  EXPECT_EQ(Plain(" , ,"), kPeer);
  EXPECT_EQ(Client(FrontProxyMode::kForwarded, {{"X-Forwarded-For", "192.0.2.7"}}), kPeer);
  EXPECT_EQ(Client(FrontProxyMode::kXForwardedFor, {{"Forwarded", "for=192.0.2.7"}}), kPeer);
}

TEST(ForwardedClientTest, TakesTheOutermostWhenAllAreProxies) {
  EXPECT_EQ(Plain("10.0.0.1, 10.0.0.2"), "10.0.0.1:0");
  EXPECT_EQ(Forwarded("for=10.0.0.1, for=10.0.0.2"), "10.0.0.1:0");
}

TEST(ForwardedClientTest, EndsAtWhatIsNoAddress) {
  EXPECT_EQ(Plain("192.0.2.7, unknown"), kPeer);
  EXPECT_EQ(Plain("192.0.2.7, a.test, 10.0.0.2"), "10.0.0.2:0");
  EXPECT_EQ(Plain("192.0.2.7, 192.0.2"), kPeer);
  EXPECT_EQ(Forwarded("for=192.0.2.7, for=unknown"), kPeer);
  EXPECT_EQ(Forwarded("for=192.0.2.7, for=_hidden, for=10.0.0.2"), "10.0.0.2:0");
  EXPECT_EQ(Forwarded("for=192.0.2.7, proto=https"), kPeer);
}

TEST(ForwardedClientTest, ReadsPorts) {
  EXPECT_EQ(Plain("192.0.2.7:4000"), "192.0.2.7:4000");
  EXPECT_EQ(Plain("[2001:db8::7]:4000"), "[2001:db8::7]:4000");
  EXPECT_EQ(Plain("[2001:db8::7]"), "[2001:db8::7]:0");
  EXPECT_EQ(Plain("192.0.2.7:65536"), kPeer);
  EXPECT_EQ(Plain("192.0.2.7:"), kPeer);
  EXPECT_EQ(Plain("[2001:db8::7]4000"), kPeer);
  EXPECT_EQ(Plain("[2001:db8::7"), kPeer);
  EXPECT_EQ(Plain("[192.0.2.7]"), kPeer);
}

TEST(ForwardedClientTest, ReadsElementsOfForwarded) {
  EXPECT_EQ(Forwarded("for=192.0.2.7;proto=http;by=203.0.113.43"), "192.0.2.7:0");
  EXPECT_EQ(Forwarded("proto=http; For = 192.0.2.7 ;"), "192.0.2.7:0");
  EXPECT_EQ(Forwarded(R"(for="192.0.2.7:4000")"), "192.0.2.7:4000");
  EXPECT_EQ(Forwarded(R"(for="[2001:db8:cafe::17]:4711")"), "[2001:db8:cafe::17]:4711");
  EXPECT_EQ(Forwarded(R"(for="192.0.2.7:_obscure")"), "192.0.2.7:0");
  EXPECT_EQ(Forwarded(R"(for="\192\.0.2.7")"), "192.0.2.7:0");
  EXPECT_EQ(Forwarded(R"(for=192.0.2.7;host="a,b;for=1.1.1.1\"")"), "192.0.2.7:0");
}

TEST(ForwardedClientTest, RefusesAnElementWithTwoClients) {
  EXPECT_EQ(Forwarded("for=192.0.2.7;for=192.0.2.8"), kPeer);
}

TEST(ForwardedClientTest, RefusesMalformedQuotedStrings) {
  EXPECT_EQ(Forwarded(R"(for="192.0.2.7)"), kPeer);
  EXPECT_EQ(Forwarded(R"(for="192.0.2.7"x)"), kPeer);
  EXPECT_EQ(Forwarded(R"(for="192.0.2.7\")"), kPeer);
  EXPECT_EQ(Forwarded("for=\"" + std::string(200, '1') + "\""), kPeer);
}

// A proxy appends its element to what the client sent, whatever that is.
TEST(ForwardedClientTest, LetsNothingThatAClientSendsHideWhatTheProxyAppends) {
  for (const char* sent : {"for=\"", "for=6.6.6.6;x=\"", "x=\"\\", "for=6.6.6.6\\", "\"\"\"",
                           "for=6.6.6.6;x=\",\"", ";", "for=\"6.6.6.6", "\\\\\\\"", "a=\"b\"c\""}) {
    EXPECT_EQ(Forwarded(std::string(sent) + ", for=192.0.2.7"), "192.0.2.7:0") << sent;
    EXPECT_EQ(Forwarded(std::string(sent) + R"(, for="[2001:db8::7]:1";proto=https)"),
              "[2001:db8::7]:1")
        << sent;
    EXPECT_EQ(Plain(std::string(sent) + ", 192.0.2.7"), "192.0.2.7:0") << sent;
  }
}

}  // namespace
}  // namespace elb::proxy
