#include "store/expectation.h"

#include <fmt/format.h>

#include <string>

namespace elb::store {

Result<void> CheckExpected(Key key, ExpectedRevision expected,
                           std::optional<std::uint64_t> stored) {
  if (!expected || *expected == stored.value_or(kAbsent)) {
    return {};
  }
  const std::string name = fmt::format("{} {}", key.kind, key.id);
  if (!stored) {
    return Failure(ErrorKind::kPrecondition, "", fmt::format("the {} does not exist", name));
  }
  if (*expected == kAbsent) {
    return Failure(ErrorKind::kPrecondition, "", fmt::format("the {} exists already", name));
  }
  return Failure(ErrorKind::kPrecondition, "",
                 fmt::format("the {} was changed meanwhile: it has revision {}, not {}", name,
                             *stored, *expected));
}

}  // namespace elb::store
