#pragma once

#include "net/testing/simulated_network.h"

namespace elb::net::testing {

/// A listening socket of a simulated network.
class SimulatedNetwork::Listening final : public Acceptor {
 public:
  Listening(SimulatedNetwork& network, const Endpoint& at, const ListenOptions& options,
            AcceptHandler& handler);
  ~Listening() override;
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  Listening(Listening&&) = delete;
  Listening& operator=(Listening&&) = delete;

  [[nodiscard]] Endpoint local() const override { return at_; }
  [[nodiscard]] bool reuse_port() const { return reuse_port_; }
  [[nodiscard]] AcceptHandler& handler() { return *handler_; }
  void Detach() { network_ = nullptr; }

 private:
  SimulatedNetwork* network_;
  Endpoint at_;
  bool reuse_port_;
  AcceptHandler* handler_;
};

}  // namespace elb::net::testing
