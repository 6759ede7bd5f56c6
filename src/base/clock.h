#pragma once

#include <chrono>

namespace elb {

using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Source of time. Thread-safe; tests use `ManualClock`.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonotonicTime Now() const = 0;
  [[nodiscard]] virtual WallTime WallNow() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime WallNow() const override { return std::chrono::system_clock::now(); }
};

/// A clock that stands still until it is told to move. For tests; one thread.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override { return now_; }
  [[nodiscard]] WallTime WallNow() const override { return wall_; }
  void Advance(std::chrono::nanoseconds step) {
    now_ += std::chrono::duration_cast<MonotonicTime::duration>(step);
    wall_ += std::chrono::duration_cast<WallTime::duration>(step);
  }

 private:
  MonotonicTime now_{std::chrono::hours{1}};
  WallTime wall_{std::chrono::seconds{1'700'000'000}};
};

}  // namespace elb
