#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "net/reactor.h"
#include "tls/server_context.h"
#include "tls/server_stream.h"
#include "tls/testing/openssl_client.h"
#include "tls/testing/wire.h"
#include "tls/ticket_keys.h"

namespace elb::tls::testing {

/// What a listener brings to its connections.
class Listener final : public ContextSource {
 public:
  /// Replaces what the next handshakes use; the test fails when the context cannot be made.
  void Use(const ServerSpec& spec);
  [[nodiscard]] std::shared_ptr<const ServerContext> Current() override {
    ++asked;
    return context;
  }

  SystemRandom random;
  ManualClock clock;
  TicketKeys keys{random, clock};
  net::Reactor reactor{clock};
  std::shared_ptr<const ServerContext> context;
  int asked = 0;
};

/// A server stream under test and a client made of OpenSSL.
class Pair {
 public:
  explicit Pair(Listener& listener, const ClientOptions& options = {})
      : client(options),
        server(ServerStream::Create(std::make_unique<Wire>(wire), listener, listener.reactor)) {}

  /// Moves what the client has written to the server's side.
  void ToServer() { wire.inbound += client.TakeOutput(); }
  void ToClient() {
    client.Feed(wire.TakeOutbound());
    client.Step();
  }
  /// Handshake until both are done or one has failed. True when the server is established.
  bool Establish();
  /// Everything the server's `TryRead` gives now.
  std::string ReadAll(std::size_t step = 65536);

  WireState wire;
  OpenSslClient client;
  std::unique_ptr<ServerStream> server;
  Outcome<bool> outcome = false;  ///< Of the last `TryEstablish`.
  net::ReadResult last_read;      ///< What ended `ReadAll`.
};

/// TLS 1.2 and 1.3 with strong suites, one certificate.
[[nodiscard]] ServerSpec SpecWith(const CertificateEntry& certificate);
[[nodiscard]] ServerSpec SpecWith(const Issued& certificate);

}  // namespace elb::tls::testing
