#pragma once

#include <coroutine>
#include <cstdint>

#include "base/clock.h"
#include "net/reactor.h"

namespace elb::net {

/// Why a `Signal::Wait` returned.
enum class Wake : std::uint8_t {
  kNotified,   ///< Something the owner watches has news: try the operations again.
  kDeadline,   ///< The deadline passed.
  kCancelled,  ///< `Cancel` was called, now or earlier.
};

/// The one thing a coroutine sleeps on. Streams, bodies, timers and other coroutines notify it; the
/// owner wakes once, tries again whatever it was waiting for, and waits again. So one coroutine
/// pumps both directions of an exchange and watches for aborts without any further task.
///
/// Belongs to one reactor's thread and to one coroutine. Notifying, cancelling and deadlines only
/// put the owner on the ready list; nothing resumes inline. Destroying a signal while its owner is
/// suspended on it is allowed (the frame is being destroyed): it deregisters itself.
class Signal final : private ReadyNode, private TimerNode {
 public:
  explicit Signal(Reactor& reactor) : reactor_(&reactor) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  Signal(Signal&&) = delete;
  Signal& operator=(Signal&&) = delete;
  ~Signal();

  /// There is news. Remembered when the owner is not waiting: its next `Wait` returns at once.
  void Notify();
  /// Ends this and every later wait with kCancelled.
  void Cancel();
  [[nodiscard]] bool cancelled() const { return cancelled_; }

  /// Wakes the owner at `deadline` (no earlier; late by at most one wheel tick of 4 ms). Moving a
  /// deadline later costs one store. The deadline stays until cleared or changed; once it has
  /// passed each `Wait` says kDeadline until then.
  void SetDeadline(MonotonicTime deadline);
  void ClearDeadline();

  class WaitAwaiter;
  /// Suspends until news, deadline or cancel; precedence cancel, news, deadline.
  [[nodiscard]] WaitAwaiter Wait();

  class YieldAwaiter;
  /// Lets everything else on the ready list run first. For owners that used up their budget.
  [[nodiscard]] YieldAwaiter Yield();

  [[nodiscard]] Reactor& reactor() const { return *reactor_; }

 private:
  void OnReady() override;
  void OnTimer() override;
  [[nodiscard]] bool HasNews() const;
  [[nodiscard]] Wake TakeNews();

  Reactor* reactor_;
  std::coroutine_handle<> waiting_;
  MonotonicTime deadline_ = MonotonicTime::max();
  bool notified_ = false;
  bool cancelled_ = false;
};

class Signal::WaitAwaiter {
 public:
  explicit WaitAwaiter(Signal& signal) : signal_(&signal) {}
  [[nodiscard]] bool await_ready() const { return signal_->HasNews(); }
  void await_suspend(std::coroutine_handle<> owner) { signal_->waiting_ = owner; }
  [[nodiscard]] Wake await_resume() { return signal_->TakeNews(); }

 private:
  Signal* signal_;
};

class Signal::YieldAwaiter {
 public:
  explicit YieldAwaiter(Signal& signal) : signal_(&signal) {}
  [[nodiscard]] bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> owner) {
    signal_->waiting_ = owner;
    signal_->reactor_->MakeReady(*signal_);
  }
  void await_resume() const {}

 private:
  Signal* signal_;
};

inline Signal::WaitAwaiter Signal::Wait() { return WaitAwaiter(*this); }
inline Signal::YieldAwaiter Signal::Yield() { return YieldAwaiter(*this); }

}  // namespace elb::net
