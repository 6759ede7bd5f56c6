#pragma once

#include <sys/socket.h>

#include "base/descriptor.h"
#include "base/fault.h"
#include "base/ip.h"

namespace elb::net {

/// Fills `storage` and returns the length in use.
[[nodiscard]] socklen_t ToSocketAddress(const Endpoint& endpoint, sockaddr_storage& storage);
[[nodiscard]] Endpoint FromSocketAddress(const sockaddr_storage& storage);

/// A non-blocking TCP socket of the address's family, closed on exec; errno tells why there is
/// none.
[[nodiscard]] Descriptor NewTcpSocket(const IpAddress& address);

/// Small writes are sent at once (TCP_NODELAY).
void SetNoDelay(const Descriptor& socket);

/// Where a socket is bound.
[[nodiscard]] Endpoint LocalEndpoint(const Descriptor& socket);

/// What an errno of connect, send or recv means. The side is filled in by those who know it.
[[nodiscard]] Fault FaultOfErrno(int error);

}  // namespace elb::net
