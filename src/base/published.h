#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace elb {

/// An immutable value that every request reads and hardly anybody replaces. Thread-safe. Each
/// thread keeps the value that it used last, so that reading takes a lock only on a thread's first
/// call after a change.
template <typename T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value) { Publish(std::move(value)); }

  void Publish(std::shared_ptr<const T> value) ELB_EXCLUDES(mutex_) {
    static std::atomic<std::uint64_t> last = 0;
    const MutexLock lock(mutex_);
    value_ = std::move(value);
    version_.store(++last, std::memory_order_release);
  }

  /// The value as of now. The reference is good until this thread's next call of `Current` of any
  /// `Published<T>`.
  [[nodiscard]] const T& Current() const ELB_EXCLUDES(mutex_) {
    struct Copy {
      std::uint64_t version = 0;
      std::shared_ptr<const T> value;
    };
    thread_local Copy copy;
    if (copy.version != version_.load(std::memory_order_acquire)) {
      const MutexLock lock(mutex_);
      copy.value = value_;
      copy.version = version_.load(std::memory_order_relaxed);
    }
    return *copy.value;
  }

  /// The value to keep.
  [[nodiscard]] std::shared_ptr<const T> Get() const ELB_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return value_;
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ ELB_GUARDED_BY(mutex_);
  /// Unique among all values of the process, so that a thread's copy cannot be mistaken for that of
  /// another `Published` at the same address.
  std::atomic<std::uint64_t> version_ = 0;
};

}  // namespace elb
