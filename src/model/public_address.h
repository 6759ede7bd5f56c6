#pragma once

#include "model/load_balancer.h"

namespace elb::model {

[[nodiscard]] const Schema& PublicAddressSchema();

/// The rules of `publicip` (api-v3.md 2.1). Errors: kInvalid, kMissing.
[[nodiscard]] Result<void> CheckPublicAddress(const PublicAddress& address);

}  // namespace elb::model
