#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "proxy/testing/proxy_rig.h"

namespace elb::proxy {
namespace {

using contract::MemberStatus;
using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What data-plane.md 6.7 and 9.5 say of a member that takes no more requests.
class DrainingTest : public ::testing::Test {
 protected:
  void Fill() {
    for (int i = 0; i < 2; ++i) {
      EXPECT_NE(rig_.Ask(kGet), "");
    }
    ASSERT_EQ(rig_.members[0]->connections(), 1);
    ASSERT_EQ(rig_.members[1]->connections(), 1);
  }
  /// A request that A has and does not answer.
  std::unique_ptr<net::Stream> Hold() {
    rig_.members[0]->answer.clear();
    auto client = rig_.Send(kGet);
    rig_.RunFor(milliseconds{10});
    EXPECT_EQ(rig_.members[0]->requests.size(), 1);
    return client;
  }
  void ExpectOnlyBServes() {
    for (int i = 0; i < 4; ++i) {
      EXPECT_NE(rig_.Ask(kGet), "");
    }
    EXPECT_EQ(rig_.members[0]->requests.size(), 1);
  }

  testing::ProxyRig rig_{2};
};

TEST_F(DrainingTest, KeepsIdleConnectionsOfMembersThatServe) {
  Fill();

  rig_.pool.members[0].weight = 2;
  rig_.Apply();
  rig_.RunFor(milliseconds{10});

  EXPECT_EQ(rig_.members[0]->connections(), 1);
}

TEST_F(DrainingTest, ClosesIdleConnectionsOfARemovedMemberAtOnce) {
  Fill();

  rig_.pool.members.erase(rig_.pool.members.begin());
  rig_.Apply();
  rig_.RunFor(milliseconds{10});

  EXPECT_EQ(rig_.members[0]->connections(), 0);
  EXPECT_EQ(rig_.members[1]->connections(), 1);
  ExpectOnlyBServes();
}

TEST_F(DrainingTest, ClosesIdleConnectionsOfAMemberOfWeightZeroAtOnce) {
  Fill();

  rig_.pool.members[0].weight = 0;
  rig_.Apply();
  rig_.RunFor(milliseconds{10});

  EXPECT_EQ(rig_.members[0]->connections(), 0);
  ExpectOnlyBServes();
}

TEST_F(DrainingTest, ClosesIdleConnectionsOfAnOfflineMemberAtOnce) {
  Fill();

  rig_.SetStatus(0, MemberStatus::kOffline);
  rig_.RunFor(milliseconds{10});

  EXPECT_EQ(rig_.members[0]->connections(), 0);
  ExpectOnlyBServes();
}

TEST_F(DrainingTest, LetsARemovedMemberFinishWhatItHasAndKeepsNoConnection) {
  const auto client = Hold();

  rig_.pool.members.erase(rig_.pool.members.begin());
  rig_.Apply();
  rig_.members[0]->Resume(kOk);

  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 200 OK\r\n"));
  rig_.RunFor(milliseconds{10});
  EXPECT_EQ(rig_.members[0]->connections(), 0);
}

TEST_F(DrainingTest, LetsAMemberOfWeightZeroFinishWhatItHasAndKeepsNoConnection) {
  const auto client = Hold();

  rig_.pool.members[0].weight = 0;
  rig_.Apply();
  rig_.members[0]->Resume(kOk);

  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 200 OK\r\n"));
  rig_.RunFor(milliseconds{10});
  EXPECT_EQ(rig_.members[0]->connections(), 0);
}

TEST_F(DrainingTest, LetsAnOfflineMemberFinishWhatItHasAndKeepsNoConnection) {
  const auto client = Hold();

  rig_.SetStatus(0, MemberStatus::kOffline);
  rig_.members[0]->Resume(kOk);

  EXPECT_TRUE(rig_.Receive(*client).starts_with("HTTP/1.1 200 OK\r\n"));
  rig_.RunFor(milliseconds{10});
  EXPECT_EQ(rig_.members[0]->connections(), 0);
}

TEST_F(DrainingTest, KeepsConnectionsAgainOnceAMemberIsBack) {
  rig_.pool.members[0].weight = 0;
  rig_.Apply();
  rig_.pool.members[0].weight = 1;
  rig_.Apply();

  Fill();
}

TEST_F(DrainingTest, T9_8_AnswersItselfWhenEveryMemberIsOffline) {
  rig_.SetStatus(0, MemberStatus::kOffline);
  rig_.SetStatus(1, MemberStatus::kOffline);

  const std::string answer = rig_.Ask(kGet);

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_EQ(rig_.Seen(), (std::vector<std::size_t>{0, 0}));
}

TEST_F(DrainingTest, T9_8_GoesOnWhenEveryMemberIsOfflineAndThePoolFailsOpen) {
  rig_.pool.minimum_healthy = 1;
  rig_.Apply();
  rig_.SetStatus(0, MemberStatus::kOffline);
  rig_.SetStatus(1, MemberStatus::kOffline);

  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(rig_.Ask(kGet).starts_with("HTTP/1.1 200 "));
  }

  EXPECT_EQ(rig_.Seen(), (std::vector<std::size_t>{2, 2}));
  rig_.SetStatus(1, MemberStatus::kOnline);
  EXPECT_NE(rig_.Ask(kGet), "");
  EXPECT_EQ(rig_.Seen(), (std::vector<std::size_t>{2, 3}));
}

}  // namespace
}  // namespace elb::proxy
