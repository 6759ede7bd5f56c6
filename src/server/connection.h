#pragma once

#include <memory>

#include "net/reactor.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/task.h"
#include "server/connection_policy.h"
#include "server/server_stream.h"
#include "tls/server_stream.h"

namespace elb::server {

class Http1Connection;
class Http2Session;

/// One client connection from accept to close: TLS handshake, protocol choice, requests, orderly
/// end. One thread. `handler` and `policy` outlive it.
class Connection {
 public:
  /// `contexts` null: cleartext HTTP.
  Connection(std::unique_ptr<net::Stream> stream, tls::ContextSource* contexts, Handler& handler,
             const ConnectionPolicy& policy, net::Reactor& reactor);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  /// Serves until the connection, which was accepted at `arrived_at`, is closed; then the object
  /// may be destroyed.
  [[nodiscard]] [[clang::coro_wrapper]] net::Task<void> Run(MonotonicTime arrived_at);
  /// The peer is a proxy and speaks for `client`. Before `Run`.
  void SetClient(const Endpoint& client) { facts_.client = client; }
  /// Ends it at the next suspension point.
  void Cancel() { signal_.Cancel(); }
  /// `ConnectionPolicy::retiring` became true: HTTP/2 clients are told now (GOAWAY), others with
  /// their next answer.
  void TellRetiring();
  /// The process is about to end: without a request in progress the connection ends now, otherwise
  /// after its answers. `ConnectionPolicy::retiring` is true by then.
  void EndWhenIdle();
  [[nodiscard]] const ConnectionFacts& facts() const { return facts_; }

 private:
  [[nodiscard]] net::Task<void> Serve();
  enum class Established : std::uint8_t { kYes, kPlainHttp, kAlert, kNo };
  [[nodiscard]] net::Task<Established> Establish();
  /// True: an orderly end is to follow.
  [[nodiscard]] net::Task<bool> RunHttp1();
  [[nodiscard]] net::Task<bool> RunHttp2();
  [[nodiscard]] net::Task<void> Linger();
  void DropTls();
  void AnswerPlainHttp();

  Handler* handler_;
  const ConnectionPolicy* policy_;
  tls::ServerStream* tls_ = nullptr;  ///< `stream_`, when it is one. Before it: set with it.
  std::unique_ptr<net::Stream> stream_;
  ConnectionFacts facts_;
  Http1Connection* http1_ = nullptr;  ///< While it serves.
  Http2Session* http2_ = nullptr;     ///< Likewise.
  net::Signal signal_;
};

}  // namespace elb::server
