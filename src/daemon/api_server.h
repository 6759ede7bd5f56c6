#pragma once

#include <cstdint>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/ip.h"
#include "net/reactor.h"
#include "net/stream.h"
#include "net/task_scope.h"
#include "net/tcp_stream.h"
#include "rest/rest_handler.h"

namespace elb::daemon {

/// The management API's socket and thread.
class ApiServer final : public net::AcceptHandler {
 public:
  /// Binds, then serves on a thread of its own. `handler` outlives it. Errors: the address cannot
  /// be bound.
  [[nodiscard]] static Result<std::unique_ptr<ApiServer>> Create(const Endpoint& at,
                                                                 rest::RestHandler& handler,
                                                                 const Clock& clock);
  /// Closes every connection.
  ~ApiServer() override;
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;
  ApiServer(ApiServer&&) = delete;
  ApiServer& operator=(ApiServer&&) = delete;

  [[nodiscard]] const Endpoint& local() const { return local_; }
  void OnAccept(std::unique_ptr<net::Stream> stream) override;

 private:
  ApiServer(rest::RestHandler& handler, const Clock& clock);

  rest::RestHandler* handler_;
  net::EpollReactor reactor_;
  net::TcpNetwork network_;
  std::unique_ptr<net::Acceptor> acceptor_;
  Endpoint local_;
  std::jthread thread_;
  net::TaskScope scope_;
};

}  // namespace elb::daemon
