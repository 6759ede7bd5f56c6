#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/mutex.h"
#include "contract/data_plane.h"
#include "contract/member_cell.h"
#include "proxy/access_log.h"
#include "proxy/generation.h"
#include "proxy/runtime.h"
#include "tls/ticket_keys.h"

namespace elb::proxy {

class WorkerThread;

/// Told by the data plane which configuration is about to be in force, before workers see it: marks
/// members that wait for their first probe. Control thread.
class HealthChecks {
 public:
  virtual ~HealthChecks() = default;
  virtual void Apply(std::shared_ptr<const contract::ConfigSnapshot> next) = 0;
};

/// The data plane of one process: worker threads, the generation in force, the runtime state of all
/// objects. Threads: see `contract::DataPlane`; `OnHealthChanged` may come from the health thread.
class ProxyDataPlane final : public contract::DataPlane {
 public:
  struct Parts {
    std::size_t workers = 1;
    const Clock* clock = nullptr;
    tls::TicketKeys* ticket_keys = nullptr;
    const balancer::StickyKeys* sticky_keys = nullptr;
    contract::MemberCells* cells = nullptr;
    LogSinks logs;
    HealthChecks* health = nullptr;  ///< Null: every member counts as NO_MONITOR.
    http::h1::Limits limits;
    /// Of request ids: tells this node from others (24 bits), and where their numbers begin
    /// (unpredictable).
    std::uint32_t node_tag = 0;
    std::uint64_t first_request_number = 0;
  };
  /// Starts the worker threads. Errors: TLS set-up.
  [[nodiscard]] static Result<std::unique_ptr<ProxyDataPlane>> Create(const Parts& parts);
  ~ProxyDataPlane() override;
  ProxyDataPlane(const ProxyDataPlane&) = delete;
  ProxyDataPlane& operator=(const ProxyDataPlane&) = delete;
  ProxyDataPlane(ProxyDataPlane&&) = delete;
  ProxyDataPlane& operator=(ProxyDataPlane&&) = delete;

  [[nodiscard]] Result<std::shared_ptr<const contract::PreparedSnapshot>> Prepare(
      std::shared_ptr<const contract::ConfigSnapshot> next) override;
  [[nodiscard]] contract::ApplyReport Apply(
      std::shared_ptr<const contract::PreparedSnapshot> prepared) override;
  [[nodiscard]] std::optional<contract::MemberHealth> Health(const PoolId& pool,
                                                             const MemberId& member) const override;
  [[nodiscard]] std::vector<contract::ListenerProblem> Problems() const override;

  /// A member's health changed: schedulers look again, idle connections to one that is OFFLINE are
  /// closed. Any thread.
  void OnHealthChanged(const PoolId& pool, const MemberId& member);
  /// Tries again to bind what could not be bound. Control thread, about once per second.
  void RetryBinding();

  /// Listening sockets of a process that this one follows. Before the first `Apply`.
  void Adopt(std::vector<Descriptor> sockets);
  /// After the first `Apply`: closes what no listener took.
  void DropAdopted();
  /// Duplicates of all listening sockets, for a process that follows this one.
  [[nodiscard]] std::vector<Descriptor> ShareSockets();

  struct Grace {
    std::chrono::milliseconds total{};  ///< For answers on their way; then everything ends.
    /// How long a connection without a request may stay for one more, whose answer closes it. A
    /// client that sends one meanwhile notices nothing.
    std::chrono::milliseconds idle{};
  };
  /// Coroutine frames of all workers, as each counted them within the last second or so.
  [[nodiscard]] std::size_t frames() const;
  /// Stops accepting, lets answers finish, then ends everything.
  void Stop(const Grace& grace);

  /// The generation in force. Thread-safe; for metrics and status.
  [[nodiscard]] std::shared_ptr<const Generation> current() const ELB_EXCLUDES(mutex_);

 private:
  explicit ProxyDataPlane(const Parts& parts);
  /// Connections that are left; SIZE_MAX when not every worker answered in time.
  [[nodiscard]] std::size_t RetireWorkers(bool end_idle, MonotonicTime deadline);
  void SetProblems(std::vector<contract::ListenerProblem> problems);
  [[nodiscard]] contract::ApplyReport ApplyOnWorkers(
      const std::shared_ptr<const Generation>& generation);

  Parts parts_;
  RuntimeRegistry registry_;
  CompileContext context_;
  mutable Mutex mutex_;
  std::shared_ptr<const Generation> current_ ELB_GUARDED_BY(mutex_);
  std::vector<contract::ListenerProblem> problems_ ELB_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<WorkerThread>> workers_;
};

}  // namespace elb::proxy
