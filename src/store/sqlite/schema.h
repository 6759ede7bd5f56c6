#pragma once

#include <span>

#include "base/error.h"
#include "store/sqlite/connection.h"

namespace elb::store::sqlite {

/// The SQL that leads from each version of the schema to the next; the first one makes version 1
/// of an empty file. Steps that were released never change.
[[nodiscard]] std::span<const char* const> Migrations();

/// Brings the file to version `steps.size()`: each missing step with its version number in a
/// transaction of its own, so that a failure leaves a whole older version. kStorage, with the file
/// untouched: the file is newer than this program, or not a store of this service.
[[nodiscard]] Result<void> Migrate(Connection& connection, std::span<const char* const> steps);

}  // namespace elb::store::sqlite
