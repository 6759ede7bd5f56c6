#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "balancer/scheduler.h"
#include "balancer/stickiness.h"
#include "http/message.h"
#include "proxy/generation.h"
#include "proxy/worker_context.h"

namespace elb::proxy {

/// True when the fields of a response let a shared cache keep it: a cookie in it would hand one
/// client's member to all (data-plane.md 7.2). Pure.
[[nodiscard]] bool IsSharedCacheable(const http::FieldList& fields);

/// The session of one exchange: finds the request's cookies, says which member they ask for, and
/// learns from and writes into the response (data-plane.md 7). Without effect until `Begin`, and
/// for pools that are not sticky by cookies. Worker's thread.
class StickySession {
 public:
  StickySession() = default;

  /// Decides for a request. `pool`, `request` and `worker` outlive the session.
  void Begin(const CompiledPool& pool, const http::RequestHead& request, WorkerContext& worker);

  /// The member of the next attempt, counted as active at the scheduler; nullopt: the algorithm
  /// picks it.
  [[nodiscard]] std::optional<balancer::MemberIndex> Choose(const balancer::PickContext& context);

  /// `member` gave the final head `head`: `fields`, those of it that go to the client, lose what
  /// belongs to the load balancer and get its cookie. Views into the session may stay in `fields`.
  void OnResponse(const http::ResponseHead& head, balancer::MemberIndex member,
                  balancer::ClientTransport transport, http::FieldList& fields);

  /// What was decided, and why.
  [[nodiscard]] const balancer::StickyDecision& decision() const { return decision_; }

 private:
  void WriteOwnCookie(const http::ResponseHead& head, balancer::MemberIndex member,
                      balancer::ClientTransport transport, http::FieldList& fields);
  void LearnFrom(const http::ResponseHead& head, balancer::MemberIndex member);
  void ForgetRequestValues();
  [[nodiscard]] bool rebound(balancer::MemberIndex member) const {
    return decision_.had_binding() && decision_.member != member;
  }

  const CompiledPool* pool_ = nullptr;
  const balancer::Stickiness* stickiness_ = nullptr;  ///< Of `pool_`; null: not sticky.
  const http::RequestHead* request_ = nullptr;
  WorkerContext* worker_ = nullptr;
  balancer::StickyDecision decision_;
  std::string set_cookie_;  ///< Field value that the response's fields view.
};

}  // namespace elb::proxy
