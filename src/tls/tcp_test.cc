// TLS on both sides over the kernel's TCP: no wake-up may get lost.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"
#include "net/tcp_stream.h"
#include "tls/client_stream.h"
#include "tls/server_stream.h"
#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using net::ReadResult;

constexpr std::size_t kHighMark = 256 * 1024;

struct Report {
  std::string received;
  ReadResult end;
  bool established = false;
};

/// Establishes, sends `size` bytes and the orderly end, and reads until the peer's end; with
/// `echo` it sends back what it reads instead.
net::Task<void> Converse(net::Stream* stream, net::Reactor* reactor, std::size_t size, bool echo,
                         Report* report) {
  net::Signal signal(*reactor);
  signal.SetDeadline(reactor->now() + std::chrono::seconds(30));
  stream->SetSignal(&signal);
  Outcome<bool> established = stream->TryEstablish();
  while (established && !*established && co_await signal.Wait() == net::Wake::kNotified) {
    established = stream->TryEstablish();
  }
  report->established = established.value_or(false);
  const std::string chunk(100'000, 'c');
  std::vector<std::byte> buffer(64 * 1024);
  bool closed = false;
  while (report->established) {
    while (!echo && size > 0 && stream->pending() < kHighMark) {
      const std::size_t count = std::min(size, chunk.size());
      EXPECT_TRUE(stream->Write(std::string_view(chunk).substr(0, count)));
      size -= count;
    }
    if (!echo && size == 0 && !closed) {
      closed = true;
      stream->CloseWrite();
    }
    const bool full = echo && stream->pending() >= kHighMark;
    const ReadResult read = full ? ReadResult{} : stream->TryRead(buffer);
    if (read.kind == ReadResult::Kind::kData) {
      const std::string_view text(reinterpret_cast<const char*>(buffer.data()), read.bytes);
      report->received += text;
      if (echo) {
        EXPECT_TRUE(stream->Write(text));
      }
    } else if (read.kind != ReadResult::Kind::kWouldBlock) {
      report->end = read;
      break;
    } else if (co_await signal.Wait() != net::Wake::kNotified) {
      break;
    }
  }
  stream->CloseWrite();
  while (stream->pending() > 0 && co_await signal.Wait() == net::Wake::kNotified) {
  }
  stream->SetSignal(nullptr);
}

/// Stops the reactor once all tasks of `scope` have ended.
net::Task<void> StopAfter(net::TaskScope* scope, net::EpollReactor* reactor) {
  net::Signal signal(*reactor);
  scope->set_observer(&signal);
  signal.SetDeadline(reactor->now() + std::chrono::seconds(60));
  while (scope->size() > 0 && co_await signal.Wait() == net::Wake::kNotified) {
  }
  scope->set_observer(nullptr);
  reactor->Stop();
}

class Acceptance final : public net::AcceptHandler {
 public:
  Acceptance(testing::Listener& listener, net::EpollReactor& reactor)
      : listener_(&listener), reactor_(&reactor) {}
  void OnAccept(std::unique_ptr<net::Stream> accepted) override {
    server = ServerStream::Create(std::move(accepted), *listener_, *reactor_);
    scope.Spawn(Converse(server.get(), reactor_, 0, true, &report));
  }

 private:
  testing::Listener* listener_;
  net::EpollReactor* reactor_;

 public:
  std::unique_ptr<ServerStream> server;
  Report report;
  net::TaskScope scope{*reactor_};
};

TEST(TcpTest, EchoesMegabytesBothWays) {
  testing::Listener listener;
  listener.Use(testing::SpecWith(testing::Issue({.common_name = "a"})));
  const SystemClock clock;
  net::EpollReactor reactor(clock);
  net::TcpNetwork network(reactor);
  Acceptance server(listener, reactor);
  const auto acceptor = network.Listen({.address = *IpAddress::Parse("127.0.0.1"), .port = 0},
                                       net::ListenOptions{}, server);
  ASSERT_TRUE(acceptor.has_value());
  auto connected = network.Connect((*acceptor)->local());
  const auto context = ClientContext::Create(ClientVersions::kTls12AndUp);
  ASSERT_TRUE(connected.has_value() && context.has_value());
  const auto client = CreateClientStream(*std::move(connected), *context, "a.example", reactor);
  Report report;

  server.scope.Spawn(Converse(client.get(), &reactor, 5'000'000, false, &report));
  net::TaskScope watch(reactor);
  watch.Spawn(StopAfter(&server.scope, &reactor));
  reactor.Run();

  EXPECT_TRUE(report.established);
  EXPECT_TRUE(server.report.established);
  EXPECT_EQ(server.report.received.size(), 5'000'000U);
  EXPECT_EQ(report.received, server.report.received);
  EXPECT_EQ(server.report.end.kind, ReadResult::Kind::kEnd);
  EXPECT_EQ(report.end.kind, ReadResult::Kind::kEnd);
}

}  // namespace
}  // namespace elb::tls
