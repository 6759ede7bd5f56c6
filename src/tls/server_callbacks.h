#pragma once

#include <chrono>
#include <string>

#include "tls/compiled_context.h"
#include "tls/openssl_handles.h"

namespace elb::tls {

/// What a session remembers beyond OpenSSL's own facts; travels inside the ticket.
struct SessionMemory {
  std::chrono::sys_seconds full_handshake_at;
  crypto::KeyType certificate_type = crypto::KeyType::kOther;
};

/// What the callbacks of one server handshake need and leave behind.
struct ServerHandshake {
  const ServerContext::Compiled* context = nullptr;
  std::string server_name;  ///< As made by `NormalServerName`.
  SessionMemory resumed;    ///< Of the session that the client offered, if it was good.
};

/// Certificate choice, ALPN and tickets, for contexts of connections whose channel has a
/// `ServerHandshake` until the handshake is over.
void SetServerCallbacks(SSL_CTX& context);

}  // namespace elb::tls
