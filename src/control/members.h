#pragma once

#include <string>

#include "control/services.h"

namespace elb::control {

/// A member of `pool` as a request describes it, with everything checked but quotas and whether it
/// is there already.
[[nodiscard]] Result<model::Member> ReadNewMember(const State& state, const UseCase& use,
                                                  const model::Pool& pool, const Json& body);

/// Adds what `ReadNewMember` read; `registration` numbers the call. Errors: kQuota.
[[nodiscard]] Result<std::string> AddMember(Draft& draft, const UseCase& use,
                                            const model::Pool& pool, model::Member member,
                                            std::int64_t registration);

}  // namespace elb::control
