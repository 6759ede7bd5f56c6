#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace elb::control {

/// A thread that runs one piece of blocking work after the other: the control thread, and the one
/// that checks passwords. `Run` is thread-safe.
class Executor {
 public:
  using Work = std::move_only_function<void()>;

  /// `name` is that of the thread, at most 15 characters.
  explicit Executor(const char* name = "elb-control");
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
  void Loop(const char* name);
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<Work> queue_ ELB_GUARDED_BY(mutex_);
  bool stopping_ ELB_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace elb::control
