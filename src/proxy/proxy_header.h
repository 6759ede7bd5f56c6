#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip.h"

namespace elb::proxy {

/// What the first bytes of a connection say as a header of the PROXY protocol, version 1 or 2
/// (haproxy's doc/proxy-protocol.txt).
struct ProxyHeader {
  enum class Status : std::uint8_t {
    kNeedMore,  ///< Well-formed so far.
    kRefused,   ///< No such header, or one of more than `kProxyHeaderBytesMax` bytes.
    kDone,
  };
  Status status = Status::kNeedMore;
  std::size_t bytes = 0;  ///< With kDone: its length; what follows is the connection's own.
  /// With kDone: whom the proxy speaks for. None: the proxy speaks for itself (LOCAL) or knows no
  /// address (UNKNOWN, UNSPEC, UNIX sockets).
  std::optional<Endpoint> client;
};

/// Reads the header at the front of `bytes`. Pure.
[[nodiscard]] ProxyHeader ParseProxyHeader(std::string_view bytes);

}  // namespace elb::proxy
