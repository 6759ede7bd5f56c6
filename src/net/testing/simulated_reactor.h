#pragma once

#include <functional>
#include <map>

#include "base/clock.h"
#include "net/reactor.h"

namespace elb::net::testing {

/// A reactor without kernel and without waiting. While something is ready it runs turns, each of
/// which takes 1 µs; when nothing is, the clock jumps to the next event or timer. What happens
/// depends on nothing but the code under test: the same program runs the same way each time.
class SimulatedReactor final : public Reactor {
 public:
  /// `clock` is moved by this reactor alone while it runs.
  explicit SimulatedReactor(ManualClock& clock) : Reactor(clock), clock_(&clock) {}

  /// Runs `work` at `when`, before the turn of that moment; work of the same moment in the order of
  /// the calls.
  void At(MonotonicTime when, Work work);
  void After(MonotonicTime::duration delay, Work work) { At(now() + delay, std::move(work)); }

  /// Runs until `done`. False when it was not done within `limit`, or nothing is left to happen.
  bool RunUntil(const std::function<bool()>& done, MonotonicTime::duration limit);
  /// Lets `time` pass, with everything that happens meanwhile.
  void RunFor(MonotonicTime::duration time);

  static constexpr std::chrono::microseconds kTurnTime{1};

 private:
  bool Step(MonotonicTime limit);
  void RunEvents();

  ManualClock* clock_;
  std::multimap<MonotonicTime, Work> events_;
};

}  // namespace elb::net::testing
