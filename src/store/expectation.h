#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "store/document.h"

namespace elb::store {

/// kPrecondition when `expected` does not hold for the revision of what is stored under `key`
/// (`nullopt`: nothing is).
[[nodiscard]] Result<void> CheckExpected(Key key, ExpectedRevision expected,
                                         std::optional<std::uint64_t> stored);

}  // namespace elb::store
