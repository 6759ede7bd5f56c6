#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "model/schema.h"

namespace elb::control {

/// Number and time of one revision.
struct RevisionStamp {
  std::uint64_t number = 0;
  WallTime at;
};

/// The changed writable fields of one object as a revision lists them (api-extensions.md 4.1):
/// lists by what came and went, long values by length and SHA-256, secrets by name alone. `before`
/// is null when the object is new; then only what differs from `defaults` is listed.
[[nodiscard]] model::Json RevisionFields(const model::Schema& schema, const model::Json& before,
                                         const model::Json& after, const model::Json& defaults);

/// The record as it is stored. `origin` holds author, address, user_agent, origin and comment.
[[nodiscard]] std::string RevisionText(const RevisionStamp& stamp, const model::Json& origin,
                                       model::Json changes);

/// A time as records hold it: UTC with milliseconds. Texts compare as the times do.
[[nodiscard]] std::string RevisionTimeText(WallTime time);

/// Who made the revision that `record` describes, and when.
struct RevisionAuthor {
  std::string user_name;
  std::string created_at;
};
[[nodiscard]] RevisionAuthor AuthorOf(const std::string& record);

}  // namespace elb::control
