#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "balancer/cookie_table.h"
#include "base/id.h"
#include "base/mutex.h"
#include "contract/member_cell.h"
#include "proxy/counters.h"

namespace elb::proxy {

enum class ListenerCounter : std::uint8_t {
  kConnectionsOpened,
  kConnectionsClosed,
  kRequests,  ///< Answered, 499 and refused ones included.
  kStatus1xx,
  kStatus2xx,
  kStatus3xx,
  kStatus4xx,
  kStatus5xx,
  kStatus404,
  kStatus499,
  kStatus502,
  kOwn2xx,
  kOwn3xx,
  kOwn4xx,
  kOwn5xx,
  kOwn400,
  kOwn404,
  kOwn408,
  kOwn499,
  kOwn502,
  kOwn503,
  kOwn504,
  kBytesIn,             ///< From clients, TLS included.
  kBytesOut,            ///< To clients, likewise.
  kPacketsIn,           ///< From clients.
  kPacketsOut,          ///< To clients.
  kBlockedConnections,  ///< By access control.
  kBlockedPackets,      ///< Of those connections.
  kBlockedBytes,        ///< Likewise, TCP payload.
  kDroppedConnections,  ///< By limits.
  kHandshakeErrors,
  kAccessLogDropped,
  kCount
};

/// What listeners and pools alike count of their exchanges with members.
enum class UpstreamCounter : std::uint8_t {
  kStatus2xx,
  kStatus3xx,
  kStatus4xx,
  kStatus5xx,
  kStatus101,
  kStatus400,
  kStatus403,
  kStatus404,
  kStatus500,
  kStatus501,
  kStatus502,
  kStatus503,
  kStatus504,
  kStatusOther,  ///< Any code without a counter of its own.
  kBytesOut,     ///< To members, TLS included.
  kBytesIn,      ///< From members, likewise.
  kRetries,
  kCount
};

enum class PoolCounter : std::uint8_t {
  kRequests,
  kHandshakeErrors,
  kStickyHits,     ///< Attempts at the member of a session.
  kStickyRebinds,  ///< Sessions that another member took over.
  kCount
};

enum class MemberCounter : std::uint8_t {
  kRequests,  ///< Attempts.
  kStatus2xx,
  kStatus3xx,
  kStatus4xx,
  kStatus5xx,
  kConnects,
  kConnectFailures,
  kTimeouts,
  kResets,
  kCount
};

/// State of a listener that outlives snapshots. Shared by workers; thread-safe.
struct ListenerRuntime {
  ListenerRuntime(ListenerId listener, std::size_t workers)
      : id(std::move(listener)),
        counters(workers),
        upstream(workers),
        latency(workers),
        extremes(workers) {}
  ListenerId id;
  CounterSet<ListenerCounter> counters;
  CounterSet<UpstreamCounter> upstream;
  LatencyHistogram latency;
  LatencyExtremes extremes;
  std::atomic<std::int64_t> connections{0};  ///< Open now, for connection_limit.
  /// Token bucket of cps_limit: steady-clock nanoseconds at which the bucket will be full again.
  std::atomic<std::int64_t> cps_full_at{0};
};

struct PoolRuntime {
  PoolRuntime(PoolId pool, std::size_t workers)
      : id(std::move(pool)),
        counters(workers),
        upstream(workers),
        latency(workers),
        extremes(workers) {}
  PoolId id;
  CounterSet<PoolCounter> counters;
  CounterSet<UpstreamCounter> upstream;
  LatencyHistogram latency;
  LatencyExtremes extremes;
  /// Application cookies seen, made when they are first needed. The pointer is the control
  /// thread's, requests have theirs from the configuration.
  std::shared_ptr<balancer::CookieTable> cookies;
};

struct MemberRuntime {
  MemberRuntime(PoolId in_pool, MemberId member, std::shared_ptr<contract::MemberCell> shared_cell,
                std::size_t workers)
      : pool(std::move(in_pool)),
        id(std::move(member)),
        cell(std::move(shared_cell)),
        counters(workers) {}
  PoolId pool;
  MemberId id;
  std::shared_ptr<contract::MemberCell> cell;
  CounterSet<MemberCounter> counters;
  std::atomic<std::int64_t> connecting{0};   ///< Connections being opened.
  std::atomic<std::int64_t> established{0};  ///< Connections open, idle ones included.
  /// In the configuration in force, with a weight: its connections may wait idle for the next
  /// request (data-plane.md 6.7). Written by the control thread.
  std::atomic<bool> in_service{true};
};

/// Finds the runtime state of every object that some generation still uses. Thread-safe.
class RuntimeRegistry {
 public:
  RuntimeRegistry(std::size_t workers, contract::MemberCells& cells)
      : workers_(workers), cells_(&cells) {}

  [[nodiscard]] std::shared_ptr<ListenerRuntime> Listener(const ListenerId& id);
  [[nodiscard]] std::shared_ptr<PoolRuntime> Pool(const PoolId& id);
  [[nodiscard]] std::shared_ptr<MemberRuntime> Member(const PoolId& pool, const MemberId& id);
  [[nodiscard]] std::size_t workers() const { return workers_; }

 private:
  std::size_t workers_;
  contract::MemberCells* cells_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, std::weak_ptr<ListenerRuntime>> listeners_
      ELB_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::weak_ptr<PoolRuntime>> pools_ ELB_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::weak_ptr<MemberRuntime>> members_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::proxy
