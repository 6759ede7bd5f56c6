#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.h"

namespace elb::server {

/// Counts what an HTTP/2 client may do only so often (data-plane.md 4.4): resets of its own
/// streams, frames that make no progress, empty frames in a row. Pure; time is an argument.
class AbuseGuard {
 public:
  /// A stream was opened.
  void OnStream() { ++streams_; }
  /// The client reset a stream (or made us reset one).
  void OnReset(MonotonicTime now);
  /// PING, SETTINGS, PRIORITY, or an empty frame.
  void OnIdleFrame(MonotonicTime now);
  /// DATA, HEADERS or CONTINUATION; `empty` without content and without an end flag.
  void OnContentFrame(bool empty);

  /// Something happened that is allowed no more than once.
  void Trip() { tripped_ = true; }

  /// True once a budget was passed: answer ENHANCE_YOUR_CALM and close.
  [[nodiscard]] bool tripped() const { return tripped_; }

 private:
  /// Events within a sliding window, in two halves: exact enough and constant in size.
  struct Window {
    MonotonicTime::duration length;
    std::uint32_t limit;
    MonotonicTime begin;
    std::uint32_t current = 0;
    std::uint32_t previous = 0;
    [[nodiscard]] bool Count(MonotonicTime now);
  };
  Window resets_{.length = std::chrono::seconds{1}, .limit = 256};
  Window idle_frames_{.length = std::chrono::seconds{10}, .limit = 1000};
  std::uint64_t streams_ = 0;
  std::uint64_t resets_total_ = 0;
  std::uint32_t empty_in_a_row_ = 0;
  bool tripped_ = false;
};

}  // namespace elb::server
