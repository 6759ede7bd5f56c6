#pragma once

#include <chrono>
#include <cstdint>

#include "http/h1/parser.h"

namespace elb::server {

/// What a connection asks its listener for, each time anew, so that changes of the configuration
/// take effect as data-plane.md 13 says. Same thread as the connection.
class ConnectionPolicy {
 public:
  virtual ~ConnectionPolicy() = default;
  /// Idle timeout (data-plane.md 5.1); 0: no persistence.
  [[nodiscard]] virtual std::chrono::seconds keepalive_timeout() const = 0;
  /// Request timeout (5.2), also of the TLS handshake and of write stalls.
  [[nodiscard]] virtual std::chrono::seconds client_timeout() const = 0;
  /// Largest request content (4.1).
  [[nodiscard]] virtual std::uint64_t request_body_bytes_max() const = 0;
  /// The listener is deleted or the worker retires: each answer closes its connection.
  [[nodiscard]] virtual bool retiring() const = 0;
  [[nodiscard]] virtual const http::h1::Limits& limits() const = 0;
};

}  // namespace elb::server
