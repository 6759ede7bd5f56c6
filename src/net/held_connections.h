#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/descriptor.h"
#include "net/reactor.h"
#include "net/stream.h"

namespace elb::net {

/// Accepted connections of one listening socket that have sent nothing yet: a small node each,
/// until the first byte, the end, or the handler's `hold_time`. One thread.
class HeldConnections final : private TimerNode {
 public:
  /// `handler` gets them, through `OnHeld`.
  HeldConnections(EpollReactor& reactor, AcceptHandler& handler)
      : reactor_(&reactor), handler_(&handler) {}
  /// Closes them.
  ~HeldConnections();
  HeldConnections(const HeldConnections&) = delete;
  HeldConnections& operator=(const HeldConnections&) = delete;
  HeldConnections(HeldConnections&&) = delete;
  HeldConnections& operator=(HeldConnections&&) = delete;

  /// Holds a connection. One that cannot be registered is closed, and the handler told.
  void Add(Descriptor socket, const Endpoint& peer);
  /// Hands all of them over.
  void Release();

 private:
  class Node;
  /// Overdue ones that are handed over in one turn: a crowd that arrived together must not become
  /// as many streams together.
  static constexpr int kOverduePerTurn = 64;

  void OnTimer() override;
  void Arm();
  void HandOver(Node& node, std::uint32_t events);
  void Unlink(Node& node);

  EpollReactor* reactor_;
  AcceptHandler* handler_;
  Node* oldest_ = nullptr;  ///< In the order of arrival.
  Node* newest_ = nullptr;
};

}  // namespace elb::net
