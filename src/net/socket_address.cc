#include "net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace elb::net {

socklen_t ToSocketAddress(const Endpoint& endpoint, sockaddr_storage& storage) {
  std::memset(&storage, 0, sizeof(storage));
  if (endpoint.address.family() == IpFamily::kV4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.bytes().data(), 4);
    std::memcpy(&storage, &address, sizeof(address));
    return sizeof(address);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  std::memcpy(&address.sin6_addr, endpoint.address.bytes().data(), 16);
  std::memcpy(&storage, &address, sizeof(address));
  return sizeof(address);
}

Endpoint FromSocketAddress(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof(address));
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &address.sin_addr, octets.size());
    return {.address = IpAddress::V4(octets), .port = ntohs(address.sin_port)};
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof(address));
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &address.sin6_addr, octets.size());
  return {.address = IpAddress::V6(octets), .port = ntohs(address.sin6_port)};
}

Descriptor NewTcpSocket(const IpAddress& address) {
  const int family = address.family() == IpFamily::kV4 ? AF_INET : AF_INET6;
  return Descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void SetNoDelay(const Descriptor& socket) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Endpoint LocalEndpoint(const Descriptor& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return FromSocketAddress(storage);
}

Fault FaultOfErrno(int error) {
  Fault fault{.side = FaultSide::kInternal,
              .code = FaultCode::kIo,
              .detail = static_cast<std::int16_t>(error)};
  switch (error) {
    case ECONNREFUSED:
      fault.code = FaultCode::kRefused;
      break;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      fault.code = FaultCode::kReset;
      break;
    case ETIMEDOUT:
      fault.code = FaultCode::kTimeout;
      break;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAGAIN:
    case EACCES:
    case EPERM:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENETDOWN:
    case EHOSTDOWN:
      fault.code = FaultCode::kUnreachable;
      break;
    default:
      break;
  }
  return fault;
}

}  // namespace elb::net
