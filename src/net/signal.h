#pragma once

#include <coroutine>
#include <cstdint>

#include "base/assert.h"
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
/// put the owner on the ready list; nothing resumes inline. A signal and the frame that is
/// suspended on it may be destroyed in either order: whichever goes first deregisters from the
/// other.
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
  class Waiter;
  void OnReady() override;
  void OnTimer() override;
  [[nodiscard]] bool HasNews() const;
  [[nodiscard]] Wake TakeNews();

  Reactor* reactor_;
  Waiter* waiting_ = nullptr;  ///< The awaiter in the suspended owner's frame.
  MonotonicTime deadline_ = MonotonicTime::max();
  bool notified_ = false;
  bool cancelled_ = false;
};

/// What both awaiters are: the owner's handle, found by the signal while suspended and only then.
class Signal::Waiter {
 public:
  explicit Waiter(Signal& signal) : signal_(&signal) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  Waiter(Waiter&&) = delete;
  Waiter& operator=(Waiter&&) = delete;
  ~Waiter() {
    if (owner_) {  // The frame is destroyed while suspended.
      signal_->waiting_ = nullptr;
    }
  }

 protected:
  void Suspend(std::coroutine_handle<> owner) {
    ELB_ASSERT(signal_->waiting_ == nullptr);
    owner_ = owner;
    signal_->waiting_ = this;
  }
  [[nodiscard]] Signal& signal() const { return *signal_; }

 private:
  friend class Signal;
  Signal* signal_;
  std::coroutine_handle<> owner_;  ///< Null unless suspended.
};

class Signal::WaitAwaiter : private Waiter {
 public:
  explicit WaitAwaiter(Signal& signal) : Waiter(signal) {}
  [[nodiscard]] bool await_ready() const { return signal().HasNews(); }
  void await_suspend(std::coroutine_handle<> owner) { Suspend(owner); }
  [[nodiscard]] Wake await_resume() { return signal().TakeNews(); }
};

class Signal::YieldAwaiter : private Waiter {
 public:
  explicit YieldAwaiter(Signal& signal) : Waiter(signal) {}
  [[nodiscard]] bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> owner) {
    Suspend(owner);
    signal().reactor_->MakeReady(signal());
  }
  void await_resume() const {}
};

inline Signal::WaitAwaiter Signal::Wait() { return WaitAwaiter(*this); }
inline Signal::YieldAwaiter Signal::Yield() { return YieldAwaiter(*this); }

}  // namespace elb::net
