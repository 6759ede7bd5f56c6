#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "net/reactor.h"
#include "net/stream.h"

namespace elb::net {

class TcpAcceptor;

/// TCP of the kernel on one reactor's thread. The reactor outlives it, and it outlives its streams
/// and acceptors.
class TcpNetwork final : public Network {
 public:
  explicit TcpNetwork(EpollReactor& reactor) : reactor_(&reactor) {}

  /// Non-blocking, TCP_NODELAY. A connection to its own port counts as refused.
  [[nodiscard]] Outcome<std::unique_ptr<Stream>> Connect(const Endpoint& to) override;
  /// Accepted streams come TCP_NODELAY; at most 64 per turn and socket. Without descriptors
  /// (EMFILE) accepting pauses for 100 ms instead of spinning. Uses the adopted sockets of the
  /// endpoint, all of them, where there are any; port 0 finds those of any one port of the address.
  [[nodiscard]] Outcome<std::unique_ptr<Acceptor>> Listen(const Endpoint& at,
                                                          const ListenOptions& options,
                                                          AcceptHandler& handler) override;

  /// Keeps listening sockets of another process for `Listen`. What is no listening TCP socket is
  /// closed.
  void Adopt(std::vector<Descriptor> sockets);
  /// Closes what nobody listened on.
  void DropAdopted() { adopted_.clear(); }
  /// Duplicates of the sockets of all acceptors, for another process. Connections that wait to be
  /// accepted stay with them when the acceptors go.
  [[nodiscard]] std::vector<Descriptor> Share() const;

 private:
  friend class TcpAcceptor;
  [[nodiscard]] std::vector<Descriptor> TakeAdopted(const Endpoint& at);

  EpollReactor* reactor_;
  std::multimap<Endpoint, Descriptor> adopted_;
  std::vector<const TcpAcceptor*> acceptors_;
};

/// A stream over an accepted socket. Null: it could not be registered, and is closed.
[[nodiscard]] std::unique_ptr<Stream> AcceptedStream(EpollReactor& reactor, Descriptor socket,
                                                     const Endpoint& peer);
/// The same over a socket that is registered with `reactor`; `events` came for it.
[[nodiscard]] std::unique_ptr<Stream> RegisteredStream(EpollReactor& reactor, Descriptor socket,
                                                       const Endpoint& peer, std::uint32_t events);

}  // namespace elb::net
