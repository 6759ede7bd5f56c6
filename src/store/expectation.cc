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
  const std::string message = !stored ? fmt::format("the {} does not exist", name)
                              : *expected == kAbsent
                                  ? fmt::format("the {} exists already", name)
                                  : fmt::format(
                                        "the {} was changed meanwhile: it has revision {}, not "
                                        "{}",
                                        name, *stored, *expected);
  return Failure(ErrorKind::kPrecondition, "", message);
}

}  // namespace elb::store
