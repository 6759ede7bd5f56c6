#include "proxy/exchange.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "proxy/access_log.h"
#include "proxy/exchange_metrics.h"
#include "proxy/forwarded_client.h"
#include "proxy/upstream_name.h"
#include "server/own_answer.h"

namespace elb::proxy {

using net::Wake;

Exchange::Exchange(const CompiledListener& listener, WorkerContext& worker,
                   server::ServerStream& stream)
    : listener_(&listener),
      worker_(&worker),
      stream_(&stream),
      client_(&stream.connection().client),
      parser_(listener.limits),
      decoder_(listener.limits) {}

Exchange::~Exchange() { CloseUpstream(); }

net::Task<void> Exchange::Run() {
  Identify();
  if (Admit()) {
    framing_ = ChooseUpstreamFraming(stream_->request());
    while (!answered_) {
      if (!fresh_only_ && !ChooseMember()) {
        AnswerNobody();
        break;
      }
      BeginAttempt();
      co_await RunAttempt();
      CountAttempt();
      if (answered_ || failure_ == AttemptFailure::kNone) {
        break;
      }
      if (!ShouldRetry()) {
        AnswerFailure();
      }
    }
  } else if (!answered_) {
    co_await AnswerByPolicy();
  }
  Finish();
}

/// Finds out whom the request comes from, and gives it an id.
void Exchange::Identify() {
  const server::ConnectionFacts& connection = stream_->connection();
  const contract::ListenerConfig& config = *listener_->config;
  const contract::FrontProxyMode front = config.front_proxy.mode;
  const bool by_fields = front == contract::FrontProxyMode::kXForwardedFor ||
                         front == contract::FrontProxyMode::kForwarded;
  if (by_fields && listener_->proxies != nullptr &&
      listener_->proxies->Contains(connection.peer().address)) {
    forwarded_client_ =
        ForwardedClient(stream_->request(), front, *listener_->proxies, connection.peer());
    client_ = &forwarded_client_;
  }
  if (config.request_id.mode != contract::RequestIdMode::kOff ||
      (worker_->access_log != nullptr && worker_->access_log->Wants(*listener_))) {
    identity_.Begin(*listener_, stream_->request(), connection.peer().address,
                    worker_->ids.Next(worker_->reactor->wall_now()));
  }
}

/// Access control of a client that only the request tells (api-extensions.md 10.3).
bool Exchange::LetsClientIn() const {
  return client_ != &forwarded_client_ ||
         Admits(listener_->config->access_mode, listener_->access_group.get(), client_->address);
}

/// Answers what no member may see (data-plane.md 12.1). True: go on with the members of `pool_`.
/// False without an answer: a forwarding policy gives it.
bool Exchange::Admit() {
  const http::RequestHead& request = stream_->request();
  if (!LetsClientIn()) {
    Answer(403, "access_denied");
  } else if (request.method == http::Method::kTrace || request.method == http::Method::kConnect) {
    Answer(405, "method_not_allowed");
  } else if (request.expect_unknown) {
    Answer(417, "expectation_failed");
  } else if (request.framing == http::Framing::kLength &&
             request.content_length > listener_->config->request_body_bytes_max) {
    Answer(413, "body_too_large");
  } else {
    return Route();
  }
  return false;
}

/// Picks the member of the next attempt. False: there is nobody.
bool Exchange::ChooseMember() {
  const balancer::PickContext context{
      .client = &client_->address, .now = now(), .tried = {tried_.data(), tried_count_}};
  if (tried_count_ == 0) {
    sticky_.Begin(*pool_, stream_->request(), *worker_);
  }
  auto picked = sticky_.Choose(context);
  if (!picked) {
    picked = pool_->scheduler->Pick(context);
  }
  if (!picked) {
    return false;
  }
  member_ = *picked;
  tried_[tried_count_++] = member_;
  return true;
}

/// Nobody to pick: 503 for a first attempt, otherwise the last failure decides.
void Exchange::AnswerNobody() {
  if (failure_ != AttemptFailure::kNone) {
    AnswerFailure();
    return;
  }
  const balancer::PickContext context{.client = &client_->address, .now = now(), .tried = {}};
  switch (pool_->scheduler->WhyNone(context)) {
    case balancer::NoPick::kEmptyPool:
      AnswerNoPool("pool_empty_default");
      break;
    case balancer::NoPick::kNotProbed:
      Answer(503, "pool_not_ready", "50001");
      break;
    case balancer::NoPick::kNoneEligible:
    case balancer::NoPick::kAllTried:
      Answer(503, "no_eligible_member", "50000");
      break;
  }
}

void Exchange::BeginAttempt() {
  const contract::MemberConfig& config = pool_->config->members[member_];
  const std::shared_ptr<MemberRuntime>& member = pool_->members[member_];
  active_ = fresh_only_ ? balancer::ActiveGuard::Count(*member->cell)
                        : balancer::ActiveGuard::Adopt(*member->cell);
  attempts_[static_cast<std::size_t>(attempt_count_)] = {.member = member.get(),
                                                         .endpoint = config.endpoint,
                                                         .started = now(),
                                                         .connected = {},
                                                         .head = {},
                                                         .ended = {},
                                                         .status = 0,
                                                         .reused = false};
  ++attempt_count_;
  phase_ = Phase::kConnecting;
  failure_ = AttemptFailure::kNone;
  sent_ = Sent::kNothing;
  response_bytes_ = false;
  continue_seen_ = false;
  informational_ = 0;
  request_done_ = false;
  partial_head_.clear();
  parser_.Reset();
  if (!OpenUpstream()) {
    phase_ = Phase::kDone;
  }
  fresh_only_ = false;
}

/// Takes an idle connection or starts a new one; false when that failed at once.
bool Exchange::OpenUpstream() {
  const std::shared_ptr<MemberRuntime>& member = pool_->members[member_];
  const Endpoint& endpoint = pool_->config->members[member_].endpoint;
  const std::string_view sni =
      pool_->tls != nullptr ? BackendServerName(stream_->request()) : std::string_view{};
  const bool safe = http::IsIdempotent(stream_->request().method);
  const MonotonicTime::duration idle_max = safe ? MonotonicTime::duration(kUpstreamIdleMax)
                                                : MonotonicTime::duration(kUpstreamIdleUnsafeAfter);
  tls_pending_ = false;
  if (!fresh_only_) {
    upstream_ = worker_->upstreams.Take(
        {.member = member.get(), .endpoint = endpoint, .tls = pool_->tls != nullptr, .sni = sni},
        now(), idle_max);
  }
  attempt().reused = upstream_ != nullptr;
  if (upstream_ == nullptr) {
    connect_deadline_ = now() + listener_->connect_timeout;
    Outcome<std::unique_ptr<net::Stream>> stream = worker_->network->Connect(endpoint);
    if (!stream) {
      FailAttempt(FailureOfConnect(stream.error()));
      return false;
    }
    upstream_ = std::make_unique<UpstreamConnection>(*std::move(stream), member);
    upstream_->endpoint = endpoint;
    upstream_->sni = sni;
    tls_pending_ = pool_->tls != nullptr;
    tls_started_ = false;
  }
  upstream_->stream->SetSignal(&stream_->signal());
  return true;
}

net::Task<void> Exchange::RunAttempt() {
  net::Signal& signal = stream_->signal();
  upstream_progress_ = client_progress_ = body_progress_ = now();
  turn_bytes_ = 0;
  while (phase_ != Phase::kDone) {
    while (phase_ != Phase::kDone && Pump() == Progress::kSome) {
      if (turn_bytes_ > kTurnBytesMax) {
        turn_bytes_ = 0;
        co_await signal.Yield();
      }
    }
    if (phase_ == Phase::kDone) {
      break;
    }
    const Deadline deadline = NextDeadline();
    signal.SetDeadline(deadline.at);
    const Wake wake = co_await signal.Wait();
    turn_bytes_ = 0;
    NoteProgress();
    if (stream_->client_gone()) {
      Abandon(head_sent_ ? std::string_view{} : "client_closed");
    } else if (wake == Wake::kCancelled) {
      Abandon("internal_error");
    } else if (wake == Wake::kDeadline && NextDeadline().at <= now()) {
      OnDeadline(deadline.kind);
    }
  }
  signal.ClearDeadline();
  EndUpstream();
}

/// What the exchange waits for decides which clock runs (data-plane.md 5).
Exchange::Deadline Exchange::NextDeadline() const {
  if (phase_ == Phase::kConnecting) {
    return {.at = connect_deadline_, .kind = DeadlineKind::kConnect};
  }
  if (phase_ == Phase::kTunnel) {
    const auto idle = listener_->config->keepalive_timeout;
    return {.at = std::max(upstream_progress_, client_progress_) +
                  (idle.count() > 0 ? idle : member_timeout()),
            .kind = DeadlineKind::kIdle};
  }
  if (client_full_ && phase_ == Phase::kRelaying) {
    return {.at = client_progress_ + client_timeout(), .kind = DeadlineKind::kClientWrite};
  }
  const bool upstream_idle = upstream_->stream->pending() == 0;
  if (!request_done_ && upstream_idle) {
    if (!HoldsBody()) {  // Before the response and during it.
      return {.at = body_progress_ + client_timeout(), .kind = DeadlineKind::kClientBody};
    }
    if (phase_ == Phase::kAwaitingHead) {
      return {.at = hold_until_, .kind = DeadlineKind::kContinue};
    }
  }
  return {.at = upstream_progress_ + member_timeout(), .kind = DeadlineKind::kMember};
}

void Exchange::OnDeadline(DeadlineKind kind) {
  switch (kind) {
    case DeadlineKind::kConnect:
      FailAttempt(tls_pending_ && tls_started_ ? AttemptFailure::kTls
                                               : AttemptFailure::kConnectTimeout);
      break;
    case DeadlineKind::kClientBody:
      OnBodyGap();
      break;
    case DeadlineKind::kContinue:
      continue_seen_ = true;  // The content may go now (data-plane.md 4.5).
      body_progress_ = now();
      break;
    case DeadlineKind::kMember:
      if (head_sent_) {
        CutResponse("backend_body_timeout");
      } else {
        FailAttempt(AttemptFailure::kResponseTimeout);
      }
      break;
    case DeadlineKind::kClientWrite:
      outcome_.reason = "client_write_timeout";
      stream_->CutStalled();
      answered_ = true;
      phase_ = Phase::kDone;
      break;
    case DeadlineKind::kIdle:
      phase_ = Phase::kDone;
      break;
  }
}

/// The client sent nothing of its content for too long (data-plane.md 5.2).
void Exchange::OnBodyGap() {
  if (head_sent_) {
    outcome_.reason = "client_body_timeout";
    stream_->CutSilent();
    answered_ = true;
  } else {
    Answer(408, "client_body_timeout");
  }
  phase_ = Phase::kDone;
}

void Exchange::FailAttempt(AttemptFailure failure) {
  failure_ = failure;
  attempt().status = StatusOf(failure);
  reusable_ = false;
  phase_ = Phase::kDone;
}

bool Exchange::ShouldRetry() const {
  if (attempt_count_ > kAttemptsMax || head_sent_ || !replayable_) {
    return false;
  }
  if (fresh_only_) {
    return true;  // Set by EndUpstream: a reused connection died silently.
  }
  return listener_->config->member_retry && tried_count_ < static_cast<std::size_t>(kAttemptsMax) &&
         PermitsRetry(failure_, stream_->request().method, sent_, pool_->config->stickiness);
}

void Exchange::AnswerFailure() { Answer(StatusOf(failure_), ReasonOf(failure_)); }

void Exchange::Answer(int status, std::string_view reason, std::string_view router_code) {
  server::OwnAnswer answer(status, reason, server::PreferredForm(stream_->request().fields));
  if (!router_code.empty()) {
    answer.AddField("x-router-code", router_code);
  }
  if (status == 405) {
    answer.AddField("Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
  }
  outcome_.reason = reason;
  const bool close = status == 400 || status == 408 || status == 413 || status == 414;
  SendOwn({.status = status, .fields = answer.fields(), .close = close}, answer.content());
}

/// Sends a whole answer that was made here.
void Exchange::SendOwn(server::ResponseOut head, std::string_view content) {
  head.content_length = content.size();
  if (ShowsId()) {
    http::FieldList& fields = worker_->response_fields;
    fields.assign(head.fields.begin(), head.fields.end());
    SetField(fields, listener_->config->request_id.header, identity_.value());
    head.fields = fields;
  }
  stream_->SendHead(head, content, server::BodyEnd::kLast);
  answered_ = true;
  head_sent_ = true;
  outcome_.status = head.status;
  outcome_.own_answer = true;
}

/// The client is gone or the worker ends: nothing more to say (data-plane.md 5.5).
void Exchange::Abandon(std::string_view reason) {
  if (!head_sent_) {
    outcome_.status = 499;
    outcome_.reason = reason;
    outcome_.own_answer = true;
  } else if (outcome_.reason.empty()) {
    outcome_.reason = reason;
  }
  stream_->Cut();
  answered_ = true;
  phase_ = Phase::kDone;
}

/// The response cannot be completed (data-plane.md 4.8, 5.3).
void Exchange::CutResponse(std::string_view reason) {
  outcome_.reason = reason;
  stream_->Cut();
  answered_ = true;
  phase_ = Phase::kDone;
}

/// Gives the connection back or closes it, and finds out whether it died idle in our pool: then the
/// request may be repeated on a fresh one (data-plane.md 4.9).
void Exchange::EndUpstream() {
  attempt().ended = now();
  if (upstream_ != nullptr) {
    CountUpstreamTraffic(*worker_, *listener_, *pool_, *upstream_->stream);
  }
  const bool died_idle =
      attempt().reused && !response_bytes_ &&
      (failure_ == AttemptFailure::kClosed || failure_ == AttemptFailure::kReset);
  if (died_idle && !repeated_on_fresh_ && replayable_ &&
      http::IsIdempotent(stream_->request().method)) {
    repeated_on_fresh_ = fresh_only_ = true;
    --attempt_count_;  // Not counted as an attempt.
  }
  if (reusable_ && upstream_ != nullptr) {
    reusable_ = false;
    if (MemberStays()) {
      worker_->upstreams.Give(std::move(upstream_), now());
    }
  }
  CloseUpstream();
  active_.Release();
}

/// Whether the member takes further requests, as far as this generation and the newest one know: if
/// not, its connection is not kept (data-plane.md 6.7).
bool Exchange::MemberStays() const {
  return pool_->members[member_]->in_service.load(std::memory_order_acquire) &&
         pool_->scheduler->Eligible(member_);
}

void Exchange::CloseUpstream() {
  if (upstream_ != nullptr) {
    upstream_->stream->SetSignal(nullptr);
    upstream_.reset();
  }
}

void Exchange::CountAttempt() {
  if (attempt_count_ > 0 && !fresh_only_) {
    CountUpstream(*worker_, *listener_, *pool_, attempt(), failure_);
  }
}

void Exchange::Finish() {
  const ExchangeRecord record{
      .listener = listener_,
      .stream = stream_,
      .outcome = &outcome_,
      .pool = pool_,
      .client = client_,
      .identity = &identity_,
      .attempts = {attempts_.data(), static_cast<std::size_t>(attempt_count_)}};
  CountExchange(*worker_, record);
  if (worker_->access_log != nullptr) {
    worker_->access_log->Write(*worker_, record);
  }
}

}  // namespace elb::proxy
