#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "balancer/scheduler.h"
#include "http/h1/body.h"
#include "http/h1/parser.h"
#include "net/task.h"
#include "proxy/attempt.h"
#include "proxy/generation.h"
#include "proxy/limits.h"
#include "proxy/request_head.h"
#include "proxy/request_identity.h"
#include "proxy/sticky_session.h"
#include "proxy/worker_context.h"
#include "server/server_stream.h"

namespace elb::proxy {

/// How one exchange ended, for log and metrics.
struct ExchangeOutcome {
  int status = 0;           ///< Sent, or 499.
  std::string_view reason;  ///< Token of data-plane.md 12.2; empty: none.
  bool own_answer = false;  ///< Made here, not relayed.
  RouteDecision route;      ///< Which policy took the request, or why none did.
  std::string_view pool_name;
  std::uint64_t tunnel_received = 0;  ///< Bytes relayed behind a 101 from the client,
  std::uint64_t tunnel_sent = 0;      ///< and to it.
};

/// One request with its upstream half: chooses members, connects, retries, relays both directions
/// with bounded memory (data-plane.md 4 to 6). One coroutine pumps everything; it waits on the
/// stream's signal, to which the upstream connection is attached as well. Worker's thread; lives in
/// the frame of the handler's task.
class Exchange {
 public:
  /// `listener` stays pinned by the caller while the exchange lives.
  Exchange(const CompiledListener& listener, WorkerContext& worker, server::ServerStream& stream);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  Exchange(Exchange&&) = delete;
  Exchange& operator=(Exchange&&) = delete;

  /// Answers the request, whatever happens.
  [[nodiscard]] net::Task<void> Run();

 private:
  enum class Phase : std::uint8_t { kConnecting, kAwaitingHead, kRelaying, kTunnel, kDone };
  enum class Progress : std::uint8_t { kNone, kSome };
  enum class DeadlineKind : std::uint8_t {
    kConnect,
    kClientBody,
    kContinue,
    kMember,
    kClientWrite,
    kIdle
  };
  struct Deadline {
    MonotonicTime at;
    DeadlineKind kind = DeadlineKind::kMember;
  };

  // exchange.cc: admission, attempts, ends.
  void Identify();
  [[nodiscard]] bool LetsClientIn() const;
  [[nodiscard]] bool Admit();
  [[nodiscard]] bool ChooseMember();
  [[nodiscard]] bool MemberStays() const;
  void BeginAttempt();
  [[nodiscard]] bool OpenUpstream();
  [[nodiscard]] net::Task<void> RunAttempt();
  void OnDeadline(DeadlineKind kind);
  void OnBodyGap();
  [[nodiscard]] Deadline NextDeadline() const;
  [[nodiscard]] bool ShouldRetry() const;
  void FailAttempt(AttemptFailure failure);
  void AnswerFailure();
  void AnswerNobody();
  void Answer(int status, std::string_view reason, std::string_view router_code = {});
  void SendOwn(server::ResponseOut head, std::string_view content);
  void Abandon(std::string_view reason);
  void CloseUpstream();
  void EndUpstream();
  void CountAttempt();
  void Finish();

  // exchange_policy.cc: forwarding policies.
  [[nodiscard]] bool Route();
  [[nodiscard]] bool AskPool(const CompiledPool* pool);
  [[nodiscard]] const contract::L7PolicyConfig& policy() const {
    return listener_->config->policies[outcome_.route.policy];
  }
  [[nodiscard]] net::Task<void> AnswerByPolicy();
  [[nodiscard]] net::Task<void> DrainRequest();
  void EndDrain(const server::BodyRead& read);
  void AnswerNoPool(std::string_view default_reason);
  void AnswerFixed();
  void AnswerRedirect(int status);

  // exchange_pump.cc: both directions.
  [[nodiscard]] Progress Pump();
  [[nodiscard]] Progress PumpConnect();
  [[nodiscard]] Progress PumpRequest();
  [[nodiscard]] std::size_t ResponseRoom() const;
  [[nodiscard]] Progress PumpResponse();
  [[nodiscard]] Progress PumpTunnel();
  void SendRequestHead();
  void WriteUpstream(std::string_view head, std::string_view content);
  [[nodiscard]] std::string_view LastChunk();
  [[nodiscard]] bool HoldsBody() const;
  [[nodiscard]] std::size_t ReceiveStep() const;
  void KeepForReplay(std::string_view content);
  void OnBodyRefused(const server::BodyRead& read);
  void ConsumeHead(std::span<char> bytes);
  void OnInformational(const http::ResponseHead& head);
  void TakeResponseFields(const http::ResponseHead& head);
  void OnFinalHead(const http::ResponseHead& head, std::span<char> behind);
  void RelayContent(std::span<char> bytes);
  void OnUpstreamEnd(const net::ReadResult& read);
  void StartTunnel(const http::ResponseHead& head, std::string_view behind);
  void CutResponse(std::string_view reason);
  void FinishResponse(bool surplus);
  void NoteProgress();

  /// Answers carry the request's id.
  [[nodiscard]] bool ShowsId() const {
    const contract::RequestIdConfig& config = listener_->config->request_id;
    return config.mode != contract::RequestIdMode::kOff && config.in_response;
  }
  [[nodiscard]] MonotonicTime now() const { return worker_->reactor->now(); }
  [[nodiscard]] std::chrono::seconds member_timeout() const {
    return listener_->config->member_timeout;
  }
  [[nodiscard]] std::chrono::seconds client_timeout() const {
    return listener_->config->client_timeout;
  }
  [[nodiscard]] AttemptRecord& attempt() {
    return attempts_[static_cast<std::size_t>(attempt_count_ - 1)];
  }

  const CompiledListener* listener_;
  WorkerContext* worker_;
  server::ServerStream* stream_;
  const CompiledPool* pool_ = nullptr;
  const Endpoint* client_;  ///< Of the connection, or `forwarded_client_`.
  Endpoint forwarded_client_;
  RequestIdentity identity_;
  Phase phase_ = Phase::kConnecting;
  AttemptFailure failure_ = AttemptFailure::kNone;
  Sent sent_ = Sent::kNothing;
  UpstreamFraming framing_ = UpstreamFraming::kNone;
  bool request_done_ = false;  ///< Everything of the request was handed to the upstream stream.
  bool head_sent_ = false;     ///< The final response's head was handed to the client.
  bool answered_ = false;      ///< A final response was sent or the message was cut.
  bool replayable_ = true;
  bool response_bytes_ = false;  ///< A byte of a response was seen in this attempt.
  bool continue_seen_ = false;
  bool fresh_only_ = false;  ///< The attempt repeats one that died on a reused connection.
  bool repeated_on_fresh_ = false;
  bool reusable_ = false;  ///< The upstream connection ended the exchange clean.
  bool member_keeps_alive_ = false;
  bool tls_pending_ = false;  ///< A TLS layer goes on top once TCP is connected.
  bool tls_started_ = false;
  bool client_full_ = false;  ///< What it was sent waits: nothing is read for it.
  net::Stream* tunnel_ = nullptr;  ///< The client's raw stream after a 101.
  std::unique_ptr<UpstreamConnection> upstream_;
  balancer::ActiveGuard active_;
  StickySession sticky_;
  balancer::MemberIndex member_ = 0;
  int attempt_count_ = 0;
  std::array<balancer::MemberIndex, kAttemptsMax> tried_{};
  std::size_t tried_count_ = 0;
  int informational_ = 0;  ///< Of this attempt.
  std::array<AttemptRecord, kAttemptsMax + 1> attempts_;

  http::h1::ResponseParser parser_;
  http::h1::BodyDecoder decoder_;
  std::string partial_head_;  ///< A response head that came in several pieces.
  std::string replay_;        ///< Request content sent so far, for a retry.
  std::string trailers_;      ///< The last chunk of a request with trailers.
  std::size_t turn_bytes_ = 0;

  MonotonicTime connect_deadline_;
  MonotonicTime upstream_progress_;  ///< Last byte written to or read from the member, last 1xx.
  MonotonicTime client_progress_;    ///< Last byte that the client took, in a tunnel: or sent.
  MonotonicTime body_progress_;      ///< Since then the client's content is what is waited for.
  MonotonicTime hold_until_;         ///< Content waits for a 100 until then.
  std::size_t last_upstream_pending_ = 0;
  std::size_t last_client_pending_ = 0;
  ExchangeOutcome outcome_;
};

}  // namespace elb::proxy
