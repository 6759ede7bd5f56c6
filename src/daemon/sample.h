#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "control/accounts.h"
#include "control/control.h"
#include "daemon/data_directory.h"

namespace elb::daemon {

/// Where the two sample backend servers of `./run` listen.
inline constexpr std::array kSampleAddresses = {"127.20.255.1", "127.20.255.2"};
inline constexpr std::uint16_t kSamplePort = 8080;

struct SampleParts {
  control::Control* control = nullptr;
  control::Accounts* accounts = nullptr;
  DataDirectory* data = nullptr;
  const Clock* clock = nullptr;
};

/// Creates what `./run` shows: a dedicated load balancer on a loopback address, a certificate of a
/// CA made for it, an HTTPS listener (443 where this process may bind it, else 8443), a pool with
/// two members and an HTTP health check. Done once per data directory: what its user changes or
/// deletes afterwards stays so. The CA's certificate and the address are written to `sample.crt`
/// and `sample.url`. Control thread. kNotFound: there is no project yet.
[[nodiscard]] Result<void> MakeSample(const SampleParts& parts);

}  // namespace elb::daemon
