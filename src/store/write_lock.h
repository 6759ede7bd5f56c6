#pragma once

#include <atomic>
#include <thread>

#include "base/assert.h"
#include "base/mutex.h"

namespace elb::store {

/// Lets one thread write at a time. Asserts that a thread does not begin a write inside a write of
/// its own, for which it would wait for ever.
class ELB_CAPABILITY("mutex") WriteLock {
 public:
  void Lock() ELB_ACQUIRE() {
    ELB_ASSERT(holder_.load(std::memory_order_relaxed) != std::this_thread::get_id());
    mutex_.Lock();
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void Unlock() ELB_RELEASE() {
    holder_.store(std::thread::id(), std::memory_order_relaxed);
    mutex_.Unlock();
  }

 private:
  Mutex mutex_;
  std::atomic<std::thread::id> holder_;
};

/// Holds a `WriteLock` for a scope.
class ELB_SCOPED_CAPABILITY WriteTurn {
 public:
  explicit WriteTurn(WriteLock& lock) ELB_ACQUIRE(lock) : lock_(lock) { lock_.Lock(); }
  ~WriteTurn() ELB_RELEASE() { lock_.Unlock(); }
  WriteTurn(const WriteTurn&) = delete;
  WriteTurn& operator=(const WriteTurn&) = delete;
  WriteTurn(WriteTurn&&) = delete;
  WriteTurn& operator=(WriteTurn&&) = delete;

 private:
  WriteLock& lock_;
};

}  // namespace elb::store
