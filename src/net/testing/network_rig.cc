#include "net/testing/network_rig.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/assert.h"
#include "net/signal.h"
#include "net/socket_address.h"
#include "net/tcp_stream.h"
#include "net/testing/simulated_network.h"
#include "net/testing/simulated_reactor.h"

namespace elb::net::testing {
namespace {

/// Longer than anything takes on a loaded machine: a test fails instead of hanging.
constexpr std::chrono::seconds kPatience{30};

/// Stops a reactor once a condition holds. Always ready, so that the reactor never sleeps.
class Watcher final : public ReadyNode {
 public:
  Watcher(EpollReactor& reactor, const std::function<bool()>& done)
      : reactor_(&reactor), done_(&done), give_up_(SystemClock().Now() + kPatience) {
    reactor_->MakeReady(*this);
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  void OnReady() override {
    held_ = (*done_)();
    if (held_ || SystemClock().Now() > give_up_) {
      reactor_->Stop();
    } else {
      reactor_->MakeReady(*this);
    }
  }

  EpollReactor* reactor_;
  const std::function<bool()>* done_;
  MonotonicTime give_up_;
  bool held_ = false;
};

class KernelRig final : public NetworkRig {
 public:
  KernelRig() = default;
  KernelRig(const KernelRig&) = delete;
  KernelRig& operator=(const KernelRig&) = delete;
  KernelRig(KernelRig&&) = delete;
  KernelRig& operator=(KernelRig&&) = delete;
  ~KernelRig() override {
    for (const int descriptor : descriptors_) {
      close(descriptor);
    }
  }

  Reactor& reactor() override { return reactor_; }
  Network& network() override { return network_; }
  [[nodiscard]] Endpoint any() const override {
    return {.address = IpAddress::V4({127, 0, 0, 1}), .port = 0};
  }

  /// Bound, so that nobody else gets it, and not listening.
  Endpoint refusing() override { return NewSocket().second; }

  /// A listening socket whose queue is full drops what comes.
  Endpoint blackhole() override {
    const auto [descriptor, endpoint] = NewSocket();
    ELB_ASSERT(listen(descriptor, 0) == 0);
    for (int i = 0; i < 4; ++i) {
      const int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      descriptors_.push_back(filler);
      sockaddr_storage storage{};
      const socklen_t length = ToSocketAddress(endpoint, storage);
      static_cast<void>(connect(filler, reinterpret_cast<sockaddr*>(&storage), length));
    }
    return endpoint;
  }

  bool RunUntil(const std::function<bool()>& done) override {
    const Watcher watcher(reactor_, done);
    reactor_.Run();
    return watcher.held();
  }

  void RunFor(std::chrono::milliseconds time) override {
    clock_.Advance(time);
    int turns = 3;  // What is due, what it makes ready, and what that makes ready.
    RunUntil([&turns] { return --turns == 0; });
  }

 private:
  std::pair<int, Endpoint> NewSocket() {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    descriptors_.push_back(descriptor);
    sockaddr_storage storage{};
    socklen_t length = ToSocketAddress(any(), storage);
    ELB_ASSERT(bind(descriptor, reinterpret_cast<sockaddr*>(&storage), length) == 0);
    ELB_ASSERT(getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
    return {descriptor, FromSocketAddress(storage)};
  }

  ManualClock clock_;
  EpollReactor reactor_{clock_};
  TcpNetwork network_{reactor_};
  std::vector<int> descriptors_;
};

class SimulatedRig final : public NetworkRig {
 public:
  Reactor& reactor() override { return reactor_; }
  Network& network() override { return network_; }
  [[nodiscard]] Endpoint any() const override {
    return {.address = IpAddress::V4({127, 0, 0, 1}), .port = 0};
  }
  Endpoint refusing() override { return {.address = any().address, .port = 1}; }
  Endpoint blackhole() override {
    const Endpoint endpoint{.address = any().address, .port = 2};
    network_.SetReach(endpoint, Reach::kBlackhole);
    return endpoint;
  }
  bool RunUntil(const std::function<bool()>& done) override {
    return reactor_.RunUntil(done, std::chrono::hours(1));
  }
  void RunFor(std::chrono::milliseconds time) override { reactor_.RunFor(time); }

 private:
  static constexpr std::uint64_t kSeed = 1;
  ManualClock clock_;
  SimulatedReactor reactor_{clock_};
  SimulatedNetwork network_{reactor_, kSeed};
};

}  // namespace

std::unique_ptr<NetworkRig> NewRig(NetworkKind kind) {
  if (kind == NetworkKind::kKernel) {
    return std::make_unique<KernelRig>();
  }
  return std::make_unique<SimulatedRig>();
}

void AcceptedStreams::OnAccept(std::unique_ptr<Stream> stream) {
  streams.push_back(std::move(stream));
  if (signal != nullptr) {
    signal->Notify();
  }
}

std::unique_ptr<StreamPair> Connected(NetworkRig& rig) {
  auto pair = std::make_unique<StreamPair>();
  auto acceptor = rig.network().Listen(rig.any(), {}, pair->accepted);
  if (!acceptor) {
    return nullptr;
  }
  pair->acceptor = *std::move(acceptor);
  auto client = rig.network().Connect(pair->acceptor->local());
  if (!client) {
    return nullptr;
  }
  pair->client = *std::move(client);
  const bool met = rig.RunUntil([&pair] {
    return pair->client->TryEstablish().value_or(false) && !pair->accepted.streams.empty();
  });
  if (!met) {
    return nullptr;
  }
  pair->server = std::move(pair->accepted.streams.front());
  pair->accepted.streams.clear();
  return pair;
}

}  // namespace elb::net::testing
