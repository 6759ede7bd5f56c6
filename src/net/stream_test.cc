// The contract of streams and networks, held to the kernel's TCP and to the simulated network.

#include "net/stream.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"
#include "net/testing/collect.h"
#include "net/testing/network_rig.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;
using testing::NetworkKind;
using testing::ReadOnto;
using Kind = ReadResult::Kind;

constexpr Fault kReset{
    .side = FaultSide::kInternal, .code = FaultCode::kReset, .detail = ECONNRESET};

class StreamTest : public ::testing::TestWithParam<NetworkKind> {
 protected:
  void Connect() {
    pair_ = testing::Connected(*rig_);
    ASSERT_NE(pair_, nullptr);
    client_ = pair_->client.get();
    server_ = pair_->server.get();
  }
  /// Reads from `stream` until it has `size` bytes or ends.
  std::string ReadAtLeast(Stream& stream, std::size_t size) {
    std::string text;
    rig_->RunUntil([&] {
      last_ = ReadOnto(text, stream);
      return text.size() >= size || last_.kind != Kind::kWouldBlock;
    });
    return text;
  }
  std::string ReadToEnd(Stream& stream) { return ReadAtLeast(stream, SIZE_MAX); }

  std::unique_ptr<testing::NetworkRig> rig_ = testing::NewRig(GetParam());
  std::unique_ptr<testing::StreamPair> pair_;
  Stream* client_ = nullptr;
  Stream* server_ = nullptr;
  ReadResult last_;
};

TEST_P(StreamTest, CarriesBytesBothWays) {
  Connect();

  EXPECT_TRUE(client_->Write("question"));
  EXPECT_EQ(ReadAtLeast(*server_, 8), "question");
  EXPECT_TRUE(server_->Write("answer"));
  EXPECT_EQ(ReadAtLeast(*client_, 6), "answer");
}

TEST_P(StreamTest, WritesPiecesInOrderAsOne) {
  Connect();
  const std::array<std::string_view, 4> pieces{"head\r\n", "", "body", " end"};

  EXPECT_TRUE(client_->Write(pieces));

  EXPECT_EQ(client_->pending(), 0U);
  EXPECT_EQ(ReadAtLeast(*server_, 14), "head\r\nbody end");
}

TEST_P(StreamTest, KnowsBothEndpoints) {
  Connect();

  EXPECT_EQ(client_->peer(), pair_->acceptor->local());
  EXPECT_EQ(server_->local(), pair_->acceptor->local());
  EXPECT_EQ(server_->peer(), client_->local());
  EXPECT_NE(server_->peer().port, 0);
}

TEST_P(StreamTest, SaysWouldBlockWhileThereIsNothing) {
  Connect();
  std::string text;

  EXPECT_EQ(ReadOnto(text, *client_).kind, Kind::kWouldBlock);
  EXPECT_TRUE(client_->Quiet());
  EXPECT_FALSE(client_->peer_gone());
}

TEST_P(StreamTest, SendsWhatWasWrittenBeforeItWasConnected) {
  auto acceptor = rig_->network().Listen(
      rig_->any(), {}, (pair_ = std::make_unique<testing::StreamPair>())->accepted);
  ASSERT_TRUE(acceptor.has_value());
  auto client = rig_->network().Connect((*acceptor)->local());
  ASSERT_TRUE(client.has_value());

  EXPECT_TRUE((*client)->Write("early"));
  ASSERT_TRUE(rig_->RunUntil([&] { return !pair_->accepted.streams.empty(); }));

  EXPECT_EQ(ReadAtLeast(*pair_->accepted.streams[0], 5), "early");
}

TEST_P(StreamTest, EndsOutputThatWasClosedBeforeItWasConnected) {
  testing::AcceptedStreams accepted;
  auto acceptor = rig_->network().Listen(rig_->any(), {}, accepted);
  ASSERT_TRUE(acceptor.has_value());
  auto client = rig_->network().Connect((*acceptor)->local());
  ASSERT_TRUE(client.has_value());

  (*client)->CloseWrite();
  ASSERT_TRUE(rig_->RunUntil([&] { return !accepted.streams.empty(); }));

  EXPECT_EQ(ReadToEnd(*accepted.streams[0]), "");
  EXPECT_EQ(last_.kind, Kind::kEnd);
}

TEST_P(StreamTest, HalfClosesAndGoesOnReading) {
  Connect();

  EXPECT_TRUE(client_->Write("last words"));
  client_->CloseWrite();
  EXPECT_EQ(ReadToEnd(*server_), "last words");
  EXPECT_EQ(last_.kind, Kind::kEnd);
  EXPECT_TRUE(server_->peer_gone());
  EXPECT_FALSE(server_->broken());
  EXPECT_FALSE(server_->Quiet());
  EXPECT_TRUE(server_->Write("answer"));

  EXPECT_EQ(ReadAtLeast(*client_, 6), "answer");
  EXPECT_FALSE(client_->peer_gone());
}

TEST_P(StreamTest, IsNotBrokenWhenBothSidesEndInOrder) {
  Connect();

  client_->CloseWrite();
  server_->CloseWrite();

  EXPECT_EQ(ReadToEnd(*client_), "");
  EXPECT_EQ(last_.kind, Kind::kEnd);
  EXPECT_EQ(ReadToEnd(*server_), "");
  EXPECT_EQ(last_.kind, Kind::kEnd);
  rig_->RunFor(milliseconds(10));
  EXPECT_TRUE(client_->peer_gone());
  EXPECT_FALSE(client_->broken());
  EXPECT_FALSE(server_->broken());
  EXPECT_EQ(ReadToEnd(*client_), "");
  EXPECT_EQ(last_.kind, Kind::kEnd) << "the end is not repeated";
}

TEST_P(StreamTest, GivesDataBeforeTheEndThatCameWithIt) {
  Connect();

  EXPECT_TRUE(server_->Write("all"));
  pair_->server.reset();
  ASSERT_TRUE(rig_->RunUntil([&] { return client_->peer_gone(); }));

  EXPECT_EQ(ReadToEnd(*client_), "all");
  EXPECT_EQ(last_.kind, Kind::kEnd);
}

TEST_P(StreamTest, FindsTheEndThatCameWithDataOfAShortRead) {
  Connect();
  std::array<std::byte, 64> buffer{};

  EXPECT_TRUE(server_->Write("all"));
  pair_->server.reset();
  ASSERT_TRUE(rig_->RunUntil([&] { return client_->peer_gone(); }));
  std::size_t total = 0;
  while (total < 3) {
    total += client_->TryRead(buffer).bytes;
  }

  EXPECT_EQ(client_->TryRead(buffer).kind, Kind::kEnd) << "no event tells of it again";
}

TEST_P(StreamTest, ToldOfAResetByReading) {
  Connect();

  server_->Abort();
  ASSERT_TRUE(rig_->RunUntil([&] { return client_->peer_gone(); }));

  EXPECT_TRUE(client_->broken());
  EXPECT_EQ(ReadToEnd(*client_), "");
  EXPECT_EQ(last_.kind, Kind::kFault);
  EXPECT_EQ(last_.fault, kReset);
  EXPECT_FALSE(client_->Write("more").has_value());
  EXPECT_EQ(client_->pending(), 0U);
}

TEST_P(StreamTest, StaysResetAfterAWriteSawIt) {
  Connect();

  server_->Abort();
  ASSERT_TRUE(rig_->RunUntil([&] { return client_->peer_gone(); }));
  const Outcome<void> written = client_->Write("more");
  ASSERT_FALSE(written.has_value());

  EXPECT_EQ(written.error().code, FaultCode::kReset);
  EXPECT_EQ(ReadToEnd(*client_), "");
  EXPECT_EQ(last_.kind, Kind::kFault) << "a cut looks like an orderly end";
}

TEST_P(StreamTest, ResetsAPeerWhoseBytesWereNotRead) {
  Connect();

  EXPECT_TRUE(client_->Write("unread"));
  ASSERT_TRUE(rig_->RunUntil([&] { return !server_->Quiet(); }));
  pair_->server.reset();

  ASSERT_TRUE(rig_->RunUntil([&] { return client_->broken(); }));
  EXPECT_EQ(ReadToEnd(*client_), "");
  EXPECT_EQ(last_.fault, kReset);
}

TEST_P(StreamTest, IsDeadAfterAbort) {
  Connect();
  std::array<std::byte, 8> buffer{};

  client_->Abort();
  client_->Abort();
  client_->CloseWrite();

  EXPECT_TRUE(client_->broken());
  EXPECT_TRUE(client_->peer_gone());
  EXPECT_FALSE(client_->Quiet());
  EXPECT_EQ(client_->pending(), 0U);
  EXPECT_EQ(client_->TryRead(buffer).kind, Kind::kFault);
  EXPECT_FALSE(client_->Write("x").has_value());
  EXPECT_FALSE(client_->TryEstablish().has_value());
}

TEST_P(StreamTest, RefusedWhereNobodyListens) {
  auto client = rig_->network().Connect(rig_->refusing());
  Outcome<bool> established = false;
  if (client) {
    rig_->RunUntil([&] {
      established = (*client)->TryEstablish();
      return !established || *established;
    });
  } else {
    established = std::unexpected(client.error());
  }

  ASSERT_FALSE(established.has_value());
  EXPECT_EQ(established.error().code, FaultCode::kRefused);
  EXPECT_EQ(established.error().detail, ECONNREFUSED);
}

TEST_P(StreamTest, RefusedOnceTheAcceptorIsGone) {
  Connect();
  const Endpoint at = pair_->acceptor->local();
  pair_->acceptor.reset();

  auto client = rig_->network().Connect(at);
  ASSERT_TRUE(client.has_value());
  ASSERT_TRUE(rig_->RunUntil([&] { return !(*client)->TryEstablish().has_value(); }));

  EXPECT_EQ((*client)->TryEstablish().error().code, FaultCode::kRefused);
}

TEST_P(StreamTest, RefusesToListenTwiceWithoutReusePort) {
  testing::AcceptedStreams accepted;
  const ListenOptions alone{.reuse_port = false};
  const auto first = rig_->network().Listen(rig_->any(), alone, accepted);
  ASSERT_TRUE(first.has_value());

  const auto second = rig_->network().Listen((*first)->local(), alone, accepted);

  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().detail, EADDRINUSE);
}

TEST_P(StreamTest, SharesAPortBetweenListenersThatReuseIt) {
  testing::AcceptedStreams accepted;
  const auto first = rig_->network().Listen(rig_->any(), {}, accepted);
  ASSERT_TRUE(first.has_value());

  EXPECT_TRUE(rig_->network().Listen((*first)->local(), {}, accepted).has_value());
}

TEST_P(StreamTest, HoldsOutputThatThePeerDoesNotTakeAndSendsItLater) {
  Connect();
  const std::string block(1'000'000, 'b');
  std::size_t written = 0;

  while (client_->pending() == 0) {
    ASSERT_TRUE(client_->Write(block));
    written += block.size();
    rig_->RunFor(milliseconds(10));
  }
  client_->CloseWrite();

  EXPECT_EQ(ReadToEnd(*server_).size(), written);
  EXPECT_EQ(last_.kind, Kind::kEnd);
  EXPECT_EQ(client_->pending(), 0U);
}

TEST_P(StreamTest, NotifiesWhenThePeerTookSomeOfWhatIsPending) {
  Connect();
  while (client_->pending() == 0) {
    ASSERT_TRUE(client_->Write(std::string(1'000'000, 'b')));
    rig_->RunFor(milliseconds(10));
  }
  const std::size_t pending = client_->pending();
  Signal signal(rig_->reactor());
  client_->SetSignal(&signal);
  std::size_t seen = pending;
  TaskScope scope(rig_->reactor());
  scope.Spawn([](Stream* stream, Signal* wait, std::size_t* left) -> Task<void> {
    while (*left > 0 && co_await wait->Wait() == Wake::kNotified) {
      *left = stream->pending();
    }
  }(client_, &signal, &seen));

  std::string text;
  const bool drained = rig_->RunUntil([&] {
    ReadOnto(text, *server_);
    return seen == 0;
  });

  EXPECT_TRUE(drained) << "the writer was not told";
  client_->SetSignal(nullptr);
}

TEST_P(StreamTest, TellsASignalOfNewsThatCameBeforeIt) {
  Connect();
  std::string text;
  EXPECT_EQ(ReadOnto(text, *client_).kind, Kind::kWouldBlock);

  EXPECT_TRUE(server_->Write("news"));
  ASSERT_TRUE(rig_->RunUntil([&] { return !client_->Quiet(); }));
  Signal signal(rig_->reactor());
  client_->SetSignal(&signal);

  EXPECT_TRUE(signal.Wait().await_ready());
  client_->SetSignal(nullptr);
}

TEST_P(StreamTest, TellsASignalOfAConnectThatCameBeforeIt) {
  testing::AcceptedStreams accepted;
  const auto acceptor = rig_->network().Listen(rig_->any(), {}, accepted);
  ASSERT_TRUE(acceptor.has_value());
  auto client = rig_->network().Connect((*acceptor)->local());
  ASSERT_TRUE(client.has_value());
  std::string text;
  EXPECT_EQ(ReadOnto(text, **client).kind, Kind::kWouldBlock);

  ASSERT_TRUE(rig_->RunUntil([&] { return (*client)->TryEstablish().value_or(false); }));
  Signal signal(rig_->reactor());
  (*client)->SetSignal(&signal);

  EXPECT_TRUE(signal.Wait().await_ready());
  (*client)->SetSignal(nullptr);
}

TEST_P(StreamTest, ClosesWithoutNewsWhileItIsConnecting) {
  auto client = rig_->network().Connect(rig_->blackhole());
  ASSERT_TRUE(client.has_value());

  client->reset();
  rig_->RunFor(milliseconds(100));
}

/// Reads everything, in budgets, and counts the turns in which it got something.
Task<void> ReadGreedily(Stream* stream, Signal* signal, std::size_t* bytes) {
  stream->SetSignal(signal);
  std::array<std::byte, 4096> buffer{};
  while (true) {
    const ReadResult read = stream->TryRead(buffer);
    *bytes += read.bytes;
    if (read.kind == Kind::kData) {
      co_await signal->Yield();
    } else if (read.kind != Kind::kWouldBlock || co_await signal->Wait() != Wake::kNotified) {
      break;
    }
  }
  stream->SetSignal(nullptr);
}

TEST_P(StreamTest, LetsASlowPeerInBetweenTheBudgetsOfAFastOne) {
  Connect();
  const auto slow = testing::Connected(*rig_);
  ASSERT_NE(slow, nullptr);
  Signal fast_signal(rig_->reactor());
  Signal slow_signal(rig_->reactor());
  std::size_t fast_bytes = 0;
  std::size_t slow_bytes = 0;
  ASSERT_TRUE(client_->Write(std::string(3'000'000, 'f')));
  ASSERT_TRUE(slow->client->Write("s"));
  TaskScope scope(rig_->reactor());

  scope.Spawn(ReadGreedily(server_, &fast_signal, &fast_bytes));
  scope.Spawn(ReadGreedily(slow->server.get(), &slow_signal, &slow_bytes));
  ASSERT_TRUE(rig_->RunUntil([&] { return slow_bytes == 1; }));

  EXPECT_LT(fast_bytes, 300'000U) << "the fast peer was served to its end first";
  scope.Clear();
  server_->SetSignal(nullptr);
  slow->server->SetSignal(nullptr);
}

INSTANTIATE_TEST_SUITE_P(Networks, StreamTest,
                         ::testing::Values(NetworkKind::kKernel, NetworkKind::kSimulated),
                         [](const auto& test) {
                           return test.param == NetworkKind::kKernel ? "OverTheKernel"
                                                                     : "Simulated";
                         });

}  // namespace
}  // namespace elb::net
