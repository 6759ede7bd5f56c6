#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace elb::daemon {

/// The sample backend server of `./run`: answers `/health` with 200, everything else with a small
/// JSON that names the server and the request.
struct SampleBackendOptions {
  std::string name = "sample";
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one, printed on standard output.
};

/// Runs until SIGINT or SIGTERM. Errors: the address cannot be bound.
[[nodiscard]] Result<void> RunSampleBackend(const SampleBackendOptions& options);

}  // namespace elb::daemon
