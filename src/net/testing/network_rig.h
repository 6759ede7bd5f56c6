#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/stream.h"

namespace elb::net::testing {

/// A reactor and a network on a `ManualClock`: the kernel's or the simulated one, so that one test
/// holds both to the same contract.
class NetworkRig {
 public:
  virtual ~NetworkRig() = default;
  [[nodiscard]] virtual Reactor& reactor() = 0;
  [[nodiscard]] virtual Network& network() = 0;
  /// Where to listen; port 0.
  [[nodiscard]] virtual Endpoint any() const = 0;
  /// Where nobody listens.
  [[nodiscard]] virtual Endpoint refusing() = 0;
  /// Where connects are never answered.
  [[nodiscard]] virtual Endpoint blackhole() = 0;
  /// Runs turns until `done`; time does not pass, but for the little that a simulated network takes
  /// to carry bytes. False when it does not come to that.
  virtual bool RunUntil(const std::function<bool()>& done) = 0;
  /// Lets `time` pass on the clock, with what is due.
  virtual void RunFor(std::chrono::milliseconds time) = 0;
};

enum class NetworkKind : std::uint8_t { kKernel, kSimulated };
[[nodiscard]] std::unique_ptr<NetworkRig> NewRig(NetworkKind kind);

/// Keeps what it accepts.
class AcceptedStreams final : public AcceptHandler {
 public:
  void OnAccept(std::unique_ptr<Stream> stream) override;
  /// Notified of each; null for none.
  Signal* signal = nullptr;
  std::vector<std::unique_ptr<Stream>> streams;
};

/// Both ends of one established connection.
struct StreamPair {
  AcceptedStreams accepted;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};
/// Null when the network does not let them meet.
[[nodiscard]] std::unique_ptr<StreamPair> Connected(NetworkRig& rig);

}  // namespace elb::net::testing
