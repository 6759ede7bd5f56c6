#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/sticky_keys.h"
#include "base/clock.h"
#include "base/random.h"
#include "contract/config_snapshot.h"
#include "contract/member_cell.h"
#include "net/signal.h"
#include "net/task_scope.h"
#include "net/testing/simulated_network.h"
#include "net/testing/simulated_reactor.h"
#include "proxy/access_log.h"
#include "proxy/generation.h"
#include "proxy/runtime.h"
#include "proxy/worker.h"
#include "tls/ticket_keys.h"

namespace elb::proxy::testing {

/// A member on the simulated network. Answers each request head (no content) with the same bytes.
class ScriptedMember final : public net::AcceptHandler {
 public:
  ScriptedMember(net::Reactor& reactor, net::Network& network, const Endpoint& at);
  void OnAccept(std::unique_ptr<net::Stream> stream) override;
  /// Connections that have not ended.
  [[nodiscard]] std::size_t connections() const { return scope_.size(); }

  /// Answers what waits and what will come with `bytes`.
  void Resume(std::string_view bytes);

  // NOLINTBEGIN(misc-non-private-member-variables-in-classes): tests change and read them.
  /// Sent for each request; empty: requests wait.
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  std::vector<std::string> requests;  ///< Heads, in their order.
  // NOLINTEND(misc-non-private-member-variables-in-classes): tests change and read them.

 private:
  [[nodiscard]] static net::Task<void> Serve(ScriptedMember* member,
                                             std::unique_ptr<net::Stream> stream);
  /// Puts a connection's signal on the list while it serves.
  class Listed;
  net::Reactor* reactor_;
  std::vector<net::Signal*> signals_;
  std::unique_ptr<net::Acceptor> acceptor_;
  net::TaskScope scope_;
};

/// Keeps the lines of a log.
struct KeptLines final : public LineSink {
  bool Offer(std::size_t worker, std::string_view line) override {
    static_cast<void>(worker);
    lines.emplace_back(line);
    return true;
  }
  std::vector<std::string> lines;
};

/// One worker with one HTTP listener and its pools, their members and its clients, in memory and on
/// a clock of its own. Change `pool` and `listener`, then `Apply`.
class ProxyRig {
 public:
  /// With members A, B, ... of weight 1, healthy and in force.
  explicit ProxyRig(std::size_t members);

  /// A further pool, for policies. Its members stand behind those that `members` has.
  contract::PoolConfig& AddPool(std::string id, std::size_t members_count);
  /// Puts the configuration of now in force.
  void Apply();
  /// As the health thread tells it.
  void SetStatus(std::size_t member, contract::MemberStatus status);
  /// Nobody listens at the member any more.
  void Refuse(std::size_t member);

  /// A group of the configuration, which `Apply` puts in force.
  void SetGroup(const std::string& id, const std::vector<std::string>& prefixes);
  /// The worker ends when its connections have.
  void Retire() {
    worker_->Retire();
    worker_->EndIdleConnections();
  }
  /// Connections that the worker has.
  [[nodiscard]] std::size_t connections() const { return worker_->connections(); }

  /// Opens a connection from `source` and sends `request`.
  [[nodiscard]] std::unique_ptr<net::Stream> Send(std::string_view request);
  /// What came as an answer, until it is complete; empty when nothing does within 10 s.
  [[nodiscard]] std::string Receive(net::Stream& client);
  /// Both, on a connection of its own.
  [[nodiscard]] std::string Ask(std::string_view request);
  void RunFor(std::chrono::milliseconds time) { reactor.RunFor(time); }

  /// How many requests each member saw.
  [[nodiscard]] std::vector<std::size_t> Seen() const;
  [[nodiscard]] std::uint64_t Counted(PoolCounter counter) const;
  [[nodiscard]] std::uint64_t Counted(ListenerCounter counter) const;
  [[nodiscard]] const CompiledPool& compiled_pool() const { return *current_->pools.at(pool.id); }
  [[nodiscard]] const CompiledListener& compiled_listener() const {
    return *current_->listeners.at(listener.id);
  }

  // NOLINTBEGIN(misc-non-private-member-variables-in-classes): tests change and read them.
  ManualClock clock;
  net::testing::SimulatedReactor reactor{clock};
  net::testing::SimulatedNetwork network{reactor, 1};
  contract::PoolConfig pool;
  std::deque<contract::PoolConfig> more_pools;
  contract::ListenerConfig listener;
  std::vector<std::unique_ptr<ScriptedMember>> members;
  KeptLines access_log;
  KeptLines reject_log;
  IpAddress source = IpAddress::V4({192, 0, 2, 1});  ///< Of clients.
  // NOLINTEND(misc-non-private-member-variables-in-classes): tests change and read them.

 private:
  void AddMembers(contract::PoolConfig& to, std::size_t count);

  decltype(contract::ConfigSnapshot::ip_groups) groups_;
  SeededRandom random_{1};
  tls::TicketKeys ticket_keys_{random_, clock};
  balancer::StickyKeys sticky_keys_{random_, clock};
  contract::MemberCells cells_;
  RuntimeRegistry registry_{1, cells_};
  std::shared_ptr<const Generation> current_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace elb::proxy::testing
