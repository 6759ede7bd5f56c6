#include "net/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "net/output_chain.h"
#include "net/signal.h"
#include "net/socket_address.h"
#include "net/socket_traffic.h"

namespace elb::net {
namespace {

constexpr std::size_t kPiecesMax = 16;
constexpr std::size_t kFlushVectors = 16;

/// A connected or connecting TCP socket.
class TcpStream final : public Stream, private DescriptorHandler {
 public:
  TcpStream(EpollReactor& reactor, int descriptor, const Endpoint& peer, bool connecting)
      : reactor_(&reactor),
        descriptor_(descriptor),
        connecting_(connecting),
        traffic_(reactor.now()),
        peer_(peer) {}

  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  TcpStream(TcpStream&&) = delete;
  TcpStream& operator=(TcpStream&&) = delete;
  ~TcpStream() override { Close(); }

  [[nodiscard]] bool Register() {
    registered_ = reactor_->Add(descriptor_, *this);
    return registered_;
  }

  /// Takes the place of what was registered for the socket.
  void Rebind(std::uint32_t events) {
    reactor_->Rebind(descriptor_, *this);
    registered_ = true;
    OnEvents(events);
  }

  void SetSignal(Signal* signal) override {
    signal_ = signal;
    if (signal != nullptr && (peer_gone_ || readable_ || untold_)) {
      untold_ = false;
      signal->Notify();
    }
  }

  Outcome<bool> TryEstablish() override {
    if (fault_) {
      return std::unexpected(*fault_);
    }
    return !connecting_;
  }

  ReadResult TryRead(std::span<std::byte> into) override {
    ELB_ASSERT(!into.empty());  // Reading nothing would look like the peer's end.
    if (!readable_ && !peer_gone_) {
      return fault_ ? ReadResult{.kind = ReadResult::Kind::kFault, .bytes = 0, .fault = *fault_}
                    : ReadResult{};
    }
    if (descriptor_ < 0) {
      return {.kind = ReadResult::Kind::kFault, .bytes = 0, .fault = FaultOfErrno(ECONNRESET)};
    }
    while (true) {
      const ssize_t count = recv(descriptor_, into.data(), into.size(), 0);
      if (count > 0) {
        const auto bytes = static_cast<std::size_t>(count);
        // A short read empties the socket; the next edge will tell. Not when the peer's end was
        // seen: it comes with the same event as the last bytes.
        readable_ = bytes == into.size();
        traffic_.AddIn(bytes);
        return {.kind = ReadResult::Kind::kData, .bytes = bytes, .fault = {}};
      }
      if (count == 0) {
        if (broken_) {  // A write took the socket's error: the kernel now says end instead.
          return {.kind = ReadResult::Kind::kFault,
                  .bytes = 0,
                  .fault = fault_.value_or(FaultOfErrno(ECONNRESET))};
        }
        return {.kind = ReadResult::Kind::kEnd, .bytes = 0, .fault = {}};
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        readable_ = false;
        return {};
      }
      if (errno != EINTR) {
        return {.kind = ReadResult::Kind::kFault, .bytes = 0, .fault = Break(errno)};
      }
    }
  }

  Outcome<void> Write(std::span<const std::string_view> pieces) override {
    if (fault_ || descriptor_ < 0) {
      return std::unexpected(fault_.value_or(FaultOfErrno(EPIPE)));
    }
    std::size_t sent = 0;
    if (output_.empty() && !connecting_) {
      const Outcome<std::size_t> result = Send(pieces);
      if (!result) {
        return std::unexpected(result.error());
      }
      sent = *result;
    }
    for (const std::string_view piece : pieces) {
      const std::size_t skip = std::min(sent, piece.size());
      sent -= skip;
      output_.Append(piece.substr(skip));
    }
    return {};
  }

  std::size_t pending() const override { return output_.size(); }
  std::size_t WriteRoom() const override { return SocketWriteRoom(descriptor_); }

  void CloseWrite() override {
    closing_ = true;
    SendEnd();
  }

  void Abort() override {
    static_cast<void>(local());  // Still asked for afterwards.
    if (descriptor_ >= 0) {
      const linger hard{.l_onoff = 1, .l_linger = 0};
      setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    Close();
    output_.Clear();
    peer_gone_ = broken_ = true;
    if (!fault_) {
      fault_ = FaultOfErrno(ECONNABORTED);
    }
  }

  bool peer_gone() const override { return peer_gone_; }
  bool broken() const override { return broken_; }

  bool Quiet() override {
    if (peer_gone_ || fault_ || descriptor_ < 0) {
      return false;
    }
    if (!readable_) {
      return true;
    }
    std::byte unused{};
    const ssize_t count = recv(descriptor_, &unused, 1, MSG_PEEK);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      readable_ = false;
      return true;
    }
    return false;
  }

  Endpoint local() const override {
    if (!local_ && descriptor_ >= 0) {
      sockaddr_storage storage{};
      socklen_t length = sizeof(storage);
      if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &length) == 0) {
        local_ = FromSocketAddress(storage);
      }
    }
    return local_.value_or(Endpoint{});
  }
  Endpoint peer() const override { return peer_; }

  std::size_t UnreadBytes() const override {
    int unread = 0;
    const bool known = descriptor_ >= 0 && ioctl(descriptor_, FIONREAD, &unread) == 0;
    return known ? static_cast<std::size_t>(unread) : 0;
  }

  Traffic TakeTraffic(PacketCount packets) override {
    return traffic_.Take(packets, descriptor_, reactor_->now());
  }

  std::uint32_t RoundTripMicros() const override {
    tcp_info info{};
    socklen_t length = sizeof(info);
    if (descriptor_ < 0 || getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) {
      return 0;
    }
    return info.tcpi_rtt;
  }

 private:
  void OnEvents(std::uint32_t events) override {
    bool news = false;
    if (connecting_ && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
      FinishConnect();
      news = true;
    }
    if ((events & EPOLLIN) != 0) {
      readable_ = true;
      news = true;
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
      peer_gone_ = true;
      // Both ends sent FIN: the kernel calls that a hang-up too.
      const bool hung_up = (events & EPOLLHUP) != 0 && !end_sent_;
      broken_ = broken_ || hung_up || (events & EPOLLERR) != 0;
      news = true;
    }
    if ((events & EPOLLOUT) != 0 && !output_.empty() && !fault_) {
      Flush();
      news = true;
    }
    if (news && signal_ != nullptr) {
      signal_->Notify();
    } else if (news) {
      untold_ = true;
    }
  }

  void FinishConnect() {
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length);
    connecting_ = false;
    if (error == 0 && MetItself()) {
      error = ECONNREFUSED;
    }
    if (error != 0) {
      Break(error);
      return;
    }
    SendEnd();
  }

  /// Where nobody listens, a connect whose local port happens to be the same succeeds: TCP calls it
  /// a simultaneous open (RFC 9293 section 3.5). Never on ports that connects do not start from.
  [[nodiscard]] bool MetItself() const {
    constexpr std::uint16_t kFirstUnprivilegedPort = 1024;
    return peer_.port >= kFirstUnprivilegedPort && local() == peer_;
  }

  /// FIN, once it was asked for and nothing is left to be sent before it.
  void SendEnd() {
    if (closing_ && output_.empty() && descriptor_ >= 0 && !connecting_) {
      shutdown(descriptor_, SHUT_WR);
      end_sent_ = true;
    }
  }

  /// Hands pieces to the kernel; returns how many bytes it took.
  Outcome<std::size_t> Send(std::span<const std::string_view> pieces) {
    ELB_ASSERT(pieces.size() <= kPiecesMax);
    std::array<iovec, kPiecesMax> vectors{};
    std::size_t count = 0;
    for (const std::string_view piece : pieces) {
      if (!piece.empty()) {
        vectors[count++] = {.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()};
      }
    }
    return count == 0 ? Outcome<std::size_t>(0) : SendVectors({vectors.data(), count});
  }

  Outcome<std::size_t> SendVectors(std::span<iovec> vectors) {
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    while (true) {
      const ssize_t count = sendmsg(descriptor_, &message, MSG_NOSIGNAL);
      if (count >= 0) {
        traffic_.AddOut(static_cast<std::size_t>(count));
        return static_cast<std::size_t>(count);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return 0;
      }
      if (errno != EINTR) {
        return std::unexpected(Break(errno));
      }
    }
  }

  /// Sends what waits, as far as the kernel takes it.
  void Flush() {
    while (!output_.empty()) {
      std::array<iovec, kFlushVectors> vectors{};
      const std::size_t count = output_.Front(vectors);
      std::size_t offered = 0;
      for (std::size_t i = 0; i < count; ++i) {
        offered += vectors[i].iov_len;
      }
      const Outcome<std::size_t> sent = SendVectors({vectors.data(), count});
      if (!sent) {
        return;
      }
      output_.Consume(*sent);
      if (*sent < offered) {
        return;  // The kernel is full; the next edge goes on.
      }
    }
    SendEnd();
  }

  Fault Break(int error) {
    const Fault fault = FaultOfErrno(error);
    fault_ = fault;
    peer_gone_ = broken_ = true;
    output_.Clear();
    return fault;
  }

  void Close() {
    if (descriptor_ >= 0) {
      if (registered_) {
        reactor_->Remove(descriptor_, *this);
      }
      close(std::exchange(descriptor_, -1));
    }
  }

  EpollReactor* reactor_;
  Signal* signal_ = nullptr;
  int descriptor_;
  bool connecting_;
  bool registered_ = false;
  bool readable_ = true;  ///< Until a read says otherwise: bytes may have come before the add.
  bool peer_gone_ = false;
  bool broken_ = false;
  bool closing_ = false;   ///< `CloseWrite` was called.
  bool end_sent_ = false;  ///< FIN was sent.
  bool untold_ = false;    ///< News came while nobody listened.
  std::optional<Fault> fault_;
  OutputChain output_;
  SocketTraffic traffic_;
  Endpoint peer_;
  mutable std::optional<Endpoint> local_;
};

}  // namespace

Outcome<std::unique_ptr<Stream>> TcpNetwork::Connect(const Endpoint& to) {
  Descriptor descriptor = NewTcpSocket(to.address);
  if (!descriptor.valid()) {
    return std::unexpected(FaultOfErrno(errno));
  }
  SetNoDelay(descriptor);
  sockaddr_storage storage{};
  const socklen_t length = ToSocketAddress(to, storage);
  const int result = connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&storage), length);
  if (result != 0 && errno != EINPROGRESS) {
    return std::unexpected(FaultOfErrno(errno));
  }
  // Also when it connected at once: the first event tells.
  auto stream = std::make_unique<TcpStream>(*reactor_, descriptor.Release(), to, true);
  if (!stream->Register()) {
    return std::unexpected(FaultOfErrno(errno));
  }
  return stream;
}

std::unique_ptr<Stream> AcceptedStream(EpollReactor& reactor, Descriptor socket,
                                       const Endpoint& peer) {
  SetNoDelay(socket);
  auto stream = std::make_unique<TcpStream>(reactor, socket.Release(), peer, false);
  return stream->Register() ? std::move(stream) : nullptr;
}

std::unique_ptr<Stream> RegisteredStream(EpollReactor& reactor, Descriptor socket,
                                         const Endpoint& peer, std::uint32_t events) {
  auto stream = std::make_unique<TcpStream>(reactor, socket.Release(), peer, false);
  stream->Rebind(events);
  return stream;
}

}  // namespace elb::net
