#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/stream.h"
#include "net/task_scope.h"
#include "proxy/generation.h"
#include "proxy/worker_context.h"
#include "server/connection.h"
#include "server/connection_policy.h"
#include "server/server_stream.h"
#include "tls/server_stream.h"

namespace elb::proxy {

/// One listener on one worker: its sockets, its connections, and the configuration in force for the
/// next request. Worker's thread only. A deleted listener lives on, without sockets, until its last
/// connection ends.
class WorkerListener final : public net::AcceptHandler,
                             public server::Handler,
                             public server::ConnectionPolicy,
                             public tls::ContextSource {
 public:
  WorkerListener(std::shared_ptr<const CompiledListener> compiled, WorkerContext& worker);
  ~WorkerListener() override;
  WorkerListener(const WorkerListener&) = delete;
  WorkerListener& operator=(const WorkerListener&) = delete;
  WorkerListener(WorkerListener&&) = delete;
  WorkerListener& operator=(WorkerListener&&) = delete;

  /// Puts a new configuration in force and reconciles the sockets. Connections and sockets of
  /// unchanged addresses are untouched.
  void Update(std::shared_ptr<const CompiledListener> compiled);
  /// Tries again to bind what could not be bound.
  void BindMissing();
  /// Closes the sockets; connections end after their next answer.
  void Retire();
  /// Tells clients that can be told without an answer (HTTP/2). After `Retire`.
  void TellRetiring();
  /// Ends connections without a request in progress; those with one end after their answers.
  void EndIdleConnections();

  /// Why sockets are missing; empty when none is.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] std::size_t connections() const {
    return connections_.size() + header_waits_.size() + held_;
  }
  [[nodiscard]] bool retired() const { return retired_; }

  // net::AcceptHandler
  void OnAccept(std::unique_ptr<net::Stream> stream) override;
  [[nodiscard]] bool MayHold(const Endpoint& peer) override;
  [[nodiscard]] std::chrono::nanoseconds hold_time() const override { return client_timeout(); }
  void OnHeld(std::unique_ptr<net::Stream> stream, MonotonicTime arrived_at) override;
  void OnHeldGone(std::unique_ptr<net::Stream> stream) override;
  // server::Handler
  [[nodiscard]] net::Task<void> Serve(server::ServerStream& stream) override;
  void OnRefused(const server::ConnectionFacts& connection,
                 const server::RefusedRequest& refused) override;
  void OnHandshakeFailed(const server::ConnectionFacts& connection, const Fault& fault) override;
  // server::ConnectionPolicy
  [[nodiscard]] std::chrono::seconds keepalive_timeout() const override;
  [[nodiscard]] std::chrono::seconds client_timeout() const override;
  [[nodiscard]] std::uint64_t request_body_bytes_max() const override;
  [[nodiscard]] bool retiring() const override { return retired_; }
  [[nodiscard]] const http::h1::Limits& limits() const override { return compiled().limits; }
  // tls::ContextSource
  [[nodiscard]] std::shared_ptr<const tls::ServerContext> Current() override;

 private:
  /// A configuration that exchanges of this worker hold on to; counted without atomics.
  struct Pinned {
    std::shared_ptr<const CompiledListener> compiled;
    std::uint32_t uses = 0;
  };
  class Pin;
  struct ConnectionEntry;
  struct HeaderWait;
  /// What a peer is to the listener (api-extensions.md 10.3).
  enum class PeerRole : std::uint8_t {
    kClient,
    kHeaderProxy,  ///< Tells its client in a header in front of everything.
    kFieldsProxy,  ///< Tells the client of each request in a field: checked then.
    kStranger,     ///< No proxy, where only proxies are served.
  };

  [[nodiscard]] const CompiledListener& compiled() const { return *current_->compiled; }
  [[nodiscard]] PeerRole RoleOf(const IpAddress& peer) const;
  /// Access control first, then limits (data-plane.md 0.4): a refused client spends nothing.
  enum class Admission : std::uint8_t { kYes, kBlocked, kOverLimit };
  [[nodiscard]] Admission Admit(PeerRole role, const IpAddress& client);
  void Refuse(net::Stream& peer, Admission why);
  void CountOpened();
  void CountClosed(net::Stream* stream);
  void Open(std::unique_ptr<net::Stream> stream, PeerRole role, const Endpoint& client);
  void Begin(std::unique_ptr<net::Stream> stream, const Endpoint& client, MonotonicTime arrived_at);
  void CountBlocked(net::Stream& peer);
  [[nodiscard]] bool TakeConnectionToken();
  void Unpin(Pinned* pinned);
  [[nodiscard]] static net::Task<void> RunConnection(WorkerListener* listener,
                                                     ConnectionEntry* entry,
                                                     MonotonicTime arrived_at);
  [[nodiscard]] static net::Task<void> AwaitProxyHeader(WorkerListener* listener,
                                                        std::unique_ptr<net::Stream> stream);
  void NoteBadHeader(net::Stream& stream, std::string_view received);
  void ForgetConnection(ConnectionEntry* entry);

  WorkerContext* worker_;
  std::shared_ptr<ListenerRuntime> runtime_;
  Pinned* current_ = nullptr;
  std::map<Endpoint, std::unique_ptr<net::Acceptor>> sockets_;
  std::string problem_;
  bool retired_ = false;
  std::vector<ConnectionEntry*> connections_;
  std::vector<HeaderWait*> header_waits_;
  std::size_t held_ = 0;  ///< Connections that the sockets hold.
  net::TaskScope scope_;  // Last: its tasks use everything above.
};

}  // namespace elb::proxy
