#include "net/testing/simulated_network.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/socket_address.h"
#include "net/testing/simulated_connection.h"
#include "net/testing/simulated_listening.h"

namespace elb::net::testing {

SimulatedNetwork::Listening::Listening(SimulatedNetwork& network, const Endpoint& at,
                                       const ListenOptions& options, AcceptHandler& handler)
    : network_(&network), at_(at), reuse_port_(options.reuse_port), handler_(&handler) {
  network_->listeners_[at_].push_back(this);
}

SimulatedNetwork::Listening::~Listening() {
  if (network_ != nullptr) {
    std::erase(network_->listeners_[at_], this);
  }
}

SimulatedNetwork::SimulatedNetwork(SimulatedReactor& reactor, std::uint64_t seed)
    : reactor_(&reactor), random_(seed) {}

SimulatedNetwork::~SimulatedNetwork() {
  for (const auto& [number, connection] : connections_) {
    if (const auto alive = connection.lock()) {
      alive->Detach();
    }
  }
  for (const auto& [at, listeners] : listeners_) {
    for (Listening* listening : listeners) {
      listening->Detach();
    }
  }
}

Outcome<std::unique_ptr<Stream>> SimulatedNetwork::Connect(const Endpoint& to) {
  return ConnectFrom(IpAddress::V4({192, 0, 2, 1}), to);
}

Outcome<std::unique_ptr<Stream>> SimulatedNetwork::ConnectFrom(const IpAddress& source,
                                                               const Endpoint& to) {
  if (ReachOf(to) == Reach::kUnreachable) {
    return std::unexpected(FaultOfErrno(ENETUNREACH));
  }
  const Endpoint from{.address = source, .port = next_client_port_};
  next_client_port_ = next_client_port_ == UINT16_MAX ? 32768 : next_client_port_ + 1;
  const std::uint64_t number = connections_made_++;
  const auto connection = std::make_shared<SimulatedConnection>(*this, number, from, to);
  connections_[number] = connection;
  connection->Start();
  return connection->NewStream(SimulatedConnection::kClient);
}

Outcome<std::unique_ptr<Acceptor>> SimulatedNetwork::Listen(const Endpoint& at,
                                                            const ListenOptions& options,
                                                            AcceptHandler& handler) {
  Endpoint endpoint = at;
  while (endpoint.port == 0) {
    endpoint.port = next_listen_port_++;
    if (const auto taken = listeners_.find(endpoint);
        taken != listeners_.end() && !taken->second.empty()) {
      endpoint.port = 0;
    }
  }
  const std::vector<Listening*>& others = listeners_[endpoint];
  const bool shared = options.reuse_port && std::ranges::all_of(others, &Listening::reuse_port);
  if (!others.empty() && !shared) {
    return std::unexpected(FaultOfErrno(EADDRINUSE));
  }
  return std::make_unique<Listening>(*this, endpoint, options, handler);
}

void SimulatedNetwork::SetReach(const Endpoint& to, Reach reach) {
  const Reach before = std::exchange(reach_[to], reach);
  if (before != Reach::kBlackhole || reach == Reach::kBlackhole) {
    return;
  }
  for (const auto& connection : ConnectionsTo(to)) {
    connection->Resume();
  }
}

void SimulatedNetwork::ResetConnections(const Endpoint& to) {
  for (const auto& connection : ConnectionsTo(to)) {
    connection->Reset();
  }
}

std::vector<std::shared_ptr<SimulatedConnection>> SimulatedNetwork::ConnectionsTo(
    const Endpoint& to) const {
  std::vector<std::shared_ptr<SimulatedConnection>> found;
  for (const auto& [number, connection] : connections_) {
    if (auto alive = connection.lock(); alive && alive->server() == to) {
      found.push_back(std::move(alive));
    }
  }
  return found;
}

const LinkConditions& SimulatedNetwork::ConditionsOf(const Endpoint& to) const {
  const auto found = conditions_by_endpoint_.find(to);
  return found != conditions_by_endpoint_.end() ? found->second : conditions_;
}

Reach SimulatedNetwork::ReachOf(const Endpoint& to) const {
  const auto found = reach_.find(to);
  return found != reach_.end() ? found->second : Reach::kOpen;
}

bool SimulatedNetwork::Chance(std::uint32_t permille) {
  return permille > 0 && random_.Below(1000) < permille;
}

std::size_t SimulatedNetwork::PieceOf(std::size_t most, Pieces pieces) {
  return pieces == Pieces::kWhole ? most : 1 + random_.Below(most);
}

SimulatedNetwork::Listening* SimulatedNetwork::ChooseListener(const Endpoint& at) {
  const auto found = listeners_.find(at);
  if (found == listeners_.end() || found->second.empty()) {
    return nullptr;
  }
  const std::vector<Listening*>& listeners = found->second;
  return listeners.size() == 1 ? listeners.front() : listeners[random_.Below(listeners.size())];
}

}  // namespace elb::net::testing
