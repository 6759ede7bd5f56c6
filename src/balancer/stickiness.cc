#include "balancer/stickiness.h"

#include <utility>

#include "balancer/source_ip.h"
#include "base/assert.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace elb::balancer {
namespace {

using Kind = contract::Stickiness;

StickyReason ReasonOf(StickyCookieFault fault) {
  switch (fault) {
    case StickyCookieFault::kForged:
      return StickyReason::kForged;
    case StickyCookieFault::kExpired:
      return StickyReason::kExpired;
    case StickyCookieFault::kFromTheFuture:
      break;
  }
  return StickyReason::kFromTheFuture;
}

}  // namespace

std::shared_ptr<const Stickiness> Stickiness::Create(Parts parts) {
  const Kind kind = parts.config->stickiness;
  if (kind != Kind::kLoadBalancerCookie && kind != Kind::kApplicationCookie) {
    return nullptr;
  }
  ELB_ASSERT(parts.keys != nullptr);
  ELB_ASSERT(kind == Kind::kLoadBalancerCookie || parts.table != nullptr);
  return std::shared_ptr<const Stickiness>(new Stickiness(std::move(parts)));
}

Stickiness::Stickiness(Parts parts) : config_(std::move(parts.config)), keys_(parts.keys) {
  if (config_->stickiness == Kind::kApplicationCookie) {
    table_ = std::move(parts.table);
    cookie_name_ = config_->cookie_name;
    name_hash_ = crypto::SipHash24(keys_->table_key(), crypto::AsBytes(cookie_name_));
  } else {
    cookie_name_ = StickyCookieName(config_->id);
  }
  absl::flat_hash_map<std::string_view, MemberTag> known;
  if (parts.predecessor != nullptr) {
    const auto& members = parts.predecessor->config_->members;
    for (std::size_t i = 0; i < members.size(); ++i) {
      known.emplace(members[i].id.value(), parts.predecessor->tags_[i]);
    }
  }
  for (const contract::MemberConfig& member : config_->members) {
    const auto found = known.find(member.id.value());
    const MemberTag tag = found != known.end() ? found->second : TagOf(config_->id, member.id);
    by_tag_.emplace(tag, static_cast<MemberIndex>(tags_.size()));
    tags_.push_back(tag);
  }
}

StickyDecision Stickiness::Decide(std::span<const std::string_view> values, Scheduler& scheduler,
                                  const StickyNow& now) const {
  if (!own_cookie()) {
    return DecideByTable(values, scheduler, now);
  }
  StickyDecision first{.reason = StickyReason::kNoCookie};
  for (const std::string_view value : values) {
    const StickyDecision decision = DecideByOwnCookie(value, scheduler, now);
    if (decision.member) {
      return decision;
    }
    if (first.reason == StickyReason::kNoCookie || decision.had_binding()) {
      first = decision;
    }
  }
  return first;
}

StickyDecision Stickiness::DecideByOwnCookie(std::string_view value, const Scheduler& scheduler,
                                             const StickyNow& now) const {
  const StickyCookieContext context = Context(now.wall);
  const auto cookie = ReadStickyCookie(context, value);
  if (!cookie) {
    return {.reason = ReasonOf(cookie.error())};
  }
  StickyDecision decision = DecideByTag(cookie->member, scheduler);
  decision.renew = NeedsRenewal(context, *cookie);
  return decision;
}

StickyDecision Stickiness::DecideByTag(MemberTag tag, const Scheduler& scheduler) const {
  const auto found = by_tag_.find(tag);
  if (found == by_tag_.end()) {
    return {.reason = StickyReason::kMemberGone};
  }
  if (!scheduler.Eligible(found->second)) {
    return {.reason = StickyReason::kMemberNotEligible};
  }
  return {.reason = StickyReason::kBound, .member = found->second};
}

/// The first value that some member set decides; without any, all values unknown, the hash of the
/// first one does.
StickyDecision Stickiness::DecideByTable(std::span<const std::string_view> values,
                                         Scheduler& scheduler, const StickyNow& now) const {
  std::string_view first;
  for (const std::string_view value : values) {
    if (value.empty()) {
      continue;
    }
    const std::uint64_t key = KeyOf(value);
    if (const auto tag = table_->Find(key, now.monotonic)) {
      StickyDecision decision = DecideByTag(*tag, scheduler);
      decision.key = key;
      return decision;
    }
    first = first.empty() ? value : first;
  }
  if (first.empty()) {
    return {.reason = StickyReason::kNoCookie};
  }
  const std::uint64_t hash = ValueSeed(first);
  const auto member = scheduler.ByHash(hash, {.now = now.monotonic});
  return {.reason = StickyReason::kHashed, .member = member, .key = hash};
}

std::string Stickiness::SetCookieFor(MemberIndex member, WallTime now,
                                     ClientTransport transport) const {
  const StickyCookieContext context = Context(now);
  return StickySetCookie(cookie_name_, WriteStickyCookie(context, tags_[member]), context.duration,
                         transport);
}

void Stickiness::Learn(std::string_view value, MemberIndex member, MonotonicTime now,
                       std::optional<std::chrono::seconds> lifetime) const {
  table_->Bind(KeyOf(value), tags_[member], now, lifetime);
}

StickyCookieContext Stickiness::Context(WallTime now) const {
  return {.keys = &keys_->Current(),
          .pool = &config_->id,
          .duration = config_->stickiness_duration,
          .now = std::chrono::floor<std::chrono::seconds>(now)};
}

/// Keyed with a secret: clients choose the values. The name belongs to it, since the table stays
/// when the configured name changes.
std::uint64_t Stickiness::KeyOf(std::string_view value) const {
  return crypto::SipHash24(keys_->table_key(), crypto::AsBytes(value)) ^ name_hash_;
}

}  // namespace elb::balancer
