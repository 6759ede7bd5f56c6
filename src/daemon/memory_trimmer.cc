#include "daemon/memory_trimmer.h"

#include <algorithm>

namespace elb::daemon {

bool MemoryTrimmer::Due(std::size_t frames, MonotonicTime now) {
  peak_ = std::max(peak_, frames);
  if (frames > peak_ / 2 || peak_ - frames < kFramesFreedMin || now < next_) {
    return false;
  }
  peak_ = frames;
  next_ = now + kPeriod;
  return true;
}

}  // namespace elb::daemon
