#include "net/held_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/tcp_stream.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;

/// Holds whoever comes, for a second.
class Doorkeeper final : public AcceptHandler {
 public:
  struct Arrival {
    std::unique_ptr<Stream> stream;
    MonotonicTime at;
  };
  void OnAccept(std::unique_ptr<Stream> stream) override { accepted.push_back(std::move(stream)); }
  bool MayHold(const Endpoint& /*peer*/) override {
    asked += 1;
    return holds;
  }
  [[nodiscard]] std::chrono::nanoseconds hold_time() const override { return milliseconds{1000}; }
  void OnHeld(std::unique_ptr<Stream> stream, MonotonicTime arrived_at) override {
    held.push_back({.stream = std::move(stream), .at = arrived_at});
  }

  void OnHeldGone(std::unique_ptr<Stream> stream) override { gone.push_back(std::move(stream)); }

  bool holds = true;
  int asked = 0;
  std::vector<std::unique_ptr<Stream>> accepted;
  std::vector<Arrival> held;
  std::vector<std::unique_ptr<Stream>> gone;
};

class HeldConnectionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto acceptor =
        network_.Listen({.address = IpAddress::V4({127, 0, 0, 1}), .port = 0}, {}, door_);
    ASSERT_TRUE(acceptor.has_value());
    acceptor_ = *std::move(acceptor);
  }
  /// A client that the acceptor has seen.
  std::unique_ptr<Stream> Connect() {
    const int before = door_.asked;
    auto client = network_.Connect(acceptor_->local());
    EXPECT_TRUE(client.has_value());
    RunUntil([&] { return door_.asked > before; });
    return *std::move(client);
  }
  template <typename Condition>
  void RunUntil(Condition done) {
    while (!done()) {
      reactor_.Post([this] { reactor_.Stop(); });
      reactor_.Run();
    }
  }
  void RunFor(milliseconds time) {
    clock_.Advance(time);
    for (int turns = 0; turns < 3; ++turns) {
      reactor_.Post([this] { reactor_.Stop(); });
      reactor_.Run();
    }
  }
  std::string ReadFirst() {
    std::array<std::byte, 64> buffer{};
    const ReadResult read = door_.held.at(0).stream->TryRead(buffer);
    return {reinterpret_cast<const char*>(buffer.data()), read.bytes};
  }

  ManualClock clock_;
  EpollReactor reactor_{clock_};
  TcpNetwork network_{reactor_};
  Doorkeeper door_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(HeldConnectionsTest, ComeWithTheirFirstBytesAndTheTimeOfTheirArrival) {
  const MonotonicTime arrival = clock_.Now();
  const auto client = Connect();
  RunFor(milliseconds{400});
  EXPECT_TRUE(door_.held.empty());

  ASSERT_TRUE(client->Write("hello"));
  RunUntil([&] { return !door_.held.empty(); });

  EXPECT_EQ(ReadFirst(), "hello");
  EXPECT_LT(door_.held[0].at - arrival, milliseconds{10});
  EXPECT_TRUE(door_.accepted.empty());
}

TEST_F(HeldConnectionsTest, AreToldOfWhenTheyEndWithoutAByte) {
  auto client = Connect();

  client.reset();
  RunUntil([&] { return !door_.gone.empty(); });

  EXPECT_TRUE(door_.gone[0]->peer_gone());
  EXPECT_TRUE(door_.held.empty());
}

TEST_F(HeldConnectionsTest, ComeWithBytesThatCameWithTheEnd) {
  auto client = Connect();

  ASSERT_TRUE(client->Write("bye"));
  client.reset();
  RunUntil([&] { return !door_.held.empty(); });

  EXPECT_EQ(ReadFirst(), "bye");
  EXPECT_TRUE(door_.gone.empty());
}

TEST_F(HeldConnectionsTest, ComeWhenTheirTimeIsOverAndNotBefore) {
  const auto client = Connect();

  RunFor(milliseconds{990});
  EXPECT_TRUE(door_.held.empty());
  RunFor(milliseconds{20});

  ASSERT_EQ(door_.held.size(), 1);
  EXPECT_FALSE(door_.held[0].stream->peer_gone());
}

TEST_F(HeldConnectionsTest, OfDifferentAgeEndOneAfterTheOther) {
  const auto first = Connect();
  RunFor(milliseconds{500});
  const auto second = Connect();

  RunFor(milliseconds{510});
  EXPECT_EQ(door_.held.size(), 1);
  RunFor(milliseconds{500});

  EXPECT_EQ(door_.held.size(), 2);
}

TEST_F(HeldConnectionsTest, ComeAtOnceWhenTheyAreReleased) {
  const auto first = Connect();
  const auto second = Connect();

  acceptor_->ReleaseHeld();

  ASSERT_EQ(door_.held.size(), 2);
  ASSERT_TRUE(first->Write("late"));
  std::string text;
  RunUntil([&] {
    text = ReadFirst();
    return !text.empty();
  });
  EXPECT_EQ(text, "late");
}

TEST_F(HeldConnectionsTest, EndWithTheirSocket) {
  const auto client = Connect();

  acceptor_.reset();
  RunUntil([&] { return client->peer_gone(); });

  EXPECT_TRUE(door_.held.empty());
}

TEST_F(HeldConnectionsTest, AreNotMadeOfWhomTheHandlerDoesNotLetHold) {
  door_.holds = false;

  const auto client = Connect();

  EXPECT_EQ(door_.accepted.size(), 1);
  EXPECT_TRUE(door_.held.empty());
}

}  // namespace
}  // namespace elb::net
