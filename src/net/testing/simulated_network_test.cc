#include "net/testing/simulated_network.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"
#include "net/testing/collect.h"
#include "net/testing/network_rig.h"
#include "net/testing/simulated_reactor.h"

namespace elb::net::testing {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = ReadResult::Kind;

const Endpoint kServer{.address = IpAddress::V4({10, 0, 0, 1}), .port = 80};

/// Sends back what it reads, and a note of each read to the log.
Task<void> Echo(std::unique_ptr<Stream> stream, Reactor* reactor, std::string* log) {
  Signal signal(*reactor);
  stream->SetSignal(&signal);
  std::array<std::byte, 4096> buffer{};
  while (true) {
    const ReadResult read = stream->TryRead(buffer);
    if (read.kind == Kind::kData) {
      *log += "s" + std::to_string(read.bytes) + "@" +
              std::to_string(reactor->now().time_since_epoch().count()) + " ";
      if (!stream->Write({reinterpret_cast<const char*>(buffer.data()), read.bytes})) {
        break;
      }
    } else if (read.kind == Kind::kEnd) {
      stream->CloseWrite();
      while (stream->pending() > 0 && co_await signal.Wait() == Wake::kNotified) {
      }
      break;
    } else if (read.kind == Kind::kFault || co_await signal.Wait() != Wake::kNotified) {
      break;
    }
  }
  *log += stream->broken() ? "broken " : "end ";
}

class EchoServer final : public AcceptHandler {
 public:
  EchoServer(Reactor& reactor, std::string& log) : reactor_(&reactor), log_(&log) {}
  void OnAccept(std::unique_ptr<Stream> stream) override {
    scope.Spawn(Echo(std::move(stream), reactor_, log_));
  }
  [[nodiscard]] std::size_t serving() const { return scope.size(); }

 private:
  Reactor* reactor_;
  std::string* log_;

 public:
  TaskScope scope{*reactor_};
};

/// Sends `text`, closes, and reads to the end.
Task<void> Ask(SimulatedNetwork* network, Reactor* reactor, std::string text, std::string* log) {
  auto connected = network->Connect(kServer);
  if (!connected) {
    *log += "unreachable ";
    co_return;
  }
  const std::unique_ptr<Stream> stream = *std::move(connected);
  Signal signal(*reactor);
  signal.SetDeadline(reactor->now() + seconds(20));
  stream->SetSignal(&signal);
  static_cast<void>(stream->Write(text));
  stream->CloseWrite();
  std::string answer;
  ReadResult end = ReadOnto(answer, *stream);
  while (end.kind == Kind::kWouldBlock && co_await signal.Wait() == Wake::kNotified) {
    end = ReadOnto(answer, *stream);
  }
  const bool whole = end.kind == Kind::kEnd && answer == text;
  EXPECT_TRUE(whole || end.kind != Kind::kEnd) << "an orderly end after " << answer.size();
  *log += whole ? "whole" : (end.kind == Kind::kWouldBlock ? "timeout" : "cut");
  *log += "@" + std::to_string(reactor->now().time_since_epoch().count()) + " ";
}

/// Many clients against the echo server under `conditions`; what happened, as text.
std::string RunEchoes(std::uint64_t seed, const LinkConditions& conditions) {
  ManualClock clock;
  SimulatedReactor reactor(clock);
  SimulatedNetwork network(reactor, seed);
  network.SetConditions(conditions);
  std::string log;
  EchoServer server(reactor, log);
  const auto acceptor = network.Listen(kServer, {}, server);
  TaskScope clients(reactor);
  for (std::size_t i = 0; i < 20; ++i) {
    clients.Spawn(Ask(&network, &reactor, std::string(50 + i * 1'000, 'a'), &log));
  }
  reactor.RunUntil([&] { return clients.size() == 0; }, seconds(60));
  EXPECT_EQ(clients.size(), 0U);
  reactor.RunFor(seconds(60));
  EXPECT_EQ(server.serving(), 0U) << "a connection hangs, seed " << seed;
  EXPECT_EQ(network.connections(), 0U);
  return log;
}

constexpr LinkConditions kHostile{.latency = microseconds(300),
                                  .jitter = microseconds(5'000),
                                  .segment_bytes_max = 700,
                                  .send_buffer_bytes = 1'000,
                                  .receive_buffer_bytes = 900,
                                  .pieces = Pieces::kRandom,
                                  .reset_permille = 5,
                                  .refuse_permille = 100,
                                  .blackhole_permille = 100};

TEST(SimulatedNetworkTest, RunsTheSameWayForTheSameSeed) {
  EXPECT_EQ(RunEchoes(7, kHostile), RunEchoes(7, kHostile));
}

TEST(SimulatedNetworkTest, RunsOtherwiseForAnotherSeed) {
  EXPECT_NE(RunEchoes(7, kHostile), RunEchoes(8, kHostile));
}

TEST(SimulatedNetworkTest, NeverShowsACutConversationAsWhole) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RunEchoes(seed, kHostile);
  }
}

TEST(SimulatedNetworkTest, LosesNothingWithoutFaults) {
  LinkConditions conditions = kHostile;
  conditions.reset_permille = conditions.refuse_permille = conditions.blackhole_permille = 0;

  const std::string log = RunEchoes(3, conditions);

  EXPECT_EQ(log.find("cut"), std::string::npos);
  EXPECT_EQ(log.find("timeout"), std::string::npos);
  EXPECT_EQ(log.find("broken"), std::string::npos);
}

TEST(SimulatedNetworkTest, AHostileRunHasEveryKindOfEnd) {
  const std::string log = RunEchoes(7, kHostile);

  EXPECT_NE(log.find("whole"), std::string::npos);
  EXPECT_NE(log.find("cut"), std::string::npos);
  EXPECT_NE(log.find("timeout"), std::string::npos);
}

class PathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto acceptor = network_.Listen(kServer, {}, accepted_);
    ASSERT_TRUE(acceptor.has_value());
    acceptor_ = *std::move(acceptor);
  }
  void Connect() {
    auto client = network_.Connect(kServer);
    ASSERT_TRUE(client.has_value());
    client_ = *std::move(client);
  }
  void Establish() {
    Connect();
    ASSERT_TRUE(
        reactor_.RunUntil([&] { return client_->TryEstablish().value_or(false); }, seconds(1)));
    server_ = std::move(accepted_.streams.at(0));
    accepted_.streams.clear();
  }
  void Use(const LinkConditions& conditions) { network_.SetConditions(conditions); }

  ManualClock clock_;
  SimulatedReactor reactor_{clock_};
  SimulatedNetwork network_{reactor_, 1};
  AcceptedStreams accepted_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Stream> client_;
  std::unique_ptr<Stream> server_;
  std::string text_;
};

TEST_F(PathTest, ConnectsAfterOneRoundTrip) {
  Use({.latency = milliseconds(10)});
  Connect();

  reactor_.RunFor(microseconds(19'999));
  EXPECT_EQ(client_->TryEstablish(), false);
  reactor_.RunFor(microseconds(1));

  EXPECT_EQ(client_->TryEstablish(), true);
  EXPECT_EQ(client_->RoundTripMicros(), 20'000U);
}

TEST_F(PathTest, DeliversAfterTheLatency) {
  Use({.latency = milliseconds(10)});
  Establish();

  ASSERT_TRUE(client_->Write("late"));
  reactor_.RunFor(microseconds(9'999));
  ReadOnto(text_, *server_);
  EXPECT_EQ(text_, "");
  reactor_.RunFor(microseconds(1));
  ReadOnto(text_, *server_);

  EXPECT_EQ(text_, "late");
}

TEST_F(PathTest, KeepsOrderWhateverTheJitter) {
  Use({.jitter = milliseconds(50), .segment_bytes_max = 3});
  Establish();
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    sent += std::to_string(i) + ' ';
  }

  ASSERT_TRUE(client_->Write(sent));
  reactor_.RunFor(seconds(10));
  ReadOnto(text_, *server_);

  EXPECT_EQ(text_, sent);
}

TEST_F(PathTest, SplitsReadsAnywhere) {
  Establish();
  std::array<std::byte, 64> buffer{};
  ASSERT_TRUE(client_->Write("abcdefghijklmnopqrstuvwxyz"));
  reactor_.RunFor(seconds(1));

  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  while (total < 26) {
    sizes.push_back(server_->TryRead(buffer).bytes);
    total += sizes.back();
  }

  EXPECT_GT(sizes.size(), 1U);
  EXPECT_EQ(server_->TryRead(buffer).kind, Kind::kWouldBlock);
}

TEST_F(PathTest, DeliversWholeWhenAskedTo) {
  Use({.pieces = Pieces::kWhole});
  Establish();
  std::array<std::byte, 64> buffer{};

  ASSERT_TRUE(client_->Write("abcdefghijklmnopqrstuvwxyz"));
  reactor_.RunFor(seconds(1));

  EXPECT_EQ(server_->TryRead(buffer).bytes, 26U);
}

TEST_F(PathTest, HoldsAWriterToItsBuffers) {
  Use({.send_buffer_bytes = 100, .receive_buffer_bytes = 50});
  Establish();

  ASSERT_TRUE(client_->Write(std::string(1'000, 'x')));
  reactor_.RunFor(seconds(10));

  EXPECT_EQ(client_->pending(), 850U);
  ReadOnto(text_, *server_);
  EXPECT_EQ(text_.size(), 50U);
}

TEST_F(PathTest, RefusesWhatIsSetToRefuse) {
  network_.SetReach(kServer, Reach::kRefused);
  Connect();

  reactor_.RunFor(seconds(1));

  ASSERT_FALSE(client_->TryEstablish().has_value());
  EXPECT_EQ(client_->TryEstablish().error().code, FaultCode::kRefused);
}

TEST_F(PathTest, FailsAtOnceWhereThereIsNoRoute) {
  network_.SetReach(kServer, Reach::kUnreachable);

  const auto client = network_.Connect(kServer);

  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, FaultCode::kUnreachable);
}

TEST_F(PathTest, HoldsEverythingBackInABlackholeUntilItIsOpenAgain) {
  Establish();
  network_.SetReach(kServer, Reach::kBlackhole);
  ASSERT_TRUE(client_->Write("held"));
  client_->CloseWrite();
  reactor_.RunFor(seconds(100));
  EXPECT_EQ(ReadOnto(text_, *server_).kind, Kind::kWouldBlock);
  EXPECT_EQ(text_, "");

  network_.SetReach(kServer, Reach::kOpen);
  reactor_.RunFor(seconds(1));

  EXPECT_EQ(ReadOnto(text_, *server_).kind, Kind::kEnd);
  EXPECT_EQ(text_, "held");
}

TEST_F(PathTest, ResetsBothEndsOnRequest) {
  Establish();

  network_.ResetConnections(kServer);

  EXPECT_TRUE(client_->broken());
  EXPECT_TRUE(server_->broken());
  EXPECT_EQ(ReadOnto(text_, *client_).fault.code, FaultCode::kReset);
}

TEST_F(PathTest, ComesFromTheAddressAsked) {
  const IpAddress source = IpAddress::V4({198, 51, 100, 7});

  auto client = network_.ConnectFrom(source, kServer);
  ASSERT_TRUE(client.has_value());
  reactor_.RunFor(seconds(1));

  ASSERT_EQ(accepted_.streams.size(), 1U);
  EXPECT_EQ(accepted_.streams[0]->peer().address, source);
  EXPECT_EQ(accepted_.streams[0]->peer(), (*client)->local());
}

TEST_F(PathTest, SpreadsConnectsOverListenersOfOnePort) {
  AcceptedStreams others;
  const auto other = network_.Listen(kServer, {}, others);
  ASSERT_TRUE(other.has_value());
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(*network_.Connect(kServer));
  }

  reactor_.RunFor(seconds(1));

  EXPECT_EQ(accepted_.streams.size() + others.streams.size(), 100U);
  EXPECT_GT(accepted_.streams.size(), 20U);
  EXPECT_GT(others.streams.size(), 20U);
}

TEST_F(PathTest, ForgetsConnectionsThatBothEndsLeft) {
  Establish();
  EXPECT_EQ(network_.connections(), 1U);

  client_.reset();
  server_.reset();
  reactor_.RunFor(seconds(1));

  EXPECT_EQ(network_.connections(), 0U);
}

TEST_F(PathTest, ResetsAPeerThatAcceptedWhatGaveUpConnecting) {
  Use({.latency = milliseconds(10)});
  Connect();
  reactor_.RunFor(milliseconds(15));
  ASSERT_EQ(accepted_.streams.size(), 1U);

  client_.reset();
  reactor_.RunFor(seconds(1));

  EXPECT_TRUE(accepted_.streams[0]->peer_gone());
}

TEST(SimulatedNetworkLifeTest, MayGoBeforeItsStreams) {
  ManualClock clock;
  SimulatedReactor reactor(clock);
  auto network = std::make_unique<SimulatedNetwork>(reactor, 1);
  AcceptedStreams accepted;
  const auto acceptor = network->Listen(kServer, {}, accepted);
  const auto client = network->Connect(kServer);
  ASSERT_TRUE(client.has_value() && (*client)->Write("lost"));
  reactor.RunFor(microseconds(150));

  network.reset();
  static_cast<void>((*client)->Write("more"));
  reactor.RunFor(seconds(1));

  EXPECT_EQ((*client)->TryEstablish(), false);
}

TEST(SimulatedReactorTest, JumpsToWhatHappensNext) {
  ManualClock clock;
  SimulatedReactor reactor(clock);
  const MonotonicTime start = reactor.now();
  std::string order;
  reactor.At(start + seconds(2), [&] { order += 'c'; });
  reactor.At(start + seconds(1), [&] { order += 'a'; });
  reactor.At(start + seconds(1), [&] { order += 'b'; });

  EXPECT_TRUE(reactor.RunUntil([&] { return order.size() == 2; }, seconds(10)));
  EXPECT_EQ(reactor.now(), start + seconds(1));
  EXPECT_FALSE(reactor.RunUntil([&] { return order.size() == 4; }, seconds(10)));

  EXPECT_EQ(order, "abc");
  EXPECT_EQ(clock.Now(), start + seconds(11));
}

TEST(SimulatedReactorTest, LetsTimePassForOwnersThatAreAlwaysBusy) {
  ManualClock clock;
  SimulatedReactor reactor(clock);
  Signal signal(reactor);
  TaskScope scope(reactor);
  bool happened = false;
  reactor.After(milliseconds(1), [&] { happened = true; });
  scope.Spawn([](Signal* own) -> Task<void> {
    while (!own->cancelled()) {
      co_await own->Yield();
    }
  }(&signal));

  EXPECT_TRUE(reactor.RunUntil([&] { return happened; }, seconds(1)));
  scope.Clear();
}

}  // namespace
}  // namespace elb::net::testing
