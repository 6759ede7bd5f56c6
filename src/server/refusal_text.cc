#include "server/refusal_text.h"

namespace elb::server {

using http::h1::Refusal;

RefusalText TextOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kBadFraming:
      return {400, "bad_framing"};
    case Refusal::kHeaderTooLarge:
      return {400, "header_too_large"};
    case Refusal::kUriTooLong:
      return {414, "uri_too_long"};
    case Refusal::kMethodNotAllowed:
      return {405, "method_not_allowed"};
    case Refusal::kUnsupportedTe:
      return {501, "unsupported_te"};
    case Refusal::kUnsupportedVersion:
      return {505, "unsupported_version"};
    case Refusal::kNone:
    case Refusal::kMalformed:
      break;
  }
  return {400, "malformed_request"};
}

}  // namespace elb::server
