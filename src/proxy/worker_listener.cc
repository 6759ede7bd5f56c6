#include "proxy/worker_listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "net/prefixed_stream.h"
#include "proxy/access_log.h"
#include "proxy/exchange.h"
#include "proxy/exchange_metrics.h"
#include "proxy/limits.h"
#include "proxy/proxy_header.h"
#include "proxy/reject_log.h"

namespace elb::proxy {

/// One client connection and where it stands in the list.
struct WorkerListener::ConnectionEntry {
  ConnectionEntry(WorkerListener& listener, std::unique_ptr<net::Stream> stream,
                  tls::ContextSource* contexts)
      : connection(std::move(stream), contexts, listener, listener, *listener.worker_->reactor) {}
  server::Connection connection;
  std::size_t position = 0;
};

/// A connection whose proxy has not told yet for whom it speaks.
struct WorkerListener::HeaderWait {
  explicit HeaderWait(WorkerListener& of) : listener(&of), signal(*of.worker_->reactor) {
    listener->header_waits_.push_back(this);
  }
  HeaderWait(const HeaderWait&) = delete;
  HeaderWait& operator=(const HeaderWait&) = delete;
  HeaderWait(HeaderWait&&) = delete;
  HeaderWait& operator=(HeaderWait&&) = delete;
  ~HeaderWait() { std::erase(listener->header_waits_, this); }
  WorkerListener* listener;
  net::Signal signal;
};

/// Holds a configuration while an exchange uses it.
class WorkerListener::Pin {
 public:
  explicit Pin(WorkerListener& listener) : listener_(&listener), pinned_(listener.current_) {
    ++pinned_->uses;
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  Pin(Pin&&) = delete;
  Pin& operator=(Pin&&) = delete;
  ~Pin() { listener_->Unpin(pinned_); }
  [[nodiscard]] const CompiledListener& compiled() const { return *pinned_->compiled; }

 private:
  WorkerListener* listener_;
  Pinned* pinned_;
};

WorkerListener::WorkerListener(std::shared_ptr<const CompiledListener> compiled,
                               WorkerContext& worker)
    : worker_(&worker), runtime_(compiled->runtime), scope_(*worker.reactor) {
  Update(std::move(compiled));
}

WorkerListener::~WorkerListener() {
  sockets_.clear();
  runtime_->connections.fetch_sub(static_cast<std::int64_t>(held_), std::memory_order_relaxed);
  runtime_->counters.Add(worker_->index, ListenerCounter::kConnectionsClosed, held_);
  // Destroys what is suspended, and with it every pin, while everything else still stands.
  scope_.Clear();
  for (ConnectionEntry* entry : std::exchange(connections_, {})) {
    runtime_->connections.fetch_sub(1, std::memory_order_relaxed);
    runtime_->counters.Add(worker_->index, ListenerCounter::kConnectionsClosed);
    delete entry;
  }
  delete current_;
}

void WorkerListener::Unpin(Pinned* pinned) {
  if (--pinned->uses == 0 && pinned != current_) {
    delete pinned;
  }
}

void WorkerListener::Update(std::shared_ptr<const CompiledListener> compiled) {
  Pinned* before = std::exchange(current_, new Pinned{.compiled = std::move(compiled), .uses = 0});
  if (before != nullptr && before->uses == 0) {
    delete before;
  }
  const contract::ListenerConfig& config = *current_->compiled->config;
  std::erase_if(sockets_, [&](const auto& socket) {
    const bool stays =
        socket.first.port == config.port &&
        std::ranges::find(config.addresses, socket.first.address) != config.addresses.end();
    if (!stays) {
      socket.second->ReleaseHeld();
    }
    return !stays;
  });
  BindMissing();
}

void WorkerListener::BindMissing() {
  problem_.clear();
  if (retired_) {
    return;
  }
  const contract::ListenerConfig& config = *current_->compiled->config;
  for (const IpAddress& address : config.addresses) {
    const Endpoint endpoint{.address = address, .port = config.port};
    if (sockets_.contains(endpoint)) {
      continue;
    }
    auto acceptor = worker_->network->Listen(endpoint, {}, *this);
    if (acceptor) {
      sockets_.emplace(endpoint, *std::move(acceptor));
    } else {
      problem_ = fmt::format("cannot listen on {}: {}", endpoint.ToString(),
                             std::strerror(acceptor.error().detail));
    }
  }
}

void WorkerListener::Retire() {
  retired_ = true;
  for (const auto& [endpoint, socket] : sockets_) {
    socket->ReleaseHeld();
  }
  sockets_.clear();
  problem_.clear();
}

void WorkerListener::TellRetiring() {
  for (ConnectionEntry* entry : connections_) {
    entry->connection.TellRetiring();
  }
}

void WorkerListener::EndIdleConnections() {
  for (ConnectionEntry* entry : connections_) {
    entry->connection.EndWhenIdle();
  }
  for (HeaderWait* wait : header_waits_) {
    wait->signal.Cancel();
  }
}

WorkerListener::PeerRole WorkerListener::RoleOf(const IpAddress& peer) const {
  const contract::FrontProxyConfig& front = compiled().config->front_proxy;
  if (front.mode == contract::FrontProxyMode::kOff) {
    return PeerRole::kClient;
  }
  if (compiled().proxies == nullptr || !compiled().proxies->Contains(peer)) {
    return front.others_direct ? PeerRole::kClient : PeerRole::kStranger;
  }
  return front.mode == contract::FrontProxyMode::kProxyProtocol ? PeerRole::kHeaderProxy
                                                                : PeerRole::kFieldsProxy;
}

WorkerListener::Admission WorkerListener::Admit(PeerRole role, const IpAddress& client) {
  if (role == PeerRole::kStranger ||
      (role != PeerRole::kFieldsProxy &&
       !Admits(compiled().config->access_mode, compiled().access_group.get(), client))) {
    return Admission::kBlocked;
  }
  const std::int64_t limit = compiled().config->connection_limit;
  const bool over = limit >= 0 && runtime_->connections.load(std::memory_order_relaxed) >= limit;
  return over || !TakeConnectionToken() ? Admission::kOverLimit : Admission::kYes;
}

void WorkerListener::Refuse(net::Stream& peer, Admission why) {
  if (why == Admission::kBlocked) {
    CountBlocked(peer);
  } else {
    runtime_->counters.Add(worker_->index, ListenerCounter::kDroppedConnections);
  }
  peer.Abort();
}

void WorkerListener::CountBlocked(net::Stream& peer) {
  const net::Traffic traffic = peer.TakeTraffic(net::PacketCount::kNow);
  auto& counters = runtime_->counters;
  counters.Add(worker_->index, ListenerCounter::kBlockedConnections);
  counters.Add(worker_->index, ListenerCounter::kBlockedPackets, traffic.packets_in);
  counters.Add(worker_->index, ListenerCounter::kBlockedBytes, peer.UnreadBytes());
}

/// Token bucket that holds one second of `cps_limit`, shared by all workers (data-plane.md 1.9).
bool WorkerListener::TakeConnectionToken() {
  const std::int64_t limit = compiled().config->cps_limit;
  if (limit < 0) {
    return true;
  }
  if (limit == 0) {
    return false;
  }
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t cost = kSecond / limit;
  const std::int64_t now = worker_->reactor->now().time_since_epoch().count();
  std::int64_t full_at = runtime_->cps_full_at.load(std::memory_order_relaxed);
  while (true) {
    const std::int64_t next = std::max(full_at, now) + cost;
    if (next - now > kSecond) {
      return false;
    }
    if (runtime_->cps_full_at.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) {
      return true;
    }
  }
}

void WorkerListener::OnAccept(std::unique_ptr<net::Stream> stream) {
  const Endpoint peer = stream->peer();
  const PeerRole role = RoleOf(peer.address);
  if (role == PeerRole::kHeaderProxy) {
    scope_.Spawn(AwaitProxyHeader(this, std::move(stream)));
  } else {
    Open(std::move(stream), role, peer);
  }
}

/// Reads the header that names the client, and only then decides about the connection.
net::Task<void> WorkerListener::AwaitProxyHeader(WorkerListener* listener,
                                                 std::unique_ptr<net::Stream> stream) {
  HeaderWait wait(*listener);
  net::Reactor& reactor = *listener->worker_->reactor;
  const MonotonicTime deadline = reactor.now() + kProxyHeaderWait;
  wait.signal.SetDeadline(deadline);
  stream->SetSignal(&wait.signal);
  std::string received;
  ProxyHeader header;
  while (header.status == ProxyHeader::Status::kNeedMore) {
    const net::ReadResult read =
        stream->TryRead(reactor.read_scratch().first(kProxyHeaderBytesMax - received.size()));
    if (read.kind == net::ReadResult::Kind::kData) {
      received.append(reinterpret_cast<const char*>(reactor.read_scratch().data()), read.bytes);
      header = ParseProxyHeader(received);
    } else if (read.kind != net::ReadResult::Kind::kWouldBlock || reactor.now() >= deadline ||
               co_await wait.signal.Wait() == net::Wake::kCancelled) {
      break;
    }
  }
  stream->SetSignal(nullptr);
  if (header.status != ProxyHeader::Status::kDone) {
    if (!wait.signal.cancelled()) {
      listener->NoteBadHeader(*stream, received);
    }
    stream->Abort();
    co_return;
  }
  const Endpoint client = header.client.value_or(stream->peer());
  received.erase(0, header.bytes);
  if (!received.empty()) {
    stream = net::PutBack(std::move(received), std::move(stream));
  }
  listener->Open(std::move(stream), PeerRole::kClient, client);
}

/// Not of a proxy that closes without a word: it was only looking whether we are there.
void WorkerListener::NoteBadHeader(net::Stream& stream, std::string_view received) {
  if (received.empty() && stream.peer_gone()) {
    return;
  }
  runtime_->counters.Add(worker_->index, ListenerCounter::kDroppedConnections);
  if (worker_->reject_log != nullptr) {
    constexpr std::size_t kShownMax = 256;
    const Endpoint peer = stream.peer();
    worker_->reject_log->Write(
        *worker_, compiled(), {.client = peer, .tls = nullptr, .stream = &stream},
        {.status = 0,
         .reason = received.empty() ? "proxy_header_missing" : "proxy_header_bad",
         .bytes = received.substr(0, kShownMax),
         .bytes_sent = 0});
  }
}

/// Serves a connection, or resets it. `client` is the peer, or whom the peer spoke for.
void WorkerListener::Open(std::unique_ptr<net::Stream> stream, PeerRole role,
                          const Endpoint& client) {
  if (const Admission admission = Admit(role, client.address); admission != Admission::kYes) {
    Refuse(*stream, admission);
    return;
  }
  CountOpened();
  Begin(std::move(stream), client, worker_->reactor->now());
}

void WorkerListener::CountOpened() {
  runtime_->connections.fetch_add(1, std::memory_order_relaxed);
  runtime_->counters.Add(worker_->index, ListenerCounter::kConnectionsOpened);
}

/// A client may be held that is served for its own sake: what it sends is not needed to decide.
/// Who is refused comes through `OnAccept`.
bool WorkerListener::MayHold(const Endpoint& peer) {
  const PeerRole role = RoleOf(peer.address);
  if (role == PeerRole::kHeaderProxy || Admit(role, peer.address) != Admission::kYes) {
    return false;
  }
  CountOpened();
  ++held_;
  return true;
}

void WorkerListener::OnHeld(std::unique_ptr<net::Stream> stream, MonotonicTime arrived_at) {
  --held_;
  const Endpoint peer = stream->peer();
  Begin(std::move(stream), peer, arrived_at);
}

void WorkerListener::OnHeldGone(std::unique_ptr<net::Stream> stream) {
  --held_;
  CountClosed(stream.get());
}

void WorkerListener::CountClosed(net::Stream* stream) {
  if (stream != nullptr) {
    CountClientTraffic(*worker_, *runtime_, *stream, net::PacketCount::kNow);
  }
  runtime_->connections.fetch_sub(1, std::memory_order_relaxed);
  runtime_->counters.Add(worker_->index, ListenerCounter::kConnectionsClosed);
}

void WorkerListener::Begin(std::unique_ptr<net::Stream> stream, const Endpoint& client,
                           MonotonicTime arrived_at) {
  const bool tls = compiled().tls != nullptr;
  auto entry = std::make_unique<ConnectionEntry>(*this, std::move(stream), tls ? this : nullptr);
  entry->connection.SetClient(client);
  entry->position = connections_.size();
  connections_.push_back(entry.get());
  scope_.Spawn(RunConnection(this, entry.release(), arrived_at));
}

net::Task<void> WorkerListener::RunConnection(WorkerListener* listener, ConnectionEntry* entry,
                                              MonotonicTime arrived_at) {
  co_await entry->connection.Run(arrived_at);
  listener->ForgetConnection(entry);
}

void WorkerListener::ForgetConnection(ConnectionEntry* entry) {
  connections_[entry->position] = connections_.back();
  connections_[entry->position]->position = entry->position;
  connections_.pop_back();
  CountClosed(entry->connection.facts().stream);
  delete entry;
}

net::Task<void> WorkerListener::Serve(server::ServerStream& stream) {
  const Pin pin(*this);
  Exchange exchange(pin.compiled(), *worker_, stream);
  co_await exchange.Run();
}

void WorkerListener::OnRefused(const server::ConnectionFacts& connection,
                               const server::RefusedRequest& refused) {
  CountRefused(*worker_, compiled(), refused.status);
  if (refused.status == 400) {
    if (worker_->reject_log != nullptr) {
      worker_->reject_log->Write(*worker_, compiled(), connection, refused);
    }
  } else if (worker_->access_log != nullptr) {
    worker_->access_log->WriteRefused(*worker_, compiled(), connection, refused);
  }
}

void WorkerListener::OnHandshakeFailed(const server::ConnectionFacts& connection,
                                       const Fault& fault) {
  static_cast<void>(connection);
  if (fault.code == FaultCode::kTls) {
    runtime_->counters.Add(worker_->index, ListenerCounter::kHandshakeErrors);
  }
}

std::chrono::seconds WorkerListener::keepalive_timeout() const {
  return compiled().config->keepalive_timeout;
}

std::chrono::seconds WorkerListener::client_timeout() const {
  return compiled().config->client_timeout;
}

std::uint64_t WorkerListener::request_body_bytes_max() const {
  return compiled().config->request_body_bytes_max;
}

std::shared_ptr<const tls::ServerContext> WorkerListener::Current() { return compiled().tls; }

}  // namespace elb::proxy
