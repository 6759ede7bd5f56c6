#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "contract/config_snapshot.h"

namespace elb::contract {

enum class MemberStatus : std::uint8_t { kNoMonitor, kOnline, kOffline };

/// Why a member is OFFLINE (data-plane.md 9.4). kNone: healthy, or not probed yet.
enum class HealthReason : std::uint8_t {
  kNone,
  kConnectTimeout,
  kConnectRefused,
  kConnectFailed,
  kConnectInterrupt,
  kSslHandshakeError,
  kSendRequestFailed,
  kSendRequestTimeout,
  kRecvResponseFailed,
  kRecvResponseTimeout,
  kResponseFormatError,
  kResponseMismatch,
};

struct MemberHealth {
  MemberStatus status = MemberStatus::kNoMonitor;
  bool probed = false;  ///< At least one probe has finished.
  HealthReason reason = HealthReason::kNone;
  int response_code = 0;  ///< With kResponseMismatch.
  WallTime since;         ///< Of the last transition.
};

/// What survives a restart about one member.
struct SavedMemberHealth {
  PoolId pool;
  MemberId member;
  MemberHealth health;
};

/// A listening address that could not be bound, or any other reason why a listener is DEGRADED.
struct ListenerProblem {
  ListenerId listener;
  std::string reason;
};

/// Outcome of an `Apply`.
struct ApplyReport {
  bool every_worker_acknowledged = true;
  std::vector<ListenerProblem> problems;  ///< All current ones, not only new ones.
};

/// What `Prepare` built for one snapshot; opaque to the control plane.
class PreparedSnapshot {
 public:
  virtual ~PreparedSnapshot() = default;
};

/// The data plane as the control plane sees it. All calls come from one control thread at a time.
class DataPlane {
 public:
  virtual ~DataPlane() = default;
  /// Builds matchers and TLS contexts of what changed; refuses what cannot work, naming the field.
  /// Nothing is in force yet; dropping the result forgets it.
  [[nodiscard]] virtual Result<std::shared_ptr<const PreparedSnapshot>> Prepare(
      std::shared_ptr<const ConfigSnapshot> next) = 0;
  /// Puts it in force on every worker and waits for their acknowledgements, at most 1 s.
  [[nodiscard]] virtual ApplyReport Apply(std::shared_ptr<const PreparedSnapshot> prepared) = 0;
  /// Health of one member as probes see it now; nullopt when unknown. Thread-safe.
  [[nodiscard]] virtual std::optional<MemberHealth> Health(const PoolId& pool,
                                                           const MemberId& member) const = 0;
  /// Listeners that cannot serve and why. Thread-safe.
  [[nodiscard]] virtual std::vector<ListenerProblem> Problems() const = 0;
};

/// Told about member transitions, on the health thread; must not block.
using HealthObserver = std::function<void(const SavedMemberHealth&)>;

}  // namespace elb::contract
