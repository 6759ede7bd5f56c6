// Proxies in front that tell the client's address (api-extensions.md 10.3).

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "net/testing/collect.h"
#include "proxy/testing/proxy_rig.h"

namespace elb::proxy {
namespace {

using contract::FrontProxyMode;
using net::ReadResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHeader = "PROXY TCP4 198.51.100.7 10.0.0.1 4127 80\r\n";

/// A listener behind the proxy 192.0.2.1, for clients to which no other rule applies.
class FrontProxyTest : public ::testing::Test {
 protected:
  void Use(FrontProxyMode mode) {
    rig_.SetGroup("proxies", {"192.0.2.1"});
    rig_.listener.front_proxy = {
        .mode = mode, .trusted = IpGroupId("proxies"), .others_direct = false};
    rig_.listener.insert_headers.real_ip = true;
    rig_.listener.insert_headers.for_port = true;
    rig_.Apply();
  }
  void KeepOut(const std::string& prefix) {
    rig_.SetGroup("out", {prefix});
    rig_.listener.access_mode = contract::AccessMode::kBlack;
    rig_.listener.access_group = IpGroupId("out");
    rig_.Apply();
  }
  /// The status of the answer; what ended the connection when there was none.
  std::string Ask(const std::string& bytes) {
    const auto client = rig_.Send(bytes);
    const std::string answer = rig_.Receive(*client);
    return answer.empty() ? EndOf(*client) : answer.substr(9, 3);
  }
  static std::string EndOf(net::Stream& client) {
    std::string rest;
    switch (net::testing::ReadOnto(rest, client).kind) {
      case ReadResult::Kind::kFault:
        return rest.empty() ? "reset" : "reset behind " + rest;
      case ReadResult::Kind::kEnd:
        return "end";
      default:
        return "open";
    }
  }
  [[nodiscard]] std::string SeenField(const std::string& name) const {
    return ValueOf(rig_.members[0]->requests.back(), name + ": ", "\r\n");
  }
  [[nodiscard]] std::string Logged(const std::string& name) const {
    return ValueOf(rig_.access_log.lines.back(), "\"" + name + "\":", ",");
  }
  static std::string ValueOf(const std::string& text, const std::string& before,
                             const std::string& behind) {
    const std::size_t at = text.find(before);
    if (at == std::string::npos) {
      return "none";
    }
    return text.substr(at + before.size(), text.find(behind, at) - at - before.size());
  }

  testing::ProxyRig rig_{1};
};

TEST_F(FrontProxyTest, TakesTheClientOfAProxyHeaderEverywhere) {
  Use(FrontProxyMode::kProxyProtocol);

  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "200");
  EXPECT_EQ(SeenField("X-Forwarded-For"), "198.51.100.7");
  EXPECT_EQ(SeenField("X-Forwarded-For-Port"), "4127");
  EXPECT_EQ(SeenField("X-Real-IP"), "198.51.100.7");
  EXPECT_EQ(Logged("remote_addr"), "\"198.51.100.7\"");
  EXPECT_EQ(Logged("remote_port"), "4127");
  EXPECT_EQ(Logged("peer_addr"), "\"192.0.2.1\"");
}

TEST_F(FrontProxyTest, E10_3_ReadsAHeaderThatComesByteByByte) {
  Use(FrontProxyMode::kProxyProtocol);
  const auto client = rig_.Send("P");
  for (const char letter : (std::string(kHeader) + std::string(kGet)).substr(1)) {
    rig_.RunFor(milliseconds{2});
    ASSERT_TRUE(client->Write(std::string_view(&letter, 1)).has_value());
  }

  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(SeenField("X-Real-IP"), "198.51.100.7");
}

TEST_F(FrontProxyTest, ServesWhatComesLongAfterTheHeader) {
  Use(FrontProxyMode::kProxyProtocol);
  const auto client = rig_.Send(kHeader);
  rig_.RunFor(seconds{20});
  EXPECT_EQ(EndOf(*client), "open");

  ASSERT_TRUE(client->Write(kGet).has_value());
  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 200"));
}

TEST_F(FrontProxyTest, KeepsThePeerOfAProxyThatSpeaksForItself) {
  Use(FrontProxyMode::kProxyProtocol);

  EXPECT_EQ(Ask("PROXY UNKNOWN\r\n" + std::string(kGet)), "200");
  EXPECT_EQ(SeenField("X-Real-IP"), "192.0.2.1");
  EXPECT_EQ(Logged("remote_addr"), "\"192.0.2.1\"");
}

TEST_F(FrontProxyTest, ResetsAConnectionWithoutHeaderAndSaysSo) {
  Use(FrontProxyMode::kProxyProtocol);

  EXPECT_EQ(Ask(std::string(kGet)), "reset");
  EXPECT_EQ(rig_.Counted(ListenerCounter::kDroppedConnections), 1U);
  EXPECT_EQ(rig_.Counted(ListenerCounter::kConnectionsOpened), 0U);
  ASSERT_EQ(rig_.reject_log.lines.size(), 1U);
  EXPECT_NE(rig_.reject_log.lines[0].find(R"("reason":"proxy_header_bad")"), std::string::npos);
  EXPECT_TRUE(rig_.members[0]->requests.empty());
}

TEST_F(FrontProxyTest, E10_3_ResetsAfter5SecondsWithoutAWholeHeader) {
  Use(FrontProxyMode::kProxyProtocol);
  const auto client = rig_.Send(kHeader.substr(0, 20));

  rig_.RunFor(milliseconds{4900});
  EXPECT_EQ(EndOf(*client), "open");
  EXPECT_EQ(rig_.connections(), 1U);
  rig_.RunFor(milliseconds{200});
  EXPECT_EQ(EndOf(*client), "reset");
  EXPECT_EQ(rig_.connections(), 0U);
}

TEST_F(FrontProxyTest, GivesNoMoreTimeToAHeaderThatTrickles) {
  Use(FrontProxyMode::kProxyProtocol);
  const auto client = rig_.Send("PROXY UNKNOWN ");
  for (int i = 0; i < 60; ++i) {
    static_cast<void>(client->Write("x"));
    rig_.RunFor(milliseconds{100});
  }

  EXPECT_EQ(EndOf(*client), "reset");
}

TEST_F(FrontProxyTest, SaysNothingOfAProxyThatOnlyLooksWhetherWeAreThere) {
  Use(FrontProxyMode::kProxyProtocol);
  rig_.Send("")->CloseWrite();
  rig_.RunFor(milliseconds{10});

  EXPECT_EQ(rig_.connections(), 0U);
  EXPECT_TRUE(rig_.reject_log.lines.empty());
  EXPECT_EQ(rig_.Counted(ListenerCounter::kDroppedConnections), 0U);
}

TEST_F(FrontProxyTest, E10_3_ResetsStrangersLikeAccessControl) {
  for (const auto mode : {FrontProxyMode::kProxyProtocol, FrontProxyMode::kXForwardedFor}) {
    Use(mode);
    rig_.source = *IpAddress::Parse("203.0.113.1");

    EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "reset");
    EXPECT_EQ(Ask(std::string(kGet)), "reset");
  }
  EXPECT_EQ(rig_.Counted(ListenerCounter::kBlockedConnections), 4U);
  EXPECT_TRUE(rig_.reject_log.lines.empty());
  EXPECT_TRUE(rig_.access_log.lines.empty());
}

TEST_F(FrontProxyTest, BelievesNothingOfStrangersThatAreServed) {
  Use(FrontProxyMode::kProxyProtocol);
  rig_.listener.front_proxy.others_direct = true;
  rig_.source = *IpAddress::Parse("203.0.113.1");
  rig_.Apply();

  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "400");
  EXPECT_EQ(Ask(std::string(kGet)), "200");
  EXPECT_EQ(SeenField("X-Real-IP"), "203.0.113.1");
}

TEST_F(FrontProxyTest, TakesNobodyForAProxyWithoutTheGroup) {
  Use(FrontProxyMode::kProxyProtocol);
  rig_.listener.front_proxy.trusted = IpGroupId("gone");
  rig_.Apply();

  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "reset");
}

TEST_F(FrontProxyTest, E10_3_RunsAccessControlOnTheAddressInTheHeader) {
  Use(FrontProxyMode::kProxyProtocol);
  KeepOut("198.51.100.0/24");

  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "reset");
  EXPECT_EQ(rig_.Counted(ListenerCounter::kBlockedConnections), 1U);
  KeepOut("192.0.2.0/24");
  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "200");
  EXPECT_EQ(Ask("PROXY UNKNOWN\r\n" + std::string(kGet)), "reset");
}

TEST_F(FrontProxyTest, FollowsTheGroupAtTheNextConnection) {
  Use(FrontProxyMode::kProxyProtocol);
  rig_.SetGroup("proxies", {"203.0.113.0/24"});
  rig_.Apply();

  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "reset");
  rig_.source = *IpAddress::Parse("203.0.113.1");
  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "200");
}

TEST_F(FrontProxyTest, CountsTheClientAgainstLimitsOnlyOnceItIsKnown) {
  Use(FrontProxyMode::kProxyProtocol);
  rig_.listener.connection_limit = 1;
  rig_.Apply();
  const auto waiting = rig_.Send("PROXY ");

  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "200");
  ASSERT_TRUE(waiting->Write(kHeader.substr(6)).has_value());
  ASSERT_TRUE(waiting->Write(kGet).has_value());
  EXPECT_TRUE(rig_.Receive(*waiting).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(Ask(std::string(kHeader) + std::string(kGet)), "reset");
}

TEST_F(FrontProxyTest, EndsWaitsForHeadersWhenTheWorkerEnds) {
  Use(FrontProxyMode::kProxyProtocol);
  const auto client = rig_.Send("PROXY ");
  rig_.RunFor(milliseconds{10});
  ASSERT_EQ(rig_.connections(), 1U);

  rig_.Retire();
  rig_.RunFor(milliseconds{10});

  EXPECT_EQ(rig_.connections(), 0U);
  EXPECT_EQ(EndOf(*client), "reset");
  EXPECT_TRUE(rig_.reject_log.lines.empty());
}

TEST_F(FrontProxyTest, E10_3_TakesTheClientThatAProxyTellsInAField) {
  Use(FrontProxyMode::kXForwardedFor);

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9, 198.51.100.7\r\n\r\n"),
            "200");
  EXPECT_EQ(SeenField("X-Real-IP"), "198.51.100.7");
  EXPECT_EQ(SeenField("X-Forwarded-For"), "9.9.9.9, 198.51.100.7, 192.0.2.1");
  EXPECT_EQ(Logged("remote_addr"), "\"198.51.100.7\"");
  EXPECT_EQ(Logged("remote_port"), "0");
  EXPECT_EQ(Logged("peer_addr"), "\"192.0.2.1\"");
}

TEST_F(FrontProxyTest, TakesTheClientAnewForEachRequest) {
  Use(FrontProxyMode::kForwarded);
  const auto client = rig_.Send("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=198.51.100.7\r\n\r\n");
  EXPECT_NE(rig_.Receive(*client), "");
  EXPECT_EQ(SeenField("X-Real-IP"), "198.51.100.7");

  ASSERT_TRUE(
      client->Write("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=\"[2001:db8::7]:9\"\r\n\r\n")
          .has_value());
  EXPECT_NE(rig_.Receive(*client), "");
  EXPECT_EQ(SeenField("X-Real-IP"), "2001:db8::7");
  EXPECT_EQ(Logged("remote_port"), "9");
}

TEST_F(FrontProxyTest, IgnoresTheFieldOfStrangersThatAreServed) {
  Use(FrontProxyMode::kXForwardedFor);
  rig_.listener.front_proxy.others_direct = true;
  rig_.source = *IpAddress::Parse("203.0.113.1");
  rig_.Apply();

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"), "200");
  EXPECT_EQ(SeenField("X-Real-IP"), "203.0.113.1");
  EXPECT_EQ(Logged("remote_addr"), "\"203.0.113.1\"");
}

TEST_F(FrontProxyTest, RunsAccessControlOnEachRequestOfAProxy) {
  Use(FrontProxyMode::kXForwardedFor);
  KeepOut("198.51.100.0/24");
  const auto client =
      rig_.Send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n");

  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_EQ(Logged("status"), "403");
  EXPECT_NE(rig_.access_log.lines.back().find(R"("error_reason":"access_denied")"),
            std::string::npos);
  EXPECT_TRUE(rig_.members[0]->requests.empty());
  ASSERT_TRUE(client->Write("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n")
                  .has_value());
  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 200"));
}

TEST_F(FrontProxyTest, DoesNotRunAccessControlOnAProxyThatSpeaksForOthers) {
  Use(FrontProxyMode::kXForwardedFor);
  KeepOut("192.0.2.0/24");

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"), "200");
  EXPECT_EQ(Ask(std::string(kGet)), "403");
}

TEST_F(FrontProxyTest, RoutesByTheClientThatIsTold) {
  Use(FrontProxyMode::kXForwardedFor);
  rig_.listener.policies.push_back(
      {.id = L7PolicyId("p"),
       .action = contract::PolicyAction::kFixedResponse,
       .rules = {{.type = contract::RuleType::kSourceIp, .values = {"198.51.100.0/24"}}},
       .status_code = 418});
  rig_.Apply();

  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"), "418");
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n"), "200");
}

TEST_F(FrontProxyTest, LeavesNoTraceInTheLogWhenOff) {
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"), "200");

  EXPECT_EQ(Logged("remote_addr"), "\"192.0.2.1\"");
  EXPECT_EQ(Logged("peer_addr"), "none");
}

}  // namespace
}  // namespace elb::proxy
