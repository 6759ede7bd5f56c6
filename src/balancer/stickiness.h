#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "balancer/cookie_table.h"
#include "balancer/scheduler.h"
#include "balancer/sticky_cookie.h"
#include "balancer/sticky_keys.h"
#include "base/clock.h"
#include "contract/pool_config.h"

namespace elb::balancer {

/// Why stickiness chose a member, or left the choice to the algorithm.
enum class StickyReason : std::uint8_t {
  kOff,                ///< The pool is not sticky.
  kNoCookie,           ///< The request has none of that name.
  kForged,             ///< Not ours: tampered with, of another pool, or of a key no longer known.
  kExpired,            ///< Too old.
  kFromTheFuture,      ///< Issued more than 5 min ahead of our clock.
  kMemberGone,         ///< Bound to a member that left the pool.
  kMemberNotEligible,  ///< Bound to one that takes no requests now.
  kBound,              ///< Bound to the chosen member.
  kHashed,             ///< A value that no member set: all requests with it go to one member.
};

/// What stickiness says about one request.
struct StickyDecision {
  StickyReason reason = StickyReason::kOff;
  /// kBound: the member, which was eligible a moment ago; kHashed: the same, or nobody when nobody
  /// is eligible. Otherwise nobody.
  std::optional<MemberIndex> member;
  /// kBound by a load balancer cookie: old enough for a new one.
  bool renew = false;
  /// The hash of the application cookie's value that decided.
  std::uint64_t key = 0;

  /// Whether the request came with a binding, which a response of another member ends.
  [[nodiscard]] bool had_binding() const {
    return reason == StickyReason::kBound || reason == StickyReason::kMemberGone ||
           reason == StickyReason::kMemberNotEligible;
  }
};

/// Both clocks, read together.
struct StickyNow {
  MonotonicTime monotonic;
  WallTime wall;
};

/// Cookie stickiness of one pool at one configuration (data-plane.md 7). Immutable but for the
/// table of application cookies, shared by workers; thread-safe. Knows values, not fields: whoever
/// has the message finds the cookies.
class Stickiness {
 public:
  struct Parts {
    contract::Shared<contract::PoolConfig> config;
    const StickyKeys* keys = nullptr;  ///< Outlives this object.
    /// Of the pool, shared by its configurations; needed with application cookies.
    std::shared_ptr<CookieTable> table;
    /// In force before, or null: saves computing tags again.
    const Stickiness* predecessor = nullptr;
  };
  /// Null when the pool is not sticky by cookies.
  [[nodiscard]] static std::shared_ptr<const Stickiness> Create(Parts parts);

  /// Of the cookie that requests carry.
  [[nodiscard]] const std::string& cookie_name() const { return cookie_name_; }
  /// True: the cookie is the load balancer's own, false: the application's.
  [[nodiscard]] bool own_cookie() const { return table_ == nullptr; }

  /// Decides for a request with these values of the cookie, in their order; the first good one
  /// counts. Advances nothing and counts nothing: `Scheduler::Take` does. `scheduler`: of the same
  /// configuration.
  [[nodiscard]] StickyDecision Decide(std::span<const std::string_view> values,
                                      Scheduler& scheduler, const StickyNow& now) const;

  /// The `Set-Cookie` field value that binds to `member` from now on.
  [[nodiscard]] std::string SetCookieFor(MemberIndex member, WallTime now,
                                         ClientTransport transport) const;

  /// Application cookies: `member` set this value, to live for `lifetime` (nothing: a session).
  void Learn(std::string_view value, MemberIndex member, MonotonicTime now,
             std::optional<std::chrono::seconds> lifetime) const;
  /// Application cookies: a deletion cookie named this value.
  void Forget(std::string_view value) const { table_->Unbind(KeyOf(value)); }
  /// Application cookies: another member answered a request bound by `decision`.
  void Rebind(const StickyDecision& decision, MemberIndex member, MonotonicTime now) const {
    table_->Rebind(decision.key, tags_[member], now);
  }

 private:
  explicit Stickiness(Parts parts);

  [[nodiscard]] StickyDecision DecideByOwnCookie(std::string_view value, const Scheduler& scheduler,
                                                 const StickyNow& now) const;
  [[nodiscard]] StickyDecision DecideByTable(std::span<const std::string_view> values,
                                             Scheduler& scheduler, const StickyNow& now) const;
  [[nodiscard]] StickyDecision DecideByTag(MemberTag tag, const Scheduler& scheduler) const;
  [[nodiscard]] StickyCookieContext Context(WallTime now) const;
  [[nodiscard]] std::uint64_t KeyOf(std::string_view value) const;

  contract::Shared<contract::PoolConfig> config_;
  const StickyKeys* keys_;
  std::shared_ptr<CookieTable> table_;  ///< Null: the load balancer's own cookie.
  std::string cookie_name_;
  std::uint64_t name_hash_ = 0;
  std::vector<MemberTag> tags_;  ///< Index as in `config_->members`.
  absl::flat_hash_map<MemberTag, MemberIndex> by_tag_;
};

}  // namespace elb::balancer
