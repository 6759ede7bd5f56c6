#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/testing/memory_stream.h"
#include "net/testing/simulated_network.h"

namespace elb::net::testing {

/// Two ends and what is on its way between them. Alive while a stream or an event holds it.
class SimulatedConnection final : public Transport,
                                  public std::enable_shared_from_this<SimulatedConnection> {
 public:
  static constexpr std::size_t kClient = 0;
  static constexpr std::size_t kServer = 1;

  SimulatedConnection(SimulatedNetwork& network, std::uint64_t number, const Endpoint& client,
                      const Endpoint& server);
  ~SimulatedConnection() override;
  SimulatedConnection(const SimulatedConnection&) = delete;
  SimulatedConnection& operator=(const SimulatedConnection&) = delete;
  SimulatedConnection(SimulatedConnection&&) = delete;
  SimulatedConnection& operator=(SimulatedConnection&&) = delete;

  void Start() { Send(kClient, {.kind = Kind::kConnect, .bytes = {}, .arrival = {}}); }
  [[nodiscard]] std::unique_ptr<Stream> NewStream(std::size_t side);
  /// Both ends see RST.
  void Reset();
  /// Delivers what arrived while nothing could.
  void Resume();
  /// The network is gone.
  void Detach() { network_ = nullptr; }
  [[nodiscard]] const Endpoint& server() const { return ends_[kClient].peer; }

  void OnActivity(MemoryEnd& end) override;

 private:
  enum class Kind : std::uint8_t { kConnect, kAccepted, kRefused, kData, kEnd, kReset };
  struct Segment {
    Kind kind = Kind::kData;
    std::string bytes;
    MonotonicTime arrival;
  };
  /// What goes from one end to the other.
  struct Direction {
    std::deque<Segment> segments;
    std::size_t bytes = 0;  ///< In `segments`.
    MonotonicTime last_arrival;
    bool end_sent = false;  ///< FIN or RST: nothing follows.
  };

  [[nodiscard]] const LinkConditions& conditions() const;
  void Send(std::size_t from, Segment segment);
  void SendReset(std::size_t from);
  void Pump(std::size_t from);
  void PumpLater(std::size_t from);
  void Arrive(std::size_t from);
  void Deliver(std::size_t from, const Segment& segment);
  void DeliverData(std::size_t from, const std::string& bytes);
  void OpenServer();
  void Break(std::size_t side);
  void LimitReads(MemoryEnd& end);
  void UpdatePending(std::size_t side);

  SimulatedNetwork* network_;
  std::uint64_t number_;
  bool lost_ = false;  ///< Nothing arrives any more, for good.
  std::array<MemoryEnd, 2> ends_;
  std::array<Direction, 2> directions_;  ///< By the sending side.
};

}  // namespace elb::net::testing
