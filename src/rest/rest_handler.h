#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "control/executor.h"
#include "net/reactor.h"
#include "rest/api.h"
#include "server/connection_policy.h"
#include "server/server_stream.h"

namespace elb::rest {

/// Serves the management API on a reactor's thread; the calls themselves run on the control thread,
/// one after the other. Sign-ins wait for each other on a thread of their own, where passwords are
/// checked, so that no other call waits behind one. Either side may die first.
class RestHandler final : public server::Handler, public server::ConnectionPolicy {
 public:
  static constexpr std::size_t kBodyBytesMax = 2 * 1024 * 1024;

  struct Threads {
    control::Executor* control = nullptr;
    control::Executor* sign_in = nullptr;  ///< Destroyed before `control`.
  };
  RestHandler(Api& api, const Threads& threads) : api_(&api), threads_(threads) {}

  /// From now on each answer closes its connection. Reactor's thread.
  void Retire() { retiring_ = true; }

  [[nodiscard]] net::Task<void> Serve(server::ServerStream& stream) override;
  void OnRefused(const server::ConnectionFacts& connection,
                 const server::RefusedRequest& refused) override;
  void OnHandshakeFailed(const server::ConnectionFacts& connection, const Fault& fault) override;

  [[nodiscard]] std::chrono::seconds keepalive_timeout() const override {
    return std::chrono::seconds{75};
  }
  [[nodiscard]] std::chrono::seconds client_timeout() const override {
    return std::chrono::seconds{60};
  }
  [[nodiscard]] std::uint64_t request_body_bytes_max() const override {
    return limits_.request_body_bytes_max;
  }
  [[nodiscard]] bool retiring() const override { return retiring_; }
  [[nodiscard]] const http::h1::Limits& limits() const override { return limits_; }

 private:
  struct Exchange;
  /// What became of a request's body: it is complete unless one of these is set.
  struct BodyOutcome {
    bool gone = false;             ///< The client left; there is nobody to answer.
    std::optional<Error> refusal;  ///< Why the request is not looked at.
  };
  [[nodiscard]] static net::Task<BodyOutcome> ReadBody(server::ServerStream* stream,
                                                       std::string* body);

  Api* api_;
  Threads threads_;
  http::h1::Limits limits_;
  bool retiring_ = false;
};

}  // namespace elb::rest
