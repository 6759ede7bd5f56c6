#include "balancer/scheduler.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "balancer/slow_start.h"
#include "balancer/smooth_round_robin.h"
#include "balancer/source_ip.h"
#include "base/mutex.h"

namespace elb::balancer {
namespace {

using contract::Algorithm;
using contract::MemberCell;
using contract::MemberConfig;
using contract::MemberStatus;

/// How often the shares of members in slow start are computed anew (data-plane.md 8.3: 250 ms).
constexpr std::chrono::milliseconds kSlowStartStep{200};

/// Values of `MemberCell::slow_start_ns` besides the entry time.
constexpr std::int64_t kNotEntered = 0;
constexpr std::int64_t kSettled = -1;

using Credits = absl::flat_hash_map<MemberId, std::int64_t>;

/// All algorithms over one roster. A pick holds a short lock of this pool; what it costs under the
/// lock does not grow with the number of members for round robin, and is one scan for the others.
///
/// A scheduler that was superseded hands its picks on to its successor: workers change over one by
/// one, and picks of those that come last must advance the one schedule there is.
class RosterScheduler final : public Scheduler,
                              public std::enable_shared_from_this<RosterScheduler> {
 public:
  RosterScheduler(Roster roster, std::shared_ptr<Scheduler> predecessor)
      : roster_(std::move(roster)), predecessor_(std::move(predecessor)) {
    if (roster_.config->algorithm == Algorithm::kSourceIp ||
        roster_.config->stickiness == contract::Stickiness::kApplicationCookie) {
      for (const MemberConfig& member : roster_.config->members) {
        seeds_.push_back(MemberSeed(member.endpoint));
      }
    }
  }

  void Activate(MonotonicTime now) override {
    const MutexLock lock(mutex_);
    Credits credits;
    if (auto* before = dynamic_cast<RosterScheduler*>(predecessor_.get())) {
      credits = before->Supersede(weak_from_this());
    }
    predecessor_.reset();
    if (roster_.at_process_start) {
      for (const auto& cell : roster_.cells) {
        cell->slow_start_ns.store(kSettled, std::memory_order_relaxed);
      }
    }
    Rebuild(now, credits);
  }

  std::optional<MemberIndex> Pick(const PickContext& context) override {
    if (superseded_.load(std::memory_order_acquire)) {
      if (const auto picked = PickFromSuccessor(context)) {
        return picked;
      }
    }
    const MutexLock lock(mutex_);
    CatchUp(context.now);
    const auto picked = PickByAlgorithm(context);
    if (picked) {
      roster_.cells[*picked]->active.fetch_add(1, std::memory_order_relaxed);
    }
    return picked;
  }

  [[nodiscard]] bool Take(MemberIndex member) override {
    if (!Eligible(member)) {
      return false;
    }
    roster_.cells[member]->active.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  [[nodiscard]] std::optional<MemberIndex> ByHash(std::uint64_t hash,
                                                  const PickContext& context) override {
    const MutexLock lock(mutex_);
    CatchUp(context.now);
    return HighestScore(hash, context.tried);
  }

  [[nodiscard]] NoPick WhyNone(const PickContext& context) const override {
    if (roster_.config->members.empty()) {
      return NoPick::kEmptyPool;
    }
    bool unprobed = false;
    for (MemberIndex i = 0; i < roster_.cells.size(); ++i) {
      if (Eligible(i) && std::ranges::find(context.tried, i) != context.tried.end()) {
        return NoPick::kAllTried;
      }
      const MemberConfig& member = roster_.config->members[i];
      unprobed = unprobed || (member.weight > 0 && member.admin_up && Waiting(*roster_.cells[i]));
    }
    return unprobed ? NoPick::kNotProbed : NoPick::kNoneEligible;
  }

  [[nodiscard]] bool Eligible(MemberIndex member) const override {
    if (!MayServe(member)) {
      return false;
    }
    return Healthy(member) || (roster_.config->minimum_healthy > 0 && NobodyHealthy());
  }

  void Refresh(MonotonicTime now) override {
    if (!roster_.config->slow_start) {
      stale_.store(true, std::memory_order_release);
      return;
    }
    const MutexLock lock(mutex_);  // The moment of the transition is what slow start counts from.
    RebuildKeepingCredits(now);
  }

 private:
  static bool Waiting(const MemberCell& cell) {
    return cell.status.load(std::memory_order_acquire) == MemberStatus::kOffline &&
           !cell.probed.load(std::memory_order_acquire);
  }

  [[nodiscard]] bool MayServe(MemberIndex member) const {
    const MemberConfig& config = roster_.config->members[member];
    return config.admin_up && config.weight > 0;
  }
  [[nodiscard]] bool Healthy(MemberIndex member) const {
    return roster_.cells[member]->status.load(std::memory_order_acquire) != MemberStatus::kOffline;
  }
  [[nodiscard]] bool NobodyHealthy() const {
    for (MemberIndex i = 0; i < roster_.cells.size(); ++i) {
      if (MayServe(i) && Healthy(i)) {
        return false;
      }
    }
    return true;
  }

  /// Gives up the position; called under the successor's lock.
  Credits Supersede(std::weak_ptr<RosterScheduler> successor) {
    const MutexLock lock(mutex_);
    successor_ = std::move(successor);
    superseded_.store(true, std::memory_order_release);
    return CurrentCredits();
  }

  std::shared_ptr<RosterScheduler> Successor() {
    const MutexLock lock(mutex_);
    return successor_.lock();
  }

  [[nodiscard]] std::optional<MemberIndex> IndexOf(const MemberId& id) const {
    const auto& members = roster_.config->members;
    const auto found = std::ranges::find(members, id, &MemberConfig::id);
    return found == members.end()
               ? std::nullopt
               : std::optional(static_cast<MemberIndex>(found - members.begin()));
  }

  /// The successor's choice as an index of this roster; nullopt when it means nothing here.
  std::optional<MemberIndex> PickFromSuccessor(const PickContext& context) {
    const std::shared_ptr<RosterScheduler> successor = Successor();
    if (successor == nullptr) {
      return std::nullopt;
    }
    std::vector<MemberIndex> tried;
    for (const MemberIndex member : context.tried) {
      if (const auto index = successor->IndexOf(roster_.config->members[member].id)) {
        tried.push_back(*index);
      }
    }
    const auto picked =
        successor->Pick({.client = context.client, .now = context.now, .tried = tried});
    if (!picked) {
      return std::nullopt;
    }
    const auto own = IndexOf(successor->roster_.config->members[*picked].id);
    if (!own) {  // A member that came with the change.
      successor->roster_.cells[*picked]->active.fetch_sub(1, std::memory_order_relaxed);
    }
    return own;
  }

  Credits CurrentCredits() ELB_REQUIRES(mutex_) {
    Credits credits = std::move(resting_);
    resting_.clear();
    for (const auto& candidate : round_robin_.Candidates()) {
      credits[roster_.config->members[candidate.position].id] = candidate.credit;
    }
    return credits;
  }

  /// What changed since the last call: health, or the part of those in slow start.
  void CatchUp(MonotonicTime now) ELB_REQUIRES(mutex_) {
    if (stale_.load(std::memory_order_acquire) || now >= next_step_) {
      RebuildKeepingCredits(now);
    }
  }

  void RebuildKeepingCredits(MonotonicTime now) ELB_REQUIRES(mutex_) {
    Rebuild(now, CurrentCredits());
  }

  /// Finds who is eligible and what share each has.
  void Rebuild(MonotonicTime now, const Credits& credits) ELB_REQUIRES(mutex_) {
    stale_.store(false, std::memory_order_release);
    eligible_.clear();
    for (MemberIndex i = 0; i < roster_.cells.size(); ++i) {
      if (MayServe(i) && Healthy(i)) {
        eligible_.push_back(i);
      }
    }
    if (eligible_.empty() && roster_.config->minimum_healthy > 0) {
      for (MemberIndex i = 0; i < roster_.cells.size(); ++i) {
        if (MayServe(i)) {
          eligible_.push_back(i);
        }
      }
    }
    UpdateSlowStart(now);
    std::vector<SmoothRoundRobin::Candidate> candidates = Shares(now);
    for (auto& candidate : candidates) {
      const auto found = credits.find(roster_.config->members[candidate.position].id);
      candidate.credit = found == credits.end() ? 0 : found->second;
    }
    BalanceCredits(candidates);
    round_robin_ = SmoothRoundRobin(candidates);
    KeepResting(credits);
  }

  /// Members that are not eligible now get their credit back when they return.
  void KeepResting(const Credits& credits) ELB_REQUIRES(mutex_) {
    resting_.clear();
    for (MemberIndex i = 0; i < roster_.cells.size(); ++i) {
      const auto found = credits.find(roster_.config->members[i].id);
      if (found != credits.end() && !std::ranges::binary_search(eligible_, i)) {
        resting_[found->first] = found->second;
      }
    }
  }

  [[nodiscard]] bool InSlowStart(MemberIndex member) const {
    return roster_.cells[member]->slow_start_ns.load(std::memory_order_relaxed) > 0;
  }

  /// Lets members enter and leave slow start (data-plane.md 8.2, 8.4). Only health counts: a member
  /// that serves in a pool that fails open (9.6) is neither warm nor warming up.
  void UpdateSlowStart(MonotonicTime now) ELB_REQUIRES(mutex_) {
    const auto& duration = roster_.config->slow_start;
    const bool active = duration && roster_.config->algorithm == Algorithm::kRoundRobin;
    const std::int64_t now_ns = now.time_since_epoch().count();
    bool settled_exists = false;
    for (MemberIndex i = 0; i < roster_.cells.size(); ++i) {
      auto& entered = roster_.cells[i]->slow_start_ns;
      const std::int64_t value = entered.load(std::memory_order_relaxed);
      if (value > 0 && (!active || now_ns - value >= std::chrono::nanoseconds(*duration).count())) {
        entered.store(kSettled, std::memory_order_relaxed);
      } else if (value > 0 && !Healthy(i)) {
        entered.store(kNotEntered, std::memory_order_relaxed);  // Not warm: again at its return.
      }
      settled_exists = settled_exists || (MayServe(i) && Healthy(i) &&
                                          entered.load(std::memory_order_relaxed) == kSettled);
    }
    for (const MemberIndex i : eligible_) {
      auto& entered = roster_.cells[i]->slow_start_ns;
      if (Healthy(i) && entered.load(std::memory_order_relaxed) == kNotEntered) {
        const bool enters = active && settled_exists && Qualifies(i);
        entered.store(enters ? now_ns : kSettled, std::memory_order_relaxed);
      }
    }
  }

  /// Registered while slow start was on, into a pool that had members of an earlier call.
  [[nodiscard]] bool Qualifies(MemberIndex member) const {
    const MemberConfig& config = roster_.config->members[member];
    return config.slow_start_at_registration &&
           std::ranges::any_of(roster_.config->members, [&](const MemberConfig& other) {
             return other.registration < config.registration;
           });
  }

  std::vector<SmoothRoundRobin::Candidate> Shares(MonotonicTime now) ELB_REQUIRES(mutex_) {
    next_step_ = MonotonicTime::max();
    std::vector<SlowStartMember> members;
    for (const MemberIndex i : eligible_) {
      SlowStartMember member{.weight = roster_.config->members[i].weight};
      if (InSlowStart(i)) {
        member.since_entry = now.time_since_epoch() -
                             std::chrono::nanoseconds(
                                 roster_.cells[i]->slow_start_ns.load(std::memory_order_relaxed));
        next_step_ = now + kSlowStartStep;
      }
      members.push_back(member);
    }
    ComputeShares(members, roster_.config->slow_start.value_or(std::chrono::seconds{30}));
    std::vector<SmoothRoundRobin::Candidate> candidates;
    candidates.reserve(members.size());
    for (std::size_t k = 0; k < members.size(); ++k) {
      candidates.push_back({.position = eligible_[k], .share = members[k].share, .credit = 0});
    }
    return candidates;
  }

  std::optional<MemberIndex> PickByAlgorithm(const PickContext& context) ELB_REQUIRES(mutex_) {
    switch (roster_.config->algorithm) {
      case Algorithm::kLeastConnections:
        return PickLeastConnections(context);
      case Algorithm::kSourceIp:
        return HighestScore(ClientSeed(*context.client), context.tried);
      case Algorithm::kRoundRobin:
      case Algorithm::kQuicCid:
        break;
    }
    return round_robin_.Pick(context.tried);
  }

  [[nodiscard]] std::int64_t Active(MemberIndex member) const {
    return roster_.cells[member]->active.load(std::memory_order_relaxed);
  }

  /// Smallest active/weight; ties by smooth round robin among the tied (data-plane.md 6.3).
  std::optional<MemberIndex> PickLeastConnections(const PickContext& context) ELB_REQUIRES(mutex_) {
    std::optional<MemberIndex> best;
    std::int64_t best_active = 0;
    std::int64_t best_weight = 1;
    std::size_t tied = 0;
    for (const MemberIndex i : eligible_) {
      if (std::ranges::find(context.tried, i) != context.tried.end()) {
        continue;
      }
      const std::int64_t active = Active(i);
      const std::int64_t weight = roster_.config->members[i].weight;
      const std::int64_t left = active * best_weight;
      const std::int64_t right = best_active * weight;
      if (!best || left < right) {
        best = i;
        best_active = active;
        best_weight = weight;
        tied = 1;
      } else if (left == right) {
        ++tied;
      }
    }
    if (!best || tied == 1) {
      return best;
    }
    return PickAmongTied(context, best_active, best_weight);
  }

  std::optional<MemberIndex> PickAmongTied(const PickContext& context, std::int64_t active,
                                           std::int64_t weight) ELB_REQUIRES(mutex_) {
    std::int64_t sum = 0;
    std::optional<MemberIndex> best;
    tie_credits_.resize(roster_.cells.size());
    for (const MemberIndex i : eligible_) {
      const std::int64_t own_weight = roster_.config->members[i].weight;
      if (Active(i) * weight != active * own_weight ||
          std::ranges::find(context.tried, i) != context.tried.end()) {
        continue;
      }
      tie_credits_[i] += own_weight;
      sum += own_weight;
      if (!best || tie_credits_[i] > tie_credits_[*best]) {
        best = i;
      }
    }
    if (best) {
      tie_credits_[*best] -= sum;
    }
    return best;
  }

  std::optional<MemberIndex> HighestScore(std::uint64_t hash,
                                          std::span<const MemberIndex> tried) const
      ELB_REQUIRES(mutex_) {
    std::optional<MemberIndex> best;
    std::uint64_t best_score = 0;
    for (const MemberIndex i : eligible_) {
      const std::uint64_t score = Score(seeds_[i], hash);
      if ((!best || score > best_score) && std::ranges::find(tried, i) == tried.end()) {
        best = i;
        best_score = score;
      }
    }
    return best;
  }

  const Roster roster_;
  std::shared_ptr<Scheduler> predecessor_;
  std::vector<std::uint64_t> seeds_;
  std::atomic<bool> stale_{false};
  std::atomic<bool> superseded_{false};
  Mutex mutex_;
  std::weak_ptr<RosterScheduler> successor_ ELB_GUARDED_BY(mutex_);
  std::vector<MemberIndex> eligible_ ELB_GUARDED_BY(mutex_);  ///< Ascending.
  SmoothRoundRobin round_robin_ ELB_GUARDED_BY(mutex_);
  Credits resting_ ELB_GUARDED_BY(mutex_);
  std::vector<std::int64_t> tie_credits_ ELB_GUARDED_BY(mutex_);
  MonotonicTime next_step_ ELB_GUARDED_BY(mutex_) = MonotonicTime::max();
};

}  // namespace

std::shared_ptr<Scheduler> CreateScheduler(Roster roster, std::shared_ptr<Scheduler> predecessor) {
  return std::make_shared<RosterScheduler>(std::move(roster), std::move(predecessor));
}

}  // namespace elb::balancer
