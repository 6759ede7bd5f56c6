#include "daemon/api_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <cstring>
#include <utility>

namespace elb::daemon {
namespace {

/// Connections at the same time: a flood must not use up the process's descriptors.
constexpr std::size_t kConnectionsMax = 1024;

}  // namespace

ApiServer::ApiServer(rest::RestHandler& handler, const Clock& clock)
    : handler_(&handler), reactor_(clock), network_(reactor_), scope_(reactor_) {}

Result<std::unique_ptr<ApiServer>> ApiServer::Create(const Endpoint& at, rest::RestHandler& handler,
                                                     const Clock& clock,
                                                     std::vector<Descriptor> inherited) {
  auto server = std::unique_ptr<ApiServer>(new ApiServer(handler, clock));
  server->network_.Adopt(std::move(inherited));
  auto acceptor = server->network_.Listen(at, {.reuse_port = false}, *server);
  if (!acceptor) {
    return Conflict("api.port", fmt::format("the API cannot listen on {}: {}", at.ToString(),
                                            std::strerror(acceptor.error().detail)));
  }
  server->acceptor_ = *std::move(acceptor);
  server->network_.DropAdopted();
  server->local_ = server->acceptor_->local();
  server->thread_ = std::jthread([server = server.get()] {
    pthread_setname_np(pthread_self(), "elb-api");
    server->reactor_.Run();
    server->scope_.Clear();  // Frames die on their own thread.
    server->acceptor_.reset();
  });
  return server;
}

ApiServer::~ApiServer() {
  reactor_.Stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ApiServer::Finish(std::chrono::milliseconds grace) {
  reactor_.Post([this] {
    acceptor_.reset();
    handler_->Retire();
    finishing_ = true;
    for (server::Connection* connection : connections_) {
      connection->EndWhenIdle();
    }
    if (connections_.empty()) {
      finished_.release();
    }
  });
  static_cast<void>(finished_.try_acquire_for(grace));
}

net::Task<void> ApiServer::Serve(ApiServer* server,
                                 std::unique_ptr<server::Connection> connection) {
  server->connections_.insert(connection.get());
  co_await connection->Run(server->reactor_.now());
  server->connections_.erase(connection.get());
  if (server->finishing_ && server->connections_.empty()) {
    server->finished_.release();
  }
}

void ApiServer::OnAccept(std::unique_ptr<net::Stream> stream) {
  if (scope_.size() >= kConnectionsMax) {
    return;
  }
  scope_.Spawn(Serve(this, std::make_unique<server::Connection>(std::move(stream), nullptr,
                                                                *handler_, *handler_, reactor_)));
}

}  // namespace elb::daemon
