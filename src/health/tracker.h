#pragma once

#include <cstdint>
#include <optional>

namespace elb::health {

/// What probes know about a member.
///
///   kUnprobed ──success──► kOnline ◄──max_retries successes── kOffline
///       └──────failure──► kOffline        kOnline ──max_retries_down failures──► kOffline
///   kServing  ──success──► kOnline,  ──failure──► kOffline
///
/// kUnprobed: new, takes no requests yet. kServing: served without a monitor until one was switched
/// on, and goes on until the first result (data-plane.md 9.3).
enum class State : std::uint8_t { kUnprobed, kServing, kOnline, kOffline };

enum class Event : std::uint8_t {
  kFirstSuccess,
  kFirstFailure,
  kEnoughSuccesses,  ///< `max_retries` in a row.
  kEnoughFailures,   ///< `max_retries_down` in a row.
};

/// The state after `event`; nullopt where it cannot happen.
[[nodiscard]] constexpr std::optional<State> Next(State state, Event event) {
  const bool first = state == State::kUnprobed || state == State::kServing;
  switch (event) {
    case Event::kFirstSuccess:
      return first ? std::optional(State::kOnline) : std::nullopt;
    case Event::kFirstFailure:
      return first ? std::optional(State::kOffline) : std::nullopt;
    case Event::kEnoughSuccesses:
      return state == State::kOffline ? std::optional(State::kOnline) : std::nullopt;
    case Event::kEnoughFailures:
      return state == State::kOnline ? std::optional(State::kOffline) : std::nullopt;
  }
  return std::nullopt;
}

static_assert(!Next(State::kOnline, Event::kFirstFailure), "one failure never ends ONLINE");
static_assert(!Next(State::kOffline, Event::kFirstSuccess), "one success never ends OFFLINE");

enum class ProbeOutcome : std::uint8_t { kSuccess, kFailure };

/// Counts probe results of one member and decides its state. Pure.
class Tracker {
 public:
  Tracker(State state, int max_retries, int max_retries_down)
      : state_(state), max_retries_(max_retries), max_retries_down_(max_retries_down) {}

  /// Records one result. True when the state changed.
  bool Record(ProbeOutcome outcome);
  /// The monitor was edited: the state stays, counting starts again.
  void Reset(int max_retries, int max_retries_down);
  [[nodiscard]] State state() const { return state_; }

 private:
  bool Move(Event event);
  State state_;
  int max_retries_;
  int max_retries_down_;
  int in_a_row_ = 0;  ///< Results against the present state.
};

}  // namespace elb::health
