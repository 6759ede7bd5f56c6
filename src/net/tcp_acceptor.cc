#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <tuple>
#include <utility>

#include "net/held_connections.h"
#include "net/socket_address.h"
#include "net/tcp_stream.h"

namespace elb::net {
namespace {

bool HasOption(const Descriptor& socket, int option, int wanted) {
  int value = 0;
  socklen_t length = sizeof(value);
  return getsockopt(socket.get(), SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
}

/// One listening socket on a reactor.
class ListeningSocket final : private DescriptorHandler, private TimerNode {
 public:
  ListeningSocket(EpollReactor& reactor, Descriptor socket, AcceptHandler& handler)
      : reactor_(&reactor),
        socket_(std::move(socket)),
        handler_(&handler),
        held_(reactor, handler) {}
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ListeningSocket(ListeningSocket&&) = delete;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  /// Removed from the reactor even if the socket lives on elsewhere: closing would not do that.
  ~ListeningSocket() override {
    if (listening_) {
      reactor_->Remove(socket_.get(), *this);
    }
  }

  [[nodiscard]] bool Register() {
    listening_ = reactor_->AddListening(socket_.get(), *this);
    return listening_;
  }
  [[nodiscard]] const Descriptor& socket() const { return socket_; }
  void ReleaseHeld() { held_.Release(); }

 private:
  static constexpr int kAcceptsPerTurn = 64;
  static constexpr std::chrono::milliseconds kPause{100};

  void OnEvents(std::uint32_t /*events*/) override {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      sockaddr_storage storage{};
      socklen_t length = sizeof(storage);
      Descriptor accepted(accept4(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!accepted.valid()) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          Pause();
        }
        return;
      }
      Take(std::move(accepted), FromSocketAddress(storage));
    }
  }

  void Take(Descriptor accepted, const Endpoint& peer) {
    if (handler_->MayHold(peer)) {
      SetNoDelay(accepted);
      held_.Add(std::move(accepted), peer);
    } else if (auto stream = AcceptedStream(*reactor_, std::move(accepted), peer)) {
      handler_->OnAccept(std::move(stream));
    }
  }

  void Pause() {
    reactor_->Remove(socket_.get(), *this);
    listening_ = false;
    reactor_->timers().Arm(*this, reactor_->now() + kPause);
  }

  void OnTimer() override {
    if (!Register()) {
      reactor_->timers().Arm(*this, reactor_->now() + kPause);
    }
  }

  EpollReactor* reactor_;
  Descriptor socket_;
  bool listening_ = false;
  AcceptHandler* handler_;
  HeldConnections held_;
};

Outcome<Descriptor> Bind(const Endpoint& at, const ListenOptions& options) {
  Descriptor socket = NewTcpSocket(at.address);
  if (!socket.valid()) {
    return std::unexpected(FaultOfErrno(errno));
  }
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (options.reuse_port) {
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  }
  if (at.address.family() == IpFamily::kV6) {
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  sockaddr_storage storage{};
  const socklen_t length = ToSocketAddress(at, storage);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0 ||
      listen(socket.get(), options.backlog) != 0) {
    return std::unexpected(FaultOfErrno(errno));
  }
  return socket;
}

}  // namespace

/// Accepts on one socket, or on several of one endpoint that came from another process.
class TcpAcceptor final : public Acceptor {
 public:
  TcpAcceptor(TcpNetwork& network, const Endpoint& local) : network_(&network), local_(local) {
    network_->acceptors_.push_back(this);
  }
  TcpAcceptor(const TcpAcceptor&) = delete;
  TcpAcceptor& operator=(const TcpAcceptor&) = delete;
  TcpAcceptor(TcpAcceptor&&) = delete;
  TcpAcceptor& operator=(TcpAcceptor&&) = delete;
  ~TcpAcceptor() override { std::erase(network_->acceptors_, this); }

  /// False: errno tells why.
  [[nodiscard]] bool Add(EpollReactor& reactor, Descriptor socket, AcceptHandler& handler) {
    sockets_.push_back(std::make_unique<ListeningSocket>(reactor, std::move(socket), handler));
    return sockets_.back()->Register();
  }
  [[nodiscard]] Endpoint local() const override { return local_; }
  void ReleaseHeld() override {
    for (const auto& socket : sockets_) {
      socket->ReleaseHeld();
    }
  }
  void ShareOnto(std::vector<Descriptor>& duplicates) const {
    for (const auto& socket : sockets_) {
      if (Descriptor duplicate = socket->socket().Duplicate(); duplicate.valid()) {
        duplicates.push_back(std::move(duplicate));
      }
    }
  }

 private:
  TcpNetwork* network_;
  Endpoint local_;
  std::vector<std::unique_ptr<ListeningSocket>> sockets_;
};

Outcome<std::unique_ptr<Acceptor>> TcpNetwork::Listen(const Endpoint& at,
                                                      const ListenOptions& options,
                                                      AcceptHandler& handler) {
  std::vector<Descriptor> sockets = TakeAdopted(at);
  if (sockets.empty()) {
    auto bound = Bind(at, options);
    if (!bound) {
      return std::unexpected(bound.error());
    }
    sockets.push_back(*std::move(bound));
  }
  auto acceptor = std::make_unique<TcpAcceptor>(*this, LocalEndpoint(sockets.front()));
  for (Descriptor& socket : sockets) {
    if (!acceptor->Add(*reactor_, std::move(socket), handler)) {
      return std::unexpected(FaultOfErrno(errno));
    }
  }
  return acceptor;
}

void TcpNetwork::Adopt(std::vector<Descriptor> sockets) {
  for (Descriptor& socket : sockets) {
    if (HasOption(socket, SO_ACCEPTCONN, 1) && HasOption(socket, SO_PROTOCOL, IPPROTO_TCP)) {
      const Endpoint local = LocalEndpoint(socket);
      adopted_.emplace(local, std::move(socket));
    }
  }
}

std::vector<Descriptor> TcpNetwork::TakeAdopted(const Endpoint& at) {
  auto [first, last] = adopted_.equal_range(at);
  if (at.port == 0) {
    const auto any = std::ranges::find_if(
        adopted_, [&](const auto& socket) { return socket.first.address == at.address; });
    if (any != adopted_.end()) {
      std::tie(first, last) = adopted_.equal_range(any->first);
    }
  }
  std::vector<Descriptor> taken;
  for (auto socket = first; socket != last; ++socket) {
    taken.push_back(std::move(socket->second));
  }
  adopted_.erase(first, last);
  return taken;
}

std::vector<Descriptor> TcpNetwork::Share() const {
  std::vector<Descriptor> duplicates;
  for (const TcpAcceptor* acceptor : acceptors_) {
    acceptor->ShareOnto(duplicates);
  }
  return duplicates;
}

}  // namespace elb::net
