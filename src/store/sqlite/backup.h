#pragma once

#include <filesystem>

#include "base/error.h"
#include "store/sqlite/connection.h"

namespace elb::store::sqlite {

/// Copies the committed state of `source` to a new file: complete and on the disk, or not at all.
/// kConflict: `target` exists.
[[nodiscard]] Result<void> CopyDatabase(Connection& source, const std::filesystem::path& target);

}  // namespace elb::store::sqlite
