#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/ip.h"
#include "net/reactor.h"
#include "net/stream.h"
#include "net/task_scope.h"
#include "net/tcp_stream.h"
#include "rest/rest_handler.h"
#include "server/connection.h"

namespace elb::daemon {

/// The management API's socket and thread.
class ApiServer final : public net::AcceptHandler {
 public:
  /// Binds, or goes on with a socket of `inherited` that is bound there; then serves on a thread of
  /// its own. `handler` outlives it. Errors: the address cannot be bound.
  [[nodiscard]] static Result<std::unique_ptr<ApiServer>> Create(
      const Endpoint& at, rest::RestHandler& handler, const Clock& clock,
      std::vector<Descriptor> inherited = {});
  /// Closes every connection, without grace what `Finish` has not ended.
  ~ApiServer() override;
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;
  ApiServer(ApiServer&&) = delete;
  ApiServer& operator=(ApiServer&&) = delete;

  /// Stops accepting and waits for calls in progress, at most for `grace`.
  void Finish(std::chrono::milliseconds grace);
  /// Duplicates of the listening socket. Before `Finish`.
  [[nodiscard]] std::vector<Descriptor> ShareSockets() const { return network_.Share(); }

  [[nodiscard]] const Endpoint& local() const { return local_; }
  void OnAccept(std::unique_ptr<net::Stream> stream) override;

 private:
  ApiServer(rest::RestHandler& handler, const Clock& clock);
  [[nodiscard]] static net::Task<void> Serve(ApiServer* server,
                                             std::unique_ptr<server::Connection> connection);

  rest::RestHandler* handler_;
  net::EpollReactor reactor_;
  net::TcpNetwork network_;
  std::unique_ptr<net::Acceptor> acceptor_;
  Endpoint local_;
  std::unordered_set<server::Connection*> connections_;
  bool finishing_ = false;
  std::binary_semaphore finished_{0};
  std::jthread thread_;
  net::TaskScope scope_;
};

}  // namespace elb::daemon
