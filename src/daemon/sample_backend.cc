#include "daemon/sample_backend.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "daemon/signals.h"
#include "net/reactor.h"
#include "net/task_scope.h"
#include "net/tcp_stream.h"
#include "server/connection.h"
#include "server/server_stream.h"

namespace elb::daemon {
namespace {

/// Reads and drops the request's content; false when the client left or sent nonsense.
net::Task<bool> DiscardBody(server::ServerStream* stream) {
  while (true) {
    const server::BodyRead read = stream->TryReadBody(64 * 1024);
    switch (read.kind) {
      case server::BodyRead::Kind::kData:
        continue;
      case server::BodyRead::Kind::kEnd:
        co_return true;
      case server::BodyRead::Kind::kRefused:
      case server::BodyRead::Kind::kGone:
        co_return false;
      case server::BodyRead::Kind::kWouldBlock:
        break;
    }
    net::Signal& signal = stream->signal();
    signal.SetDeadline(signal.reactor().now() + std::chrono::seconds{60});
    if (co_await signal.Wait() != net::Wake::kNotified) {
      co_return false;
    }
  }
}

std::string JsonText(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(letter) < 0x20 ? '?' : letter;
  }
  return out;
}

class SampleHandler final : public server::Handler {
 public:
  explicit SampleHandler(std::string name) : name_(std::move(name)) {}

  net::Task<void> Serve(server::ServerStream& stream) override {
    if (!co_await DiscardBody(&stream)) {
      stream.Cut();
      co_return;
    }
    const http::RequestHead& request = stream.request();
    const std::string content =
        request.path == "/health"
            ? std::string("ok\n")
            : fmt::format(
                  "{{\"server\":\"{}\",\"method\":\"{}\",\"target\":\"{}\",\"host\":\"{}\"}}\n",
                  JsonText(name_), JsonText(request.method_text), JsonText(request.target),
                  JsonText(request.authority));
    const std::array<http::Field, 2> fields{
        http::Field{.name = "Content-Type",
                    .value = request.path == "/health" ? "text/plain" : "application/json",
                    .known = http::FieldName::kContentType},
        http::Field{.name = "X-Sample-Server", .value = name_}};
    stream.SendHead(
        {.status = 200, .reason = {}, .fields = fields, .content_length = content.size()}, content,
        server::BodyEnd::kLast);
  }
  void OnRefused(const server::ConnectionFacts& /*connection*/,
                 const server::RefusedRequest& /*refused*/) override {}
  void OnHandshakeFailed(const server::ConnectionFacts& /*connection*/,
                         const Fault& /*fault*/) override {}

 private:
  std::string name_;
};

class SamplePolicy final : public server::ConnectionPolicy {
 public:
  [[nodiscard]] std::chrono::seconds keepalive_timeout() const override {
    return std::chrono::seconds{75};
  }
  [[nodiscard]] std::chrono::seconds client_timeout() const override {
    return std::chrono::seconds{60};
  }
  [[nodiscard]] std::uint64_t request_body_bytes_max() const override {
    return limits_.request_body_bytes_max;
  }
  [[nodiscard]] bool retiring() const override { return false; }
  [[nodiscard]] const http::h1::Limits& limits() const override { return limits_; }

 private:
  http::h1::Limits limits_;
};

class SampleServer final : public net::AcceptHandler {
 public:
  SampleServer(std::string name, net::Reactor& reactor)
      : handler_(std::move(name)), reactor_(&reactor), scope_(reactor) {}

  void OnAccept(std::unique_ptr<net::Stream> stream) override {
    scope_.Spawn(Run(std::make_unique<server::Connection>(std::move(stream), nullptr, handler_,
                                                          policy_, *reactor_),
                     reactor_->now()));
  }

 private:
  static net::Task<void> Run(std::unique_ptr<server::Connection> connection,
                             MonotonicTime arrived_at) {
    co_await connection->Run(arrived_at);
  }

  SampleHandler handler_;
  SamplePolicy policy_;
  net::Reactor* reactor_;
  net::TaskScope scope_;
};

}  // namespace

Result<void> RunSampleBackend(const SampleBackendOptions& options) {
  const auto address = IpAddress::Parse(options.address);
  if (!address) {
    return Invalid("address", fmt::format("'{}' is not an IP address", options.address));
  }
  const SystemClock clock;
  net::EpollReactor reactor(clock);
  net::TcpNetwork network(reactor);
  SampleServer server(options.name, reactor);
  auto acceptor = network.Listen({.address = *address, .port = options.port}, {}, server);
  if (!acceptor) {
    return Conflict("port", fmt::format("cannot listen on {}:{}: {}", options.address, options.port,
                                        std::strerror(acceptor.error().detail)));
  }
  fmt::print("sample backend {} on {}\n", options.name, (*acceptor)->local().ToString());
  std::fflush(stdout);
  const StopSignals signals([&reactor] { reactor.Stop(); });
  reactor.Run();
  return {};
}

}  // namespace elb::daemon
