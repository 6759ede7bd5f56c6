#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/reactor.h"
#include "net/stream.h"

namespace elb::tls {

/// Lowest version offered to backends (data-plane.md 2.9); a node setting may lower it.
enum class ClientVersions : std::uint8_t { kTls12AndUp, kTls10AndUp };

/// Settings for connections to backends and probes: immutable, shared, thread-safe.
class ClientContext {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const ClientContext>> Create(ClientVersions versions);

  class Compiled;
  explicit ClientContext(std::unique_ptr<const Compiled> compiled);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;
  ClientContext(ClientContext&&) = delete;
  ClientContext& operator=(ClientContext&&) = delete;
  [[nodiscard]] const Compiled& compiled() const { return *compiled_; }

 private:
  std::unique_ptr<const Compiled> compiled_;
};

/// Client side of TLS over `lower`, ALPN `http/1.1`, `sni` empty for none. Nothing is verified.
/// `TryEstablish` first establishes `lower`, then drives the handshake.
[[nodiscard]] std::unique_ptr<net::Stream> CreateClientStream(
    std::unique_ptr<net::Stream> lower, std::shared_ptr<const ClientContext> context,
    const std::string& sni, net::Reactor& reactor);

}  // namespace elb::tls
