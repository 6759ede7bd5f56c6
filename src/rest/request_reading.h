#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "control/control.h"
#include "rest/message.h"

namespace elb::rest {

/// The object inside a request's envelope `name` (api-v3.md 1.6), whose keys inside `extensions`
/// are all known (api-extensions.md 1.2). Errors: kEmptyBody, kInvalid.
[[nodiscard]] Result<nlohmann::ordered_json> ReadEnvelope(const std::string& body,
                                                          std::string_view name);

/// The list inside a request's envelope `name`. Errors: kEmptyBody, kInvalid.
[[nodiscard]] Result<nlohmann::ordered_json> ReadListEnvelope(const std::string& body,
                                                              std::string_view name);

/// A request's body: an object. Errors: kEmptyBody (with `name`), kInvalid.
[[nodiscard]] Result<nlohmann::ordered_json> ReadBody(const std::string& body,
                                                      std::string_view name);

/// `If-Match` (api-extensions.md 4.4); weak tags and those of others match nothing. Errors
/// (kBadOption): it is no list of entity tags.
[[nodiscard]] Result<std::optional<control::Precondition>> ReadPrecondition(const Request& request);

/// `X-Elb-Comment` of a write. Errors (kBadOption): it is longer than 255 characters, or the call
/// has options that no write supports yet (api-extensions.md 1.2).
[[nodiscard]] Result<std::string> ReadOptions(const Request& request);

}  // namespace elb::rest
