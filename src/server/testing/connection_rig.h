#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/task_scope.h"
#include "server/connection.h"
#include "server/testing/client_wire.h"
#include "server/testing/script_handler.h"

namespace elb::server::testing {

/// What a listener would say; the vendor's defaults shortened to tell the timeouts apart.
struct FixedPolicy final : public ConnectionPolicy {
  std::chrono::seconds keepalive{3};
  std::chrono::seconds client{2};
  std::uint64_t body_bytes_max = 1'000'000;
  bool retires = false;
  http::h1::Limits codec_limits;

  [[nodiscard]] std::chrono::seconds keepalive_timeout() const override { return keepalive; }
  [[nodiscard]] std::chrono::seconds client_timeout() const override { return client; }
  [[nodiscard]] std::uint64_t request_body_bytes_max() const override { return body_bytes_max; }
  [[nodiscard]] bool retiring() const override { return retires; }
  [[nodiscard]] const http::h1::Limits& limits() const override { return codec_limits; }
};

/// One connection with its client, on a reactor whose time the test moves.
class ConnectionRig {
 public:
  /// The connection starts at once; cleartext without `contexts`.
  void Open(tls::ContextSource* contexts = nullptr) {
    connection = std::make_unique<Connection>(std::make_unique<WireStream>(wire), contexts, handler,
                                              policy, reactor);
    scope = std::make_unique<net::TaskScope>(reactor);
    scope->Spawn(connection->Run(reactor.now()));
    Settle();
  }
  /// Destroys everything as a worker does: frames first.
  void Destroy() {
    scope.reset();
    connection.reset();
  }
  /// Runs until nothing is left to do at this moment.
  void Settle() {
    constexpr int kTurnsMax = 100'000;
    int turns = 0;
    while (reactor.RunTurn()) {
      ASSERT_LT(++turns, kTurnsMax) << "the connection does not come to rest";
    }
  }
  void Send(std::string_view bytes) {
    wire.Send(bytes);
    Settle();
  }
  void Finish() {
    wire.Finish();
    Settle();
  }
  void Break() {
    wire.Break();
    Settle();
  }
  void Take(std::size_t bytes) {
    wire.Take(bytes);
    Settle();
  }
  /// Moves time in steps of at most 100 ms, so that timers run in their order.
  void Advance(std::chrono::milliseconds time) {
    constexpr std::chrono::milliseconds kStep{100};
    while (time.count() > 0) {
      const auto step = std::min(time, kStep);
      clock.Advance(step);
      Settle();
      time -= step;
    }
  }
  [[nodiscard]] bool ended() const { return scope->size() == 0; }
  std::string Received() { return wire.TakeOutbound(); }

  ManualClock clock;
  net::Reactor reactor{clock};
  FixedPolicy policy;
  ScriptHandler handler;
  ClientWire wire;
  std::unique_ptr<Connection> connection;
  std::unique_ptr<net::TaskScope> scope;
};

/// Head of an answer as the tests write it: `{D}` stands for the Date line of `ManualClock`'s
/// start.
inline std::string WithDate(std::string_view text) {
  std::string whole(text);
  constexpr std::string_view kMark = "{D}";
  constexpr std::string_view kDate = "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n";
  for (std::size_t at = whole.find(kMark); at != std::string::npos; at = whole.find(kMark, at)) {
    whole.replace(at, kMark.size(), kDate);
  }
  return whole;
}

}  // namespace elb::server::testing
