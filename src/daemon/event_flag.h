#pragma once

#include "base/descriptor.h"

namespace elb::daemon {

/// Set once, from any thread; seen by whoever polls its descriptor.
class EventFlag {
 public:
  EventFlag();
  void Set() const;
  /// Can be read once the flag is set.
  [[nodiscard]] const Descriptor& descriptor() const { return event_; }

 private:
  Descriptor event_;
};

/// Waits until one of the two can be read. False: it is `stop`.
[[nodiscard]] bool WaitForEither(const Descriptor& other, const Descriptor& stop);

}  // namespace elb::daemon
