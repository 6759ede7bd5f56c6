// Request ids as members, clients and the log see them (api-extensions.md 10.2).
#include "proxy/request_identity.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/testing/proxy_rig.h"

namespace elb::proxy {
namespace {

using contract::RequestIdMode;

std::string Get(const std::string& fields = {}) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

/// All values of a header field, each followed by `;`.
std::string ValuesOf(const std::string& head, const std::string& name) {
  std::string values;
  const std::string before = "\r\n" + name + ": ";
  for (std::size_t at = head.find(before); at != std::string::npos;
       at = head.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    values += head.substr(begin, head.find("\r\n", begin) - begin) + ";";
  }
  return values;
}

class RequestIdentityTest : public ::testing::Test {
 protected:
  void Use(RequestIdMode mode) {
    rig_.listener.request_id.mode = mode;
    rig_.Apply();
  }
  /// Asks; `member_` and `answer_` are what both sides saw as X-Request-Id.
  void Ask(const std::string& fields = {}) {
    answer_ = ValuesOf(rig_.Ask(Get(fields)), "X-Request-Id");
    member_ = ValuesOf(rig_.members[0]->requests.back(), "X-Request-Id");
  }
  [[nodiscard]] std::string Logged(const std::string& name) const {
    const std::string& line = rig_.access_log.lines.back();
    const std::string before = "\"" + name + "\":\"";
    const std::size_t at = line.find(before);
    return at == std::string::npos
               ? "none"
               : line.substr(at + before.size(),
                             line.find('"', at + before.size()) - at - before.size());
  }

  testing::ProxyRig rig_{1};
  std::string member_;
  std::string answer_;
};

TEST_F(RequestIdentityTest, LogsAnIdAlsoWhenOff) {
  Ask("X-Request-Id: theirs\r\n");

  EXPECT_EQ(member_, "theirs;");
  EXPECT_EQ(answer_, "");
  EXPECT_EQ(Logged("request_id").size(), 32U);
  EXPECT_TRUE(Logged("request_id").ends_with("abcdef"));
  EXPECT_EQ(Logged("external_request_id"), "none");
}

TEST_F(RequestIdentityTest, E10_2_AlwaysReplacesWhatClientsSend) {
  Use(RequestIdMode::kAlways);
  Ask("X-Request-Id: theirs\r\nx-request-id: again\r\nX_Request_ID: disguised\r\n");

  EXPECT_EQ(member_, Logged("request_id") + ";");
  EXPECT_EQ(answer_, Logged("request_id") + ";");
  EXPECT_EQ(rig_.members[0]->requests.back().find("disguised"), std::string::npos);
  EXPECT_EQ(rig_.members[0]->requests.back().find("again"), std::string::npos);
  EXPECT_EQ(Logged("external_request_id"), "none");
}

TEST_F(RequestIdentityTest, E10_2_KeepsOneUsableFieldInModeTrusted) {
  Use(RequestIdMode::kTrusted);
  const std::string longest(128, 'a');

  Ask("x-request-id: A.z_0:+/=@-9\r\n");
  EXPECT_EQ(member_, "A.z_0:+/=@-9;");
  EXPECT_EQ(answer_, "A.z_0:+/=@-9;");
  EXPECT_EQ(Logged("external_request_id"), "A.z_0:+/=@-9");
  EXPECT_NE(Logged("request_id"), "A.z_0:+/=@-9");
  Ask("X-Request-Id: " + longest + "\r\n");
  EXPECT_EQ(member_, longest + ";");
}

TEST_F(RequestIdentityTest, E10_2_ReplacesUnusableFieldsInModeTrusted) {
  Use(RequestIdMode::kTrusted);
  for (const std::string& fields :
       {std::string(), std::string("X-Request-Id:\r\n"),
        std::string("X-Request-Id: one\r\nX-Request-Id: two\r\n"),
        std::string("X-Request-Id: one\r\nX_Request_Id: two\r\n"),
        std::string("X_Request_Id: one\r\n"), std::string("X-Request-Id: a b\r\n"),
        std::string("X-Request-Id: a,b\r\n"), std::string("X-Request-Id: a\"b\r\n"),
        "X-Request-Id: " + std::string(129, 'a') + "\r\n"}) {
    Ask(fields);

    EXPECT_EQ(member_, Logged("request_id") + ";") << fields;
    EXPECT_EQ(answer_, member_) << fields;
    EXPECT_EQ(Logged("external_request_id"), "none") << fields;
  }
}

TEST_F(RequestIdentityTest, TrustsOnlyTheGroupsPeers) {
  rig_.SetGroup("senders", {"192.0.2.0/24"});
  rig_.listener.request_id.trusted = IpGroupId("senders");
  Use(RequestIdMode::kTrusted);
  Ask("X-Request-Id: theirs\r\n");
  EXPECT_EQ(member_, "theirs;");

  rig_.SetGroup("senders", {"198.51.100.0/24"});
  rig_.Apply();
  Ask("X-Request-Id: theirs\r\n");
  EXPECT_EQ(member_, Logged("request_id") + ";");
}

TEST_F(RequestIdentityTest, RemovesClientsTrailersOfThatName) {
  Use(RequestIdMode::kAlways);

  static_cast<void>(
      rig_.Ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
               "0\r\nX-Request-Id: theirs\r\nX-Other: kept\r\n\r\n"));

  ASSERT_EQ(rig_.members[0]->requests.size(), 2U);  // The member takes trailers for a head.
  EXPECT_EQ(rig_.members[0]->requests[1], "0\r\nX-Other: kept\r\n\r\n");
}

TEST_F(RequestIdentityTest, PrintsItAsAUuid) {
  rig_.listener.request_id.uuid_format = true;
  Use(RequestIdMode::kAlways);
  Ask();

  EXPECT_EQ(member_.size(), 37U);
  EXPECT_EQ(member_[14], '7');
  EXPECT_EQ(member_, Logged("request_id") + ";");
}

TEST_F(RequestIdentityTest, LeavesResponsesAloneWhenTold) {
  rig_.listener.request_id.in_response = false;
  rig_.members[0]->answer = "HTTP/1.1 200 OK\r\nX-Request-Id: members\r\nContent-Length: 0\r\n\r\n";
  Use(RequestIdMode::kAlways);
  Ask();

  EXPECT_EQ(answer_, "members;");
}

TEST_F(RequestIdentityTest, ReplacesTheMembersFieldInResponses) {
  rig_.members[0]->answer = "HTTP/1.1 200 OK\r\nX-Request-Id: members\r\nContent-Length: 0\r\n\r\n";
  Use(RequestIdMode::kAlways);
  Ask();

  EXPECT_EQ(answer_, Logged("request_id") + ";");
}

TEST_F(RequestIdentityTest, GoesWithAnswersMadeHere) {
  Use(RequestIdMode::kAlways);

  const std::string answer = rig_.Ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405"));
  EXPECT_EQ(ValuesOf(answer, "X-Request-Id"), Logged("request_id") + ";");
}

TEST_F(RequestIdentityTest, UsesTheNameThatIsConfigured) {
  rig_.listener.request_id.header = "X-Trace";
  Use(RequestIdMode::kTrusted);

  const std::string answer = rig_.Ask(Get("x-trace: 77\r\nX-Request-Id: other\r\n"));

  EXPECT_EQ(ValuesOf(answer, "X-Trace"), "77;");
  EXPECT_EQ(ValuesOf(rig_.members[0]->requests.back(), "X-Trace"), "77;");
  EXPECT_EQ(ValuesOf(rig_.members[0]->requests.back(), "X-Request-Id"), "other;");
}

TEST_F(RequestIdentityTest, DiffersFromRequestToRequest) {
  Use(RequestIdMode::kAlways);
  Ask();
  const std::string first = member_;
  Ask();

  EXPECT_NE(first, member_);
}

TEST_F(RequestIdentityTest, IsLoggedForRequestsThatTimedOut) {
  const auto client = rig_.Send("GET / HT");
  rig_.RunFor(std::chrono::minutes{2});

  ASSERT_EQ(rig_.access_log.lines.size(), 1U);
  EXPECT_EQ(Logged("error_reason"), "client_header_timeout");
  EXPECT_EQ(Logged("request_id").size(), 32U);
}

}  // namespace
}  // namespace elb::proxy
