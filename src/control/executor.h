#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace elb::control {

/// The control thread: runs one piece of blocking work after the other. `Run` is thread-safe.
class Executor {
 public:
  using Work = std::move_only_function<void()>;

  Executor();
  /// Finishes what was handed over before.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  Executor(Executor&&) = delete;
  Executor& operator=(Executor&&) = delete;

  void Run(Work work) ELB_EXCLUDES(mutex_);
  /// Runs `work` and waits for it. Not from the control thread itself.
  void RunAndWait(Work work);

 private:
  void Loop();
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<Work> queue_ ELB_GUARDED_BY(mutex_);
  bool stopping_ ELB_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace elb::control
