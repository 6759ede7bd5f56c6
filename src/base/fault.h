#pragma once

#include <cstdint>
#include <expected>

namespace elb {

/// Whose doing a fault of the data plane is.
enum class FaultSide : std::uint8_t { kDownstream, kUpstream, kInternal };

enum class FaultCode : std::uint8_t {
  kNone,
  kClosed,       ///< Orderly end: FIN, or TLS close_notify and FIN.
  kReset,        ///< RST, or TLS data cut without close_notify.
  kRefused,      ///< Connection refused.
  kUnreachable,  ///< No route, no local port, local resource exhausted.
  kTimeout,      ///< A deadline passed.
  kCancelled,    ///< The owner ended the operation.
  kTls,          ///< TLS failure; `detail` is the alert number sent or received, if any.
  kProtocol,     ///< The peer broke its protocol.
  kTooLarge,     ///< A limit of the protocol was passed.
  kIo,           ///< Any other error; `detail` is errno.
};

/// A failure on the request path: a plain value, no strings, no allocation.
struct Fault {
  FaultSide side = FaultSide::kInternal;
  FaultCode code = FaultCode::kNone;
  std::int16_t detail = 0;

  friend bool operator==(const Fault&, const Fault&) = default;
};

/// Result of an operation of the data plane.
template <typename T>
using Outcome = std::expected<T, Fault>;

}  // namespace elb
