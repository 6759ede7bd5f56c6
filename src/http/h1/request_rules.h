#pragma once

#include <string>

#include "http/h1/parser.h"
#include "http/message.h"

namespace elb::http::h1 {

/// Checks the form of `head.target` (RFC 9112 section 3.2) and fills `path`, `query` and, for
/// absolute-form, `authority`. `rewritten` holds an origin-form that is no part of the input.
[[nodiscard]] Refusal ReadTargetForm(RequestHead& head, std::string& rewritten);

/// Applies the rules over the fields of a complete head: Host, framing (data-plane.md 4.3) and what
/// the client asks of the connection. Fills the members of `head` that follow from them.
[[nodiscard]] Refusal ApplyFieldRules(RequestHead& head);

}  // namespace elb::http::h1
