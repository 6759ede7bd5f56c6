#pragma once

#include <functional>
#include <memory>

namespace elb::daemon {

/// Calls a function, once, on a thread of its own when SIGINT or SIGTERM arrives. SIGPIPE is
/// ignored. Make it before any other thread starts: threads inherit the blocked signals.
class StopSignals {
 public:
  explicit StopSignals(std::function<void()> on_stop);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  StopSignals(StopSignals&&) = delete;
  StopSignals& operator=(StopSignals&&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace elb::daemon
