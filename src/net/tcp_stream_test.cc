// What only the kernel's TCP has. The contract of streams is in stream_test.cc.

#include "net/tcp_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/signal.h"
#include "net/socket_address.h"
#include "net/task.h"
#include "net/task_scope.h"
#include "net/testing/collect.h"
#include "net/testing/network_rig.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;
using testing::NetworkKind;

/// A blocking socket of the test's own, connected to an acceptor.
class PlainSocket {
 public:
  explicit PlainSocket(const Endpoint& to) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_storage storage{};
    const socklen_t length = ToSocketAddress(to, storage);
    EXPECT_EQ(connect(descriptor_, reinterpret_cast<sockaddr*>(&storage), length), 0);
  }
  PlainSocket(PlainSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  PlainSocket(const PlainSocket&) = delete;
  PlainSocket& operator=(const PlainSocket&) = delete;
  PlainSocket& operator=(PlainSocket&&) = delete;
  ~PlainSocket() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  [[nodiscard]] int get() const { return descriptor_; }
  void Send(std::string_view bytes) const {
    EXPECT_EQ(send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  int descriptor_;
};

class TcpStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto acceptor = rig_->network().Listen(rig_->any(), {}, accepted_);
    ASSERT_TRUE(acceptor.has_value());
    acceptor_ = *std::move(acceptor);
  }
  /// The stream that was accepted for the next plain socket.
  std::unique_ptr<Stream> Accept() {
    EXPECT_TRUE(rig_->RunUntil([this] { return !accepted_.streams.empty(); }));
    auto stream = std::move(accepted_.streams.front());
    accepted_.streams.erase(accepted_.streams.begin());
    return stream;
  }

  std::unique_ptr<testing::NetworkRig> rig_ = testing::NewRig(NetworkKind::kKernel);
  testing::AcceptedStreams accepted_;
  std::unique_ptr<Acceptor> acceptor_;
  std::string text_;
};

/// Appends what can be read now; the length of `text` then.
std::size_t ReadAll(Stream& stream, std::string& text) {
  std::array<std::byte, 1024> buffer{};
  for (ReadResult read = stream.TryRead(buffer); read.kind == ReadResult::Kind::kData;
       read = stream.TryRead(buffer)) {
    text.append(reinterpret_cast<const char*>(buffer.data()), read.bytes);
  }
  return text.size();
}

/// Counts how often it was woken until the end, and reads without looking again after a short read.
Task<void> ReadByEvents(Stream* stream, Signal* signal, std::string* text, int* wakes) {
  stream->SetSignal(signal);
  std::array<std::byte, 1024> buffer{};
  while (true) {
    const ReadResult read = stream->TryRead(buffer);
    if (read.kind == ReadResult::Kind::kData) {
      text->append(reinterpret_cast<const char*>(buffer.data()), read.bytes);
    } else if (read.kind == ReadResult::Kind::kWouldBlock) {
      static_cast<void>(co_await signal->Wait());
      ++*wakes;
    } else {
      break;
    }
  }
  stream->SetSignal(nullptr);
  *text += "<end>";
}

TEST_F(TcpStreamTest, ReadsDataAndFinOfOneEventInOneWake) {
  PlainSocket peer(acceptor_->local());
  const auto stream = Accept();
  EXPECT_EQ(testing::ReadOnto(text_, *stream).kind, ReadResult::Kind::kWouldBlock);
  Signal signal(rig_->reactor());
  int wakes = 0;
  TaskScope scope(rig_->reactor());
  scope.Spawn(ReadByEvents(stream.get(), &signal, &text_, &wakes));

  peer.Send("data");  // Nobody looks at descriptors before the FIN is there too.
  shutdown(peer.get(), SHUT_WR);
  ASSERT_TRUE(rig_->RunUntil([&] { return scope.size() == 0; }));

  EXPECT_EQ(text_, "data<end>");
  EXPECT_EQ(wakes, 1);
}

TEST_F(TcpStreamTest, ReadsDataThatCameBeforeAReset) {
  PlainSocket peer(acceptor_->local());
  const auto stream = Accept();

  peer.Send("data");
  const linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  {
    const PlainSocket closing(std::move(peer));
  }
  ASSERT_TRUE(rig_->RunUntil([&] { return stream->broken(); }));
  const ReadResult end = testing::ReadOnto(text_, *stream);

  EXPECT_EQ(text_, "data");
  EXPECT_EQ(end.kind, ReadResult::Kind::kFault);
  EXPECT_EQ(end.fault.code, FaultCode::kReset);
}

TEST_F(TcpStreamTest, SendsAtOnceOnBothSides) {
  const auto pair = testing::Connected(*rig_);
  ASSERT_NE(pair, nullptr);

  int with_no_delay = 0;
  for (int descriptor = 3; descriptor < 256; ++descriptor) {
    int on = 0;
    socklen_t length = sizeof(on);
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0 && on != 0) {
      ++with_no_delay;
    }
  }

  EXPECT_EQ(with_no_delay, 2);
}

TEST_F(TcpStreamTest, MeasuresTheRoundTripTime) {
  const auto pair = testing::Connected(*rig_);
  ASSERT_NE(pair, nullptr);

  EXPECT_GT(pair->client->RoundTripMicros(), 0U);
  pair->client->Abort();
  EXPECT_EQ(pair->client->RoundTripMicros(), 0U);
}

TEST_F(TcpStreamTest, TellsItsTrafficOnce) {
  const PlainSocket peer(acceptor_->local());
  const auto stream = Accept();
  peer.Send("twelve bytes");
  ASSERT_TRUE(rig_->RunUntil([&] { return ReadAll(*stream, text_) == 12; }));
  ASSERT_TRUE(stream->Write("four").has_value());

  const Traffic first = stream->TakeTraffic(PacketCount::kNow);
  const Traffic second = stream->TakeTraffic(PacketCount::kNow);

  EXPECT_EQ(first.bytes_in, 12U);
  EXPECT_EQ(first.bytes_out, 4U);
  EXPECT_GE(first.packets_in, 2U);   // The ACK of the handshake and the data.
  EXPECT_GE(first.packets_out, 1U);  // Data; an ACK may ride on it.
  EXPECT_EQ(second.bytes_in + second.bytes_out, 0U);
}

TEST_F(TcpStreamTest, TellsWhatWaitsUnread) {
  const PlainSocket peer(acceptor_->local());
  const auto stream = Accept();
  peer.Send("unread");

  EXPECT_TRUE(rig_->RunUntil([&] { return stream->UnreadBytes() == 6; }));
  EXPECT_EQ(ReadAll(*stream, text_), 6U);
  EXPECT_EQ(stream->UnreadBytes(), 0U);
}

TEST_F(TcpStreamTest, AsksForPacketsOnlyWhenTheyAreDue) {
  const PlainSocket peer(acceptor_->local());
  const auto stream = Accept();

  EXPECT_EQ(stream->TakeTraffic(PacketCount::kWhenDue).packets_in, 0U);
  EXPECT_GE(stream->TakeTraffic(PacketCount::kNow).packets_in, 1U);
}

TEST_F(TcpStreamTest, AcceptsAtMostSixtyFourPerTurn) {
  std::vector<PlainSocket> peers;
  for (int i = 0; i < 100; ++i) {
    peers.emplace_back(acceptor_->local());
  }
  std::size_t most = 0;
  std::size_t before = 0;

  ASSERT_TRUE(rig_->RunUntil([&] {
    most = std::max(most, accepted_.streams.size() - before);
    before = accepted_.streams.size();
    return before == 100;
  }));

  EXPECT_EQ(most, 64U);
}

/// Takes all descriptors away while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  NoDescriptors(NoDescriptors&&) = delete;
  NoDescriptors& operator=(NoDescriptors&&) = delete;
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(TcpStreamTest, PausesAcceptingWithoutDescriptorsAndGoesOnLater) {
  const PlainSocket peer(acceptor_->local());
  {
    const NoDescriptors none;
    rig_->RunFor(milliseconds(10));
    EXPECT_TRUE(accepted_.streams.empty());
  }
  rig_->RunFor(milliseconds(80));
  EXPECT_TRUE(accepted_.streams.empty()) << "did not pause";

  rig_->RunFor(milliseconds(24));  // 100 ms are over, and one tick.

  EXPECT_EQ(accepted_.streams.size(), 1U);
}

TEST_F(TcpStreamTest, ClosesAnAcceptorThatPauses) {
  const PlainSocket peer(acceptor_->local());
  {
    const NoDescriptors none;
    rig_->RunFor(milliseconds(10));
  }

  acceptor_.reset();
  rig_->RunFor(milliseconds(200));

  EXPECT_TRUE(accepted_.streams.empty());
}

TEST_F(TcpStreamTest, FailsToConnectWithoutDescriptors) {
  const NoDescriptors none;

  const auto stream = rig_->network().Connect(acceptor_->local());

  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, FaultCode::kUnreachable);
  EXPECT_EQ(stream.error().detail, EMFILE);
}

/// A port from which connects start: no other one can become both ends of a connection.
std::uint16_t FreePortOfConnects(const Endpoint& acceptor) {
  const PlainSocket probe(acceptor);
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  EXPECT_EQ(getsockname(probe.get(), reinterpret_cast<sockaddr*>(&storage), &length), 0);
  const linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(probe.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  return FromSocketAddress(storage).port;
}

TEST_F(TcpStreamTest, RefusesAConnectionToItself) {
  const Endpoint nobody{.address = rig_->any().address,
                        .port = FreePortOfConnects(acceptor_->local())};
  int established = 0;

  for (int i = 0; i < 40'000; ++i) {  // The kernel tries every port in turn, this one included.
    auto client = rig_->network().Connect(nobody);
    Outcome<bool> result = false;
    if (client) {
      rig_->RunUntil([&] {
        result = (*client)->TryEstablish();
        return !result || *result;
      });
      established += result ? 1 : 0;
    }
  }

  EXPECT_EQ(established, 0);
}

TEST_F(TcpStreamTest, FailsToListenWhereTheAddressIsNotOurs) {
  const auto acceptor =
      rig_->network().Listen({.address = IpAddress::V4({192, 0, 2, 1}), .port = 0}, {}, accepted_);

  ASSERT_FALSE(acceptor.has_value());
  EXPECT_EQ(acceptor.error().detail, EADDRNOTAVAIL);
}

TEST_F(TcpStreamTest, SpeaksIpv6) {
  testing::AcceptedStreams accepted;
  const auto acceptor =
      rig_->network().Listen({.address = *IpAddress::Parse("::1"), .port = 0}, {}, accepted);
  if (!acceptor) {
    GTEST_SKIP() << "no IPv6 loopback";
  }
  auto client = rig_->network().Connect((*acceptor)->local());
  ASSERT_TRUE(client.has_value());
  ASSERT_TRUE((*client)->Write("six"));

  ASSERT_TRUE(rig_->RunUntil([&] { return !accepted.streams.empty(); }));
  rig_->RunUntil([&] {
    testing::ReadOnto(text_, *accepted.streams[0]);
    return text_.size() == 3;
  });

  EXPECT_EQ(text_, "six");
  EXPECT_EQ(accepted.streams[0]->peer().address, *IpAddress::Parse("::1"));
}

TEST_F(TcpStreamTest, LosesOnlyWhatTheKernelHadNotTakenWhenDestroyed) {
  const auto pair = testing::Connected(*rig_);
  ASSERT_NE(pair, nullptr);
  while (pair->client->pending() == 0) {
    ASSERT_TRUE(pair->client->Write(std::string(1'000'000, 'x')));
  }
  const std::size_t pending = pair->client->pending();

  pair->client.reset();
  rig_->RunUntil([&] {
    return testing::ReadOnto(text_, *pair->server).kind != ReadResult::Kind::kWouldBlock;
  });

  EXPECT_GT(pending, 0U);
  EXPECT_EQ(text_.size() % 1'000'000, 1'000'000 - pending % 1'000'000);
}

}  // namespace
}  // namespace elb::net
