#include "health/tracker.h"

namespace elb::health {

bool Tracker::Move(Event event) {
  const std::optional<State> next = Next(state_, event);
  if (!next) {
    return false;
  }
  state_ = *next;
  in_a_row_ = 0;
  return true;
}

bool Tracker::Record(ProbeOutcome outcome) {
  const bool success = outcome == ProbeOutcome::kSuccess;
  switch (state_) {
    case State::kUnprobed:
    case State::kServing:
      return Move(success ? Event::kFirstSuccess : Event::kFirstFailure);
    case State::kOnline:
      in_a_row_ = success ? 0 : in_a_row_ + 1;
      return in_a_row_ >= max_retries_down_ && Move(Event::kEnoughFailures);
    case State::kOffline:
      in_a_row_ = success ? in_a_row_ + 1 : 0;
      return in_a_row_ >= max_retries_ && Move(Event::kEnoughSuccesses);
  }
  return false;
}

void Tracker::Reset(int max_retries, int max_retries_down) {
  max_retries_ = max_retries;
  max_retries_down_ = max_retries_down;
  in_a_row_ = 0;
}

}  // namespace elb::health
