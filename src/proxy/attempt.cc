#include "proxy/attempt.h"

namespace elb::proxy {

bool PermitsRetry(AttemptFailure failure, http::Method method, Sent sent,
                  contract::Stickiness stickiness) {
  switch (failure) {
    case AttemptFailure::kConnectRefused:
    case AttemptFailure::kConnectUnreachable:
    case AttemptFailure::kConnectTimeout:
    case AttemptFailure::kTls:
      return true;
    case AttemptFailure::kResponseTimeout:
      return stickiness == contract::Stickiness::kOff &&
             (sent == Sent::kNothing || http::IsIdempotent(method));
    case AttemptFailure::kClosed:
    case AttemptFailure::kReset:
      return sent == Sent::kNothing || http::IsIdempotent(method);
    case AttemptFailure::kNone:
    case AttemptFailure::kBadResponse:
    case AttemptFailure::kHeaderTooLarge:
      break;
  }
  return false;
}

int StatusOf(AttemptFailure failure) {
  return failure == AttemptFailure::kConnectTimeout || failure == AttemptFailure::kResponseTimeout
             ? 504
             : 502;
}

std::string_view ReasonOf(AttemptFailure failure) {
  switch (failure) {
    case AttemptFailure::kNone:
      break;
    case AttemptFailure::kConnectRefused:
      return "connect_refused";
    case AttemptFailure::kConnectUnreachable:
      return "connect_unreachable";
    case AttemptFailure::kConnectTimeout:
      return "connect_timeout";
    case AttemptFailure::kTls:
      return "backend_tls_failed";
    case AttemptFailure::kClosed:
      return "backend_closed";
    case AttemptFailure::kReset:
      return "backend_reset";
    case AttemptFailure::kResponseTimeout:
      return "member_timeout";
    case AttemptFailure::kBadResponse:
      return "backend_bad_response";
    case AttemptFailure::kHeaderTooLarge:
      return "backend_header_too_large";
  }
  return "internal_error";
}

}  // namespace elb::proxy
