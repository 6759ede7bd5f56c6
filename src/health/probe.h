#pragma once

#include <memory>
#include <string>

#include "contract/config_snapshot.h"
#include "contract/data_plane.h"
#include "health/expected_codes.h"
#include "http/message.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/task.h"
#include "tls/client_stream.h"

namespace elb::health {

/// Everything one attempt needs, made from monitor and member.
struct ProbeTarget {
  contract::ProbeType type = contract::ProbeType::kTcp;
  Endpoint endpoint;
  std::chrono::seconds timeout{3};
  std::string request;  ///< HTTP and HTTPS: the complete request.
  http::Method method = http::Method::kGet;
  std::string sni;  ///< HTTPS; empty: none.
  ExpectedCodes expected;
};

/// How an attempt went; `reason` kNone is success.
struct ProbeResult {
  contract::HealthReason reason = contract::HealthReason::kNone;
  int response_code = 0;  ///< With kResponseMismatch.
};

/// How probes reach the network; everything outlives them.
struct ProbeContext {
  net::Network* network = nullptr;
  std::shared_ptr<const tls::ClientContext> tls;
};

[[nodiscard]] ProbeTarget MakeTarget(const contract::PoolConfig& pool,
                                     const contract::MemberConfig& member);

/// One attempt (data-plane.md 9.2), at most `target.timeout` from now. `signal` is the caller's and
/// used for nothing else meanwhile.
[[nodiscard]] net::Task<ProbeResult> RunProbe(const ProbeTarget& target,
                                              const ProbeContext& context, net::Signal& signal);

}  // namespace elb::health
