#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace elb::daemon {

/// Calls a function again and again, on a thread of its own, until it is destroyed.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds period, std::function<void()> on_tick);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  Ticker(Ticker&&) = delete;
  Ticker& operator=(Ticker&&) = delete;

 private:
  void Loop();
  std::chrono::milliseconds period_;
  std::function<void()> on_tick_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool stopping_ ELB_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace elb::daemon
