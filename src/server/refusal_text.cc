#include "server/refusal_text.h"

namespace elb::server {

using http::h1::Refusal;

RefusalText TextOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kBadFraming:
      return {.status = 400, .reason = "bad_framing"};
    case Refusal::kHeaderTooLarge:
      return {.status = 400, .reason = "header_too_large"};
    case Refusal::kUriTooLong:
      return {.status = 414, .reason = "uri_too_long"};
    case Refusal::kMethodNotAllowed:
      return {.status = 405, .reason = "method_not_allowed"};
    case Refusal::kUnsupportedTe:
      return {.status = 501, .reason = "unsupported_te"};
    case Refusal::kUnsupportedVersion:
      return {.status = 505, .reason = "unsupported_version"};
    case Refusal::kNone:
    case Refusal::kMalformed:
      break;
  }
  return {.status = 400, .reason = "malformed_request"};
}

}  // namespace elb::server
