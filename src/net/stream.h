#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/fault.h"
#include "base/ip.h"

namespace elb::net {

class Signal;

/// What went over a socket, for metrics. Bytes count TCP payload, TLS included.
struct Traffic {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint32_t packets_in = 0;
  std::uint32_t packets_out = 0;
};

/// Packets are known to the kernel alone: asking costs a system call.
enum class PacketCount : std::uint8_t {
  kNever,
  kWhenDue,  ///< Ask if it was not asked in the last 10 s.
  kNow,
};

/// What `Stream::TryRead` found.
struct ReadResult {
  enum class Kind : std::uint8_t {
    kData,        ///< `bytes` > 0 bytes were read.
    kWouldBlock,  ///< Nothing now; the signal will be notified.
    kEnd,         ///< Orderly end: FIN; for TLS close_notify.
    kFault,       ///< `fault` says what; the stream is dead for reading.
  };
  Kind kind = Kind::kWouldBlock;
  std::size_t bytes = 0;
  Fault fault;
};

/// A two-way byte stream: TCP, TLS over another stream, the simulated network. One thread, no
/// suspension inside: operations try, and a `Signal` tells when to try again. Destroying a stream
/// closes it at once (unsent output is lost; orderly ends go through `CloseWrite`).
class Stream {
 public:
  Stream() = default;
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) = delete;
  Stream& operator=(Stream&&) = delete;

  /// Whom to notify of news: readable, output drained below the marks, peer gone, connected,
  /// broken. At most one; null for none. News that came while nobody listened is told when a signal
  /// is set.
  virtual void SetSignal(Signal* signal) = 0;

  /// True once connected (and handshaken, for TLS); false while that goes on; a fault when it
  /// failed. For streams made by accepting, TLS apart, it is true at once. TLS: drives the
  /// handshake.
  [[nodiscard]] virtual Outcome<bool> TryEstablish() = 0;

  /// Reads what is there into `into` (not empty).
  [[nodiscard]] virtual ReadResult TryRead(std::span<std::byte> into) = 0;

  /// Takes all of `pieces`, in order, as one unit (TLS: as few records as possible; the kernel: one
  /// call). What the socket does not take now is copied and sent when it can be, without further
  /// calls; see `pending`. A fault means the stream is dead for writing.
  [[nodiscard]] virtual Outcome<void> Write(std::span<const std::string_view> pieces) = 0;
  [[nodiscard]] Outcome<void> Write(std::string_view piece) { return Write({&piece, 1}); }

  /// Output bytes not yet taken by the socket. Callers stop producing above their high mark; the
  /// signal is notified each time the socket took some of them.
  [[nodiscard]] virtual std::size_t pending() const = 0;

  /// No more output: when everything pending is sent, TLS sends close_notify, and TCP sends FIN.
  virtual void CloseWrite() = 0;
  /// Ends the stream with RST (SO_LINGER 0); nothing more is sent.
  virtual void Abort() = 0;

  /// The peer's FIN, RST or an error was seen, though bytes before it may still be readable.
  [[nodiscard]] virtual bool peer_gone() const = 0;
  /// Of `peer_gone`: it was RST or an error, so nothing can be sent any more.
  [[nodiscard]] virtual bool broken() const = 0;
  /// True when an idle stream may be used again: not gone, and no byte is waiting to be read.
  [[nodiscard]] virtual bool Quiet() = 0;

  [[nodiscard]] virtual Endpoint local() const = 0;
  [[nodiscard]] virtual Endpoint peer() const = 0;
  /// Smoothed round-trip time of the socket in microseconds, 0 if unknown.
  [[nodiscard]] virtual std::uint32_t RoundTripMicros() const { return 0; }
  /// Bytes that a write could give to the socket now, about; SIZE_MAX if unknown. A system call.
  [[nodiscard]] virtual std::size_t WriteRoom() const { return SIZE_MAX; }
  /// Bytes that were received and not read yet. A system call.
  [[nodiscard]] virtual std::size_t UnreadBytes() const { return 0; }
  /// Traffic since the last call.
  [[nodiscard]] virtual Traffic TakeTraffic(PacketCount packets) {
    static_cast<void>(packets);
    return {};
  }
};

/// Receives accepted connections on the acceptor's thread.
class AcceptHandler {
 public:
  virtual ~AcceptHandler() = default;
  virtual void OnAccept(std::unique_ptr<Stream> stream) = 0;

  /// Asked about a connection before `OnAccept`. True: it may be held, at a tenth of what a served
  /// one costs, until its first bytes come or `hold_time` is over; then it comes through `OnHeld`
  /// instead.
  [[nodiscard]] virtual bool MayHold(const Endpoint& peer) {
    static_cast<void>(peer);
    return false;
  }
  [[nodiscard]] virtual std::chrono::nanoseconds hold_time() const { return {}; }
  virtual void OnHeld(std::unique_ptr<Stream> stream, MonotonicTime arrived_at) {
    static_cast<void>(stream);
    static_cast<void>(arrived_at);
  }
  /// Instead of `OnHeld`: it ended without a byte, or (null) could not be held.
  virtual void OnHeldGone(std::unique_ptr<Stream> stream) { static_cast<void>(stream); }
};

/// A listening socket. Destroying it closes it and the connections that it holds; never from inside
/// a call of its handler.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  [[nodiscard]] virtual Endpoint local() const = 0;
  /// Hands over the connections that are held, now.
  virtual void ReleaseHeld() {}
};

struct ListenOptions {
  bool reuse_port = true;
  int backlog = 4096;
};

/// How a worker reaches the network: the kernel's TCP or a simulation. One thread.
class Network {
 public:
  virtual ~Network() = default;
  /// Starts connecting; `TryEstablish` and the signal tell the rest. A fault is immediate failure.
  [[nodiscard]] virtual Outcome<std::unique_ptr<Stream>> Connect(const Endpoint& to) = 0;
  /// Binds and listens. `Fault.detail` is errno. Port 0 picks a free one.
  [[nodiscard]] virtual Outcome<std::unique_ptr<Acceptor>> Listen(const Endpoint& at,
                                                                  const ListenOptions& options,
                                                                  AcceptHandler& handler) = 0;
};

}  // namespace elb::net
