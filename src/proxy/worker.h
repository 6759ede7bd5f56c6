#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "contract/data_plane.h"
#include "net/task_scope.h"
#include "proxy/access_log.h"
#include "proxy/generation.h"
#include "proxy/reject_log.h"
#include "proxy/worker_context.h"
#include "proxy/worker_listener.h"

namespace elb::proxy {

/// What one worker does, on its own thread: every listener's sockets and connections, the idle
/// upstream connections, a sweep each second. Created and destroyed on that thread.
class Worker {
 public:
  struct Parts {
    std::size_t index = 0;
    net::Reactor* reactor = nullptr;
    net::Network* network = nullptr;
    LogSinks logs;
    RequestIds ids;
    std::atomic<std::size_t>* frames = nullptr;  ///< Told each second how many are in use.
  };
  explicit Worker(const Parts& parts);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  Worker(Worker&&) = delete;
  Worker& operator=(Worker&&) = delete;

  /// Puts a generation in force. Returns the listeners that cannot serve, all of them.
  std::vector<contract::ListenerProblem> Apply(const std::shared_ptr<const Generation>& generation);
  /// The process is about to end: stops accepting; answers close their connections.
  void Retire();
  /// Ends what waits for a request. After `Retire`.
  void EndIdleConnections();
  /// Connections that have not ended.
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::vector<contract::ListenerProblem> Problems() const;
  void BindMissing();
  /// Closes idle connections to members that may not take requests now.
  void CloseIdle(const MemberRuntime* member);

 private:
  [[nodiscard]] static net::Task<void> SweepEachSecond(Worker* worker);
  void ForgetMembers(const Generation& generation);
  void CloseMembersThatLeft(const Generation& generation, const PoolId& id);
  void Sweep();

  WorkerContext context_;
  std::unique_ptr<AccessLog> access_log_;
  std::unique_ptr<RejectLog> reject_log_;
  std::shared_ptr<const Generation> generation_;
  absl::flat_hash_map<ListenerId, std::unique_ptr<WorkerListener>> listeners_;
  std::vector<std::unique_ptr<WorkerListener>> retired_;
  std::atomic<std::size_t>* frames_;
  net::Signal sweep_signal_;
  net::TaskScope scope_;
};

}  // namespace elb::proxy
