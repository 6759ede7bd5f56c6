#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/schema.h"

namespace elb::model {

/// Which rules hold: `guaranteed` true or false (api-v3.md, D and S).
enum class Kind : std::uint8_t { kDedicated, kShared };

/// A label of a load balancer or listener.
struct Tag {
  std::string key;
  std::string value;
  friend bool operator==(const Tag&, const Tag&) = default;
};
[[nodiscard]] const Schema& TagSchema();
/// Errors (kInvalid, below `path`): a key is given twice.
[[nodiscard]] Result<void> CheckTags(const std::vector<Tag>& tags, const std::string& path);

/// What every stored object has besides its own fields.
struct Identity {
  std::string id;
  std::string project_id;
  std::string created_at;  ///< `2024-05-01T10:00:00Z`
  std::string updated_at;
  std::int64_t revision = 0;  ///< That last changed the object's own fields.
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Code points of names, descriptions and reasons.
inline constexpr std::int64_t kTextMax = 255;

}  // namespace elb::model
