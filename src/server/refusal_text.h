#pragma once

#include <string_view>

#include "http/h1/parser.h"

namespace elb::server {

/// How the refusal of a request is told.
struct RefusalText {
  int status = 0;
  std::string_view reason;  ///< Token of data-plane.md 12.2.
};

[[nodiscard]] RefusalText TextOf(http::h1::Refusal refusal);

}  // namespace elb::server
