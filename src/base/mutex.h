#pragma once

#include <condition_variable>
#include <mutex>

#define ELB_CAPABILITY(name) __attribute__((capability(name)))
#define ELB_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define ELB_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#define ELB_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define ELB_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define ELB_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define ELB_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))

namespace elb {

/// `std::mutex` that clang's thread safety analysis knows.
class ELB_CAPABILITY("mutex") Mutex {
 public:
  void Lock() ELB_ACQUIRE() { mutex_.lock(); }
  void Unlock() ELB_RELEASE() { mutex_.unlock(); }

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

/// Holds a `Mutex` for a scope. Never held across a `co_await`.
class ELB_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ELB_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() ELB_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  MutexLock(MutexLock&&) = delete;
  MutexLock& operator=(MutexLock&&) = delete;

 private:
  Mutex& mutex_;
};

/// Condition variable for `Mutex`. The caller loops over its condition.
class ConditionVariable {
 public:
  void Wait(Mutex& mutex) ELB_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// False when `deadline` passed.
  template <typename TimePoint>
  bool WaitUntil(Mutex& mutex, const TimePoint& deadline) ELB_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace elb
