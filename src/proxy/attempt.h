#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/ip.h"
#include "contract/pool_config.h"
#include "http/message.h"
#include "proxy/runtime.h"

namespace elb::proxy {

/// How an attempt to get an answer from a member failed (data-plane.md 5.6).
enum class AttemptFailure : std::uint8_t {
  kNone,
  kConnectRefused,
  kConnectUnreachable,
  kConnectTimeout,
  kTls,
  kClosed,           ///< Closed before any response byte.
  kReset,            ///< Reset before any response byte.
  kResponseTimeout,  ///< No complete head in time, or the member took no bytes.
  kBadResponse,
  kHeaderTooLarge,
};

/// Whether a byte of the request may have reached the member.
enum class Sent : std::uint8_t { kNothing, kSomething };

/// May the failed attempt be repeated on another member, as far as failure, method, bytes sent and
/// the pool's stickiness say (the table of data-plane.md 5.6)? Limits, candidates and replayability
/// are the caller's.
[[nodiscard]] bool PermitsRetry(AttemptFailure failure, http::Method method, Sent sent,
                                contract::Stickiness stickiness);

/// The final status when such a failure was the last word.
[[nodiscard]] int StatusOf(AttemptFailure failure);

/// Its token of data-plane.md 12.2.
[[nodiscard]] std::string_view ReasonOf(AttemptFailure failure);

/// What the access log tells of one attempt. Times are zero points in time when not reached.
struct AttemptRecord {
  MemberRuntime* member = nullptr;
  Endpoint endpoint;
  MonotonicTime started;
  MonotonicTime connected;
  MonotonicTime head;
  MonotonicTime ended;
  int status = 0;  ///< The member's, or 502/504 of a failed attempt; 0: none.
  bool reused = false;
};

}  // namespace elb::proxy
