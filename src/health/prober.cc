#include "health/prober.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "health/tracker.h"
#include "net/task_scope.h"

namespace elb::health {
namespace {

using contract::MemberCell;
using contract::MemberStatus;
using contract::PoolConfig;
using contract::Shared;
using std::chrono::milliseconds;

std::string Key(const PoolId& pool, const MemberId& member) {
  return pool.value() + '/' + member.value();
}

/// Probes run while the pool is attached to something (data-plane.md 9.3).
bool Monitored(const PoolConfig& pool) { return pool.monitor.has_value() && pool.attached; }

State StateOf(MemberStatus status, bool probed) {
  switch (status) {
    case MemberStatus::kNoMonitor:
      return State::kServing;
    case MemberStatus::kOnline:
      return State::kOnline;
    case MemberStatus::kOffline:
      break;
  }
  return probed ? State::kOffline : State::kUnprobed;
}

}  // namespace

namespace {

const contract::HealthMonitorConfig& MonitorOf(const PoolConfig& pool) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): pools that are probed have one.
  return *pool.monitor;
}

}  // namespace

/// The probes of one member. Reactor's thread.
class HealthProber::MemberProbe {
 public:
  MemberProbe(const Parts& parts, Shared<PoolConfig> pool, const contract::MemberConfig& member,
              std::shared_ptr<MemberCell> cell)
      : parts_(&parts),
        pool_(std::move(pool)),
        member_(member.id),
        cell_(std::move(cell)),
        target_(MakeTarget(*pool_, member)),
        tracker_(StateOf(cell_->status.load(), cell_->probed.load()), MonitorOf(*pool_).max_retries,
                 MonitorOf(*pool_).max_retries_down),
        signal_(*parts.reactor),
        scope_(*parts.reactor) {
    next_at_ = SoonAtRandom();
    scope_.Spawn(Loop(this));
  }

  /// The configuration changed; an edited monitor starts counting anew and probes within 1 s.
  void Update(Shared<PoolConfig> pool, const contract::MemberConfig& member) {
    const bool edited = MonitorOf(*pool) != MonitorOf(*pool_);
    pool_ = std::move(pool);
    pending_target_ = MakeTarget(*pool_, member);
    if (edited) {
      tracker_.Reset(MonitorOf(*pool_).max_retries, MonitorOf(*pool_).max_retries_down);
      next_at_ = SoonAtRandom();
      signal_.Notify();
    }
  }

 private:
  [[nodiscard]] MonotonicTime now() const { return parts_->reactor->now(); }

  /// Spread over at most a second, so that many members never probe all at once.
  [[nodiscard]] MonotonicTime SoonAtRandom() const {
    const auto window = std::min<milliseconds>(MonitorOf(*pool_).delay, milliseconds{1000}).count();
    return now() + milliseconds(parts_->random->Below(static_cast<std::uint64_t>(window) + 1));
  }

  static net::Task<void> Loop(MemberProbe* self) {
    const ProbeContext context{.network = self->parts_->network, .tls = self->parts_->tls};
    while (true) {
      while (self->now() < self->next_at_) {
        self->signal_.SetDeadline(self->next_at_);
        if (co_await self->signal_.Wait() == net::Wake::kCancelled) {
          co_return;
        }
      }
      if (self->pending_target_) {
        self->target_ = *std::move(self->pending_target_);
        self->pending_target_.reset();
      }
      const MonotonicTime planned = self->next_at_;
      const MonotonicTime started = self->now();
      const ProbeResult result = co_await RunProbe(self->target_, context, self->signal_);
      self->signal_.ClearDeadline();
      self->CountProbe(self->now() - started);
      self->Record(result);
      if (self->next_at_ == planned) {  // Not moved by an edit meanwhile.
        self->next_at_ = self->now() + MonitorOf(*self->pool_).delay;
      }
    }
  }

  void CountProbe(MonotonicTime::duration took) const {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    cell_->probes.fetch_add(1, std::memory_order_relaxed);
    cell_->probe_micros.fetch_add(static_cast<std::uint64_t>(micros), std::memory_order_relaxed);
  }

  void Record(const ProbeResult& result) {
    const bool success = result.reason == contract::HealthReason::kNone;
    const bool changed = tracker_.Record(success ? ProbeOutcome::kSuccess : ProbeOutcome::kFailure);
    const bool offline = tracker_.state() == State::kOffline;
    if (offline && !success) {
      cell_->reason.store(result.reason, std::memory_order_release);
      cell_->response_code.store(result.response_code, std::memory_order_release);
    }
    const bool first = !cell_->probed.exchange(true, std::memory_order_acq_rel);
    if (!changed && !first) {
      return;
    }
    if (!offline) {
      cell_->reason.store(contract::HealthReason::kNone, std::memory_order_release);
      cell_->response_code.store(0, std::memory_order_release);
    }
    cell_->since_unix_s.store(std::chrono::duration_cast<std::chrono::seconds>(
                                  parts_->reactor->wall_now().time_since_epoch())
                                  .count(),
                              std::memory_order_release);
    cell_->status.store(offline ? MemberStatus::kOffline : MemberStatus::kOnline,
                        std::memory_order_release);
    parts_->on_transition(pool_->id, member_);
    Report();
  }

  void Report() const {
    if (!parts_->observer) {
      return;
    }
    parts_->observer({.pool = pool_->id,
                      .member = member_,
                      .health = {.status = cell_->status.load(),
                                 .probed = true,
                                 .reason = cell_->reason.load(),
                                 .response_code = cell_->response_code.load(),
                                 .since = parts_->reactor->wall_now()}});
  }

  const Parts* parts_;
  Shared<PoolConfig> pool_;
  MemberId member_;
  std::shared_ptr<MemberCell> cell_;
  ProbeTarget target_;
  std::optional<ProbeTarget> pending_target_;  ///< In force from the next probe on.
  Tracker tracker_;
  MonotonicTime next_at_;
  net::Signal signal_;
  net::TaskScope scope_;
};

/// All probes by pool and member. Reactor's thread.
class HealthProber::Probes {
 public:
  explicit Probes(Parts parts) : parts_(std::move(parts)) {}

  void Update(const PoolTarget& target) {
    auto& members = pools_[target.pool->id];
    absl::flat_hash_map<MemberId, std::unique_ptr<MemberProbe>> next;
    for (std::size_t i = 0; i < target.pool->members.size() && Monitored(*target.pool); ++i) {
      const contract::MemberConfig& member = target.pool->members[i];
      const auto found = members.find(member.id);
      if (found != members.end()) {
        found->second->Update(target.pool, member);
        next[member.id] = std::move(found->second);
      } else {
        next[member.id] =
            std::make_unique<MemberProbe>(parts_, target.pool, member, target.cells[i]);
      }
    }
    members = std::move(next);
    if (members.empty()) {
      pools_.erase(target.pool->id);
    }
  }
  void Remove(const PoolId& pool) { pools_.erase(pool); }
  void Clear() { pools_.clear(); }

 private:
  Parts parts_;
  absl::flat_hash_map<PoolId, absl::flat_hash_map<MemberId, std::unique_ptr<MemberProbe>>> pools_;
};

HealthProber::HealthProber(Parts parts)
    : parts_(std::move(parts)), probes_(std::make_shared<Probes>(parts_)) {}

HealthProber::~HealthProber() { probes_->Clear(); }

void HealthProber::Restore(const std::vector<contract::SavedMemberHealth>& saved) {
  for (const contract::SavedMemberHealth& entry : saved) {
    saved_[Key(entry.pool, entry.member)] = entry.health;
  }
}

bool HealthProber::RestoreCell(const std::string& key, MemberCell& cell) {
  const auto found = saved_.find(key);
  if (found == saved_.end()) {
    return false;
  }
  const contract::MemberHealth& health = found->second;
  cell.probed.store(health.probed);
  cell.reason.store(health.reason);
  cell.response_code.store(health.response_code);
  cell.since_unix_s.store(
      std::chrono::duration_cast<std::chrono::seconds>(health.since.time_since_epoch()).count());
  cell.status.store(health.status, std::memory_order_release);
  saved_.erase(found);
  return true;
}

/// Sets the cells of the pool's members for what the workers are about to see.
HealthProber::PoolTarget HealthProber::PrepareTarget(const Shared<PoolConfig>& pool) {
  PoolTarget target{.pool = pool, .cells = {}, .initial = {}};
  for (const contract::MemberConfig& member : pool->members) {
    auto cell = parts_.cells->Get(pool->id, member.id);
    const std::string key = Key(pool->id, member.id);
    const bool fresh = known_.insert(key).second;
    if (!Monitored(*pool)) {
      cell->probed.store(false);
      cell->reason.store(contract::HealthReason::kNone);
      cell->status.store(MemberStatus::kNoMonitor, std::memory_order_release);
    } else if (fresh && !RestoreCell(key, *cell)) {
      cell->probed.store(false);
      cell->status.store(MemberStatus::kOffline, std::memory_order_release);
    }
    target.cells.push_back(std::move(cell));
  }
  return target;
}

std::vector<PoolId> HealthProber::ForgetWhatIsGone(const contract::ConfigSnapshot& next) {
  std::vector<PoolId> removed;
  for (const auto& [id, pool] : current_->pools) {
    const auto after = next.pools.find(id);
    for (const contract::MemberConfig& member : pool->members) {
      const bool stays =
          after != next.pools.end() &&
          (after->second == pool ||
           std::ranges::any_of(after->second->members, [&](const contract::MemberConfig& other) {
             return other.id == member.id;
           }));
      if (!stays) {
        known_.erase(Key(id, member.id));
        parts_.cells->Remove(id, member.id);
      }
    }
    if (after == next.pools.end()) {
      removed.push_back(id);
    }
  }
  return removed;
}

void HealthProber::Apply(std::shared_ptr<const contract::ConfigSnapshot> next) {
  std::vector<PoolTarget> changed;
  std::vector<PoolId> removed;
  for (const auto& [id, pool] : next->pools) {
    const auto before = current_ ? current_->pools.find(id) : next->pools.end();
    if (!current_ || before == current_->pools.end() || before->second != pool) {
      changed.push_back(PrepareTarget(pool));
    }
  }
  if (current_) {
    removed = ForgetWhatIsGone(*next);
  }
  current_ = std::move(next);
  if (changed.empty() && removed.empty()) {
    return;
  }
  parts_.reactor->Post(
      [probes = probes_, changed = std::move(changed), removed = std::move(removed)] {
        for (const PoolId& id : removed) {
          probes->Remove(id);
        }
        for (const PoolTarget& target : changed) {
          probes->Update(target);
        }
      });
}

}  // namespace elb::health
