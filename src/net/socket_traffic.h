#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "net/stream.h"

namespace elb::net {

/// Counts what goes over one TCP socket. One thread.
class SocketTraffic {
 public:
  explicit SocketTraffic(MonotonicTime now);
  void AddIn(std::size_t bytes) { bytes_in_ += bytes; }
  void AddOut(std::size_t bytes) { bytes_out_ += bytes; }
  /// What was counted since the last call. `descriptor` < 0: closed, packets stay unknown.
  [[nodiscard]] Traffic Take(PacketCount packets, int descriptor, MonotonicTime now);

 private:
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint32_t packets_in_ = 0;  ///< Told so far.
  std::uint32_t packets_out_ = 0;
  std::uint32_t asked_s_;  ///< When packets were asked for last.
};

/// About what the socket's send buffer takes now; SIZE_MAX if the kernel does not say.
[[nodiscard]] std::size_t SocketWriteRoom(int descriptor);

}  // namespace elb::net
