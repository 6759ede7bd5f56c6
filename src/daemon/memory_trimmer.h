#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"

namespace elb::daemon {

/// Decides when memory that was freed goes back to the system. The allocator keeps it for the next
/// crowd; a crowd that has left should not be paid for until then. Pure.
class MemoryTrimmer {
 public:
  /// Given the number of coroutine frames in use, which goes with connections and requests: true
  /// when much fewer are left than there were, at most every ten seconds.
  [[nodiscard]] bool Due(std::size_t frames, MonotonicTime now);

  static constexpr std::size_t kFramesFreedMin = 64;
  static constexpr std::chrono::seconds kPeriod{10};

 private:
  std::size_t peak_ = 0;
  MonotonicTime next_;
};

}  // namespace elb::daemon
