#pragma once

#include <memory>

#include "net/reactor.h"
#include "net/stream.h"

namespace elb::net {

/// TCP of the kernel on one reactor's thread. The reactor outlives every stream and acceptor.
class TcpNetwork final : public Network {
 public:
  explicit TcpNetwork(EpollReactor& reactor) : reactor_(&reactor) {}

  /// Non-blocking, TCP_NODELAY. A connection to its own port counts as refused.
  [[nodiscard]] Outcome<std::unique_ptr<Stream>> Connect(const Endpoint& to) override;
  /// Accepted streams come TCP_NODELAY; at most 64 per turn. Without descriptors (EMFILE) accepting
  /// pauses for 100 ms instead of spinning.
  [[nodiscard]] Outcome<std::unique_ptr<Acceptor>> Listen(const Endpoint& at,
                                                          const ListenOptions& options,
                                                          AcceptHandler& handler) override;

 private:
  EpollReactor* reactor_;
};

}  // namespace elb::net
