#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/ip.h"
#include "base/random.h"
#include "net/stream.h"
#include "net/testing/simulated_reactor.h"

namespace elb::net::testing {

/// How bytes are cut on their way.
enum class Pieces : std::uint8_t {
  kWhole,   ///< As large as possible.
  kRandom,  ///< Anywhere: segments and reads of 1 byte up to the possible, by the seed.
};

/// What the path to an endpoint is like.
struct LinkConditions {
  std::chrono::microseconds latency{100};     ///< One way.
  std::chrono::microseconds jitter{0};        ///< Up to this much on top, by the seed; keeps order.
  std::size_t segment_bytes_max = 16 * 1024;  ///< At least 1.
  std::size_t send_buffer_bytes = 64 * 1024;  ///< Of each end; beyond it output is pending.
  std::size_t receive_buffer_bytes = 64 * 1024;  ///< Of each end; beyond it nothing is sent.
  Pieces pieces = Pieces::kRandom;
  std::uint32_t reset_permille = 0;      ///< Of segments: both ends see RST instead.
  std::uint32_t refuse_permille = 0;     ///< Of connects: refused although somebody listens.
  std::uint32_t blackhole_permille = 0;  ///< Of connects: never answered.
};

/// What becomes of packets to and from an endpoint.
enum class Reach : std::uint8_t {
  kOpen,
  kBlackhole,    ///< Nothing arrives, on new and on old connections, until it is open again.
  kRefused,      ///< Connects are refused; old connections go on.
  kUnreachable,  ///< Connects fail at once; old connections go on.
};

/// A network in memory, with everything that goes wrong in real ones decided by a seed: the same
/// seed and the same program give the same run. Behaves as `TcpNetwork` does, in streams and in
/// faults. One thread; streams and acceptors may outlive it and then hear nothing any more.
class SimulatedNetwork final : public Network {
 public:
  SimulatedNetwork(SimulatedReactor& reactor, std::uint64_t seed);
  ~SimulatedNetwork() override;
  SimulatedNetwork(const SimulatedNetwork&) = delete;
  SimulatedNetwork& operator=(const SimulatedNetwork&) = delete;
  SimulatedNetwork(SimulatedNetwork&&) = delete;
  SimulatedNetwork& operator=(SimulatedNetwork&&) = delete;

  /// From 192.0.2.1 (RFC 5737) and a new port.
  [[nodiscard]] Outcome<std::unique_ptr<Stream>> Connect(const Endpoint& to) override;
  [[nodiscard]] Outcome<std::unique_ptr<Stream>> ConnectFrom(const IpAddress& source,
                                                             const Endpoint& to);
  /// With `reuse_port` on every listener of an endpoint, the seed chooses among them; otherwise a
  /// second one fails with EADDRINUSE. The backlog is not bounded.
  [[nodiscard]] Outcome<std::unique_ptr<Acceptor>> Listen(const Endpoint& at,
                                                          const ListenOptions& options,
                                                          AcceptHandler& handler) override;

  /// For all endpoints without conditions of their own; from the next segment on.
  void SetConditions(const LinkConditions& conditions) { conditions_ = conditions; }
  void SetConditions(const Endpoint& to, const LinkConditions& conditions) {
    conditions_by_endpoint_[to] = conditions;
  }
  void SetReach(const Endpoint& to, Reach reach);
  /// Both ends of every connection to `to` see RST now.
  void ResetConnections(const Endpoint& to);

  /// Connections of which a stream or a segment is left.
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  friend class SimulatedConnection;
  class Listening;

  [[nodiscard]] const LinkConditions& ConditionsOf(const Endpoint& to) const;
  [[nodiscard]] Reach ReachOf(const Endpoint& to) const;
  [[nodiscard]] bool Chance(std::uint32_t permille);
  /// 1 up to `most`, by the seed or `most` itself.
  [[nodiscard]] std::size_t PieceOf(std::size_t most, Pieces pieces);
  [[nodiscard]] Listening* ChooseListener(const Endpoint& at);
  [[nodiscard]] std::vector<std::shared_ptr<class SimulatedConnection>> ConnectionsTo(
      const Endpoint& to) const;

  SimulatedReactor* reactor_;
  SeededRandom random_;
  LinkConditions conditions_;
  std::map<Endpoint, LinkConditions> conditions_by_endpoint_;
  std::map<Endpoint, Reach> reach_;
  std::map<Endpoint, std::vector<Listening*>> listeners_;
  std::map<std::uint64_t, std::weak_ptr<class SimulatedConnection>> connections_;
  std::uint64_t connections_made_ = 0;
  std::uint16_t next_client_port_ = 32768;
  std::uint16_t next_listen_port_ = 20000;
};

}  // namespace elb::net::testing
