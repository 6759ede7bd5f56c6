#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/tcp_stream.h"

namespace elb::net {
namespace {

class Counting final : public AcceptHandler {
 public:
  void OnAccept(std::unique_ptr<Stream> stream) override { streams.push_back(std::move(stream)); }
  std::vector<std::unique_ptr<Stream>> streams;
};

/// A network as one process has it.
struct Process {
  SystemClock clock;
  EpollReactor reactor{clock};
  TcpNetwork network{reactor};
  Counting accepted;

  std::unique_ptr<Acceptor> Listen(const Endpoint& at) {
    auto acceptor = network.Listen(at, {}, accepted);
    EXPECT_TRUE(acceptor.has_value());
    return *std::move(acceptor);
  }
  /// Until `count` connections were accepted.
  void AcceptUntil(std::size_t count) {
    while (accepted.streams.size() < count) {
      reactor.Post([this] { reactor.Stop(); });
      reactor.Run();
    }
  }
};

const Endpoint kAny{.address = IpAddress::V4({127, 0, 0, 1}), .port = 0};

/// What one process gives to the other, where there are two of them.
class TcpAcceptorTest : public ::testing::Test {
 protected:
  std::unique_ptr<Stream> Connect(const Endpoint& to) {
    auto stream = client_.network.Connect(to);
    EXPECT_TRUE(stream.has_value());
    return *std::move(stream);
  }

  Process client_;
  Process old_;
  Process fresh_;
};

TEST_F(TcpAcceptorTest, AcceptsWhatWaitedOnASharedSocketWhoseFirstOwnerIsGone) {
  auto acceptor = old_.Listen(kAny);
  const Endpoint local = acceptor->local();
  const auto waiting = Connect(local);  // In the backlog; nobody has run the old reactor.
  fresh_.network.Adopt(old_.network.Share());
  acceptor.reset();

  const auto adopted = fresh_.Listen(local);
  fresh_.AcceptUntil(1);

  EXPECT_EQ(adopted->local(), local);
  EXPECT_EQ(fresh_.accepted.streams.front()->local(), local);
}

TEST_F(TcpAcceptorTest, StopsAcceptingThoughTheSocketLivesOnElsewhere) {
  auto acceptor = old_.Listen(kAny);
  const Endpoint local = acceptor->local();
  fresh_.network.Adopt(old_.network.Share());
  const auto adopted = fresh_.Listen(local);
  acceptor.reset();

  const auto waiting = Connect(local);
  old_.reactor.Post([this] { old_.reactor.Stop(); });
  old_.reactor.Run();
  fresh_.AcceptUntil(1);

  EXPECT_TRUE(old_.accepted.streams.empty());
}

TEST_F(TcpAcceptorTest, AcceptsOnAllAdoptedSocketsOfAnEndpoint) {
  auto first = old_.Listen(kAny);
  const Endpoint local = first->local();
  auto second = old_.Listen(local);
  fresh_.network.Adopt(old_.network.Share());
  std::vector<std::unique_ptr<Stream>> waiting;
  for (int i = 0; i < 32; ++i) {  // Enough for the kernel to put some on either socket.
    waiting.push_back(Connect(local));
  }
  first.reset();
  second.reset();

  const auto adopted = fresh_.Listen(local);
  fresh_.AcceptUntil(32);

  EXPECT_EQ(fresh_.network.Share().size(), 2);
}

TEST_F(TcpAcceptorTest, FindsAnAdoptedSocketOfAnyPortForPortZero) {
  const auto acceptor = old_.Listen(kAny);
  fresh_.network.Adopt(old_.network.Share());

  EXPECT_EQ(fresh_.Listen(kAny)->local(), acceptor->local());
  EXPECT_NE(fresh_.Listen(kAny)->local(), acceptor->local());
}

TEST_F(TcpAcceptorTest, BindsAnewWhatIsNotAdopted) {
  const auto acceptor = old_.Listen(kAny);
  fresh_.network.Adopt(old_.network.Share());
  fresh_.network.DropAdopted();

  const auto own = fresh_.Listen(acceptor->local());

  EXPECT_EQ(own->local(), acceptor->local());  // SO_REUSEPORT.
  EXPECT_EQ(fresh_.network.Share().size(), 1);
}

TEST_F(TcpAcceptorTest, AdoptsNothingButListeningSockets) {
  std::vector<Descriptor> strangers;
  strangers.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  strangers.emplace_back(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  strangers.emplace_back();
  fresh_.network.Adopt(std::move(strangers));

  const auto own = fresh_.Listen({.address = IpAddress::V4({0, 0, 0, 0}), .port = 0});

  EXPECT_NE(own->local().port, 0);  // The strangers are bound to no port.
}

}  // namespace
}  // namespace elb::net
