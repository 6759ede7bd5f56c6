#include "daemon/handover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/event_flag.h"

namespace elb::daemon {
namespace {

constexpr std::string_view kTakeOver = "take-over 1";
constexpr std::string_view kListeners = "listeners";
constexpr std::string_view kApi = "api";
constexpr std::string_view kReleased = "released";
constexpr std::string_view kReady = "ready";
constexpr const char* kName = "handover.sock";
constexpr std::size_t kDescriptorsMax = 250;  ///< Of one message; the kernel takes 253.
constexpr std::size_t kTextMax = 32;
constexpr int kAnswerWaitSeconds = 60;  ///< Calls in progress end before the store is free.

std::unexpected<Error> SystemFailure(std::string_view what) {
  return Failure(ErrorKind::kStorage, kName, fmt::format("{}: {}", what, std::strerror(errno)));
}

/// A path through the open directory: its own may be longer than a socket's address can be.
sockaddr_un AddressIn(const Descriptor& directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto end = fmt::format_to_n(address.sun_path, sizeof(address.sun_path) - 1,
                                    "/proc/self/fd/{}/{}", directory.get(), kName);
  *end.out = '\0';
  return address;
}

Descriptor OpenDirectory(const std::filesystem::path& path) {
  return Descriptor(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

Descriptor NewSocket() { return Descriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)); }

void SetAnswerWait(const Descriptor& connection) {
  const timeval wait{.tv_sec = kAnswerWaitSeconds, .tv_usec = 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

struct Message {
  std::string text;  ///< Empty: the peer is gone.
  std::vector<Descriptor> descriptors;
};

using ControlBytes = std::array<std::byte, CMSG_SPACE(sizeof(int) * kDescriptorsMax)>;

bool SendMessage(const Descriptor& connection, std::string_view text,
                 std::span<const Descriptor> descriptors = {}) {
  iovec bytes{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  alignas(cmsghdr) ControlBytes control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const int value = descriptors[i].get();
      std::memcpy(CMSG_DATA(header) + i * sizeof(int), &value, sizeof(value));
    }
  }
  return sendmsg(connection.get(), &message, MSG_NOSIGNAL) >= 0;
}

void TakeDescriptors(msghdr& message, std::vector<Descriptor>& into) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int value = -1;
      std::memcpy(&value, CMSG_DATA(header) + i * sizeof(int), sizeof(value));
      into.emplace_back(value);
    }
  }
}

Message ReceiveMessage(const Descriptor& connection) {
  std::array<char, kTextMax> text{};
  iovec bytes{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) ControlBytes control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t length = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
  Message out;
  if (length > 0) {
    out.text.assign(text.data(), static_cast<std::size_t>(length));
    TakeDescriptors(message, out.descriptors);
  }
  return out;
}

bool SendSockets(const Descriptor& connection, std::string_view kind,
                 std::span<const Descriptor> sockets) {
  while (!sockets.empty()) {
    const auto part = sockets.first(std::min(sockets.size(), kDescriptorsMax));
    if (!SendMessage(connection, kind, part)) {
      return false;
    }
    sockets = sockets.subspan(part.size());
  }
  return true;
}

/// Ours, or root's.
bool MayTakeOver(const Descriptor& connection) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  return getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         (peer.uid == geteuid() || peer.uid == 0);
}

}  // namespace

Result<void> Successor::Send(const HandedSockets& sockets) const {
  if (!SendSockets(connection_, kListeners, sockets.listeners) ||
      !SendSockets(connection_, kApi, sockets.api) || !SendMessage(connection_, kReleased)) {
    return SystemFailure("the sockets cannot be handed over");
  }
  return {};
}

Successor::Outcome Successor::Wait(const Descriptor& stop) const {
  if (!WaitForEither(connection_, stop)) {
    return Outcome::kStopped;
  }
  return ReceiveMessage(connection_).text == kReady ? Outcome::kReady : Outcome::kGone;
}

Result<HandoverSocket> HandoverSocket::Open(const std::filesystem::path& directory) {
  const Descriptor place = OpenDirectory(directory);
  HandoverSocket made(NewSocket());
  if (!place.valid() || !made.socket_.valid()) {
    return SystemFailure("the socket for a successor cannot be made");
  }
  unlinkat(place.get(), kName, 0);  // Of a process that is gone, or goes.
  const sockaddr_un address = AddressIn(place);
  fchmod(made.socket_.get(), S_IRUSR | S_IWUSR);  // Of the file that bind makes.
  if (bind(made.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(made.socket_.get(), 1) != 0) {
    return SystemFailure("the socket for a successor cannot be made");
  }
  return made;
}

std::optional<Successor> HandoverSocket::Accept(const Descriptor& stop) const {
  while (WaitForEither(socket_, stop)) {
    Descriptor connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid() || !MayTakeOver(connection)) {
      continue;
    }
    SetAnswerWait(connection);
    if (WaitForEither(connection, stop) && ReceiveMessage(connection).text == kTakeOver) {
      return Successor(std::move(connection));
    }
  }
  return std::nullopt;
}

Result<std::optional<Predecessor>> Predecessor::Find(const std::filesystem::path& directory) {
  const Descriptor place = OpenDirectory(directory);
  Predecessor found(NewSocket());
  if (!found.connection_.valid()) {
    return SystemFailure("no socket");
  }
  if (!place.valid()) {
    return std::nullopt;  // The directory comes with the first start.
  }
  const sockaddr_un address = AddressIn(place);
  if (connect(found.connection_.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return std::nullopt;
    }
    return SystemFailure("the process that serves now cannot be reached");
  }
  SetAnswerWait(found.connection_);
  return found;
}

Result<HandedSockets> Predecessor::TakeOver() const {
  if (!SendMessage(connection_, kTakeOver)) {
    return SystemFailure("the process that serves now does not listen");
  }
  HandedSockets sockets;
  while (true) {
    Message message = ReceiveMessage(connection_);
    if (message.text == kReleased) {
      return sockets;
    }
    if (message.text != kListeners && message.text != kApi) {
      return Failure(ErrorKind::kStorage, kName,
                     "the process that serves now did not hand over its sockets");
    }
    auto& into = message.text == kApi ? sockets.api : sockets.listeners;
    std::ranges::move(message.descriptors, std::back_inserter(into));
  }
}

void Predecessor::Release() const {
  static_cast<void>(SendMessage(connection_, kReady));  // If it is gone, it is released.
}

}  // namespace elb::daemon
