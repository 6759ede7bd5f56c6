#include "net/testing/simulated_reactor.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace elb::net::testing {

void SimulatedReactor::At(MonotonicTime when, Work work) { events_.emplace(when, std::move(work)); }

/// What the events of this moment add for the same moment runs in the next turn.
void SimulatedReactor::RunEvents() {
  std::vector<Work> due;
  while (!events_.empty() && events_.begin()->first <= now()) {
    due.push_back(std::move(events_.begin()->second));
    events_.erase(events_.begin());
  }
  for (Work& work : due) {
    work();
    work = nullptr;
  }
}

/// One turn. False: nothing happens until `limit`, at which the clock stands now unless that is
/// never.
bool SimulatedReactor::Step(MonotonicTime limit) {
  MonotonicTime next = clock_->Now() + kTurnTime;
  if (!HasReady() && !HasPosted()) {
    next = events_.empty() ? timers_next() : std::min(events_.begin()->first, timers_next());
  }
  const bool happens = next <= limit && next != MonotonicTime::max();
  const MonotonicTime until = happens ? next : limit;
  if (until != MonotonicTime::max() && until > clock_->Now()) {
    clock_->Advance(until - clock_->Now());
  }
  if (!happens) {
    return false;
  }
  UpdateTime();
  RunEvents();
  RunTurn();
  return true;
}

bool SimulatedReactor::RunUntil(const std::function<bool()>& done, MonotonicTime::duration limit) {
  const MonotonicTime end = clock_->Now() + limit;
  while (!done()) {
    if (!Step(end)) {
      return done();
    }
  }
  return true;
}

void SimulatedReactor::RunFor(MonotonicTime::duration time) {
  const MonotonicTime end = clock_->Now() + time;
  while (Step(end)) {
  }
  UpdateTime();
}

}  // namespace elb::net::testing
