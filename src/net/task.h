#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "net/frame_pool.h"

/// On a coroutine that is over, or not yet begun, while its awaiter is idle for long: its frame is
/// its own, taken when it runs, instead of a part of the awaiter's.
#define ELB_OWN_FRAME [[gnu::noinline]]

namespace elb::net {

template <typename T>
class Task;

namespace task_detail {

/// What every task's promise has: who awaits it, and frames from the thread's pool.
class PromiseBase {
 public:
  static void* operator new(std::size_t bytes) { return AllocateFrame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    ReleaseFrame(frame, bytes);
  }

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <typename Promise>
    [[nodiscard]] std::coroutine_handle<> await_suspend(
        std::coroutine_handle<Promise> finished) const noexcept {
      const auto continuation = finished.promise().continuation_;
      return continuation ? continuation : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }

  void set_continuation(std::coroutine_handle<> continuation) { continuation_ = continuation; }

 private:
  std::coroutine_handle<> continuation_;
};

template <typename T>
class Promise final : public PromiseBase {
 public:
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T TakeValue() {
    ELB_ASSERT(value_.has_value());
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> final : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void TakeValue() const noexcept {}
};

}  // namespace task_detail

/// A coroutine that starts when it is awaited and resumes its awaiter when it ends, by symmetric
/// transfer. Move-only; destroying it destroys the frame, whether it has run or not. Everything
/// happens on the thread that created it.
template <typename T = void>
class [[nodiscard, clang::coro_return_type, clang::coro_lifetimebound]] Task {
 public:
  using promise_type = task_detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { Destroy(); }

  [[nodiscard]] bool done() const { return !handle_ || handle_.done(); }

  struct Awaiter {
    Handle handle;
    [[nodiscard]] bool await_ready() const noexcept { return handle.done(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
      handle.promise().set_continuation(awaiting);
      return handle;
    }
    T await_resume() { return handle.promise().TakeValue(); }
  };
  [[nodiscard]] Awaiter operator co_await() const& noexcept { return Awaiter{handle_}; }
  [[nodiscard]] Awaiter operator co_await() const&& noexcept { return Awaiter{handle_}; }

  /// Runs a task that nobody awaits up to its first suspension. Used by `TaskScope` and tests.
  void Start() {
    ELB_ASSERT(handle_ && !handle_.done());
    handle_.resume();
  }

 private:
  void Destroy() noexcept {
    if (handle_) {
      std::exchange(handle_, {}).destroy();
    }
  }

  Handle handle_;
};

namespace task_detail {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}

}  // namespace task_detail

}  // namespace elb::net
