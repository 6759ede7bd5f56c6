#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"

namespace elb::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{hours(1)};

/// Counts, and does what a test asks for.
class Timer final : public TimerNode {
 public:
  int fired = 0;
  std::function<void()> then;

 private:
  void OnTimer() override {
    ++fired;
    if (then) {
      then();
    }
  }
};

/// Advances as a reactor that sleeps does: from wake-up to wake-up.
void SleepUntil(TimerWheel& wheel, MonotonicTime end, MonotonicTime& now) {
  while (wheel.NextWakeUp() <= end) {
    now = std::max(now, wheel.NextWakeUp());
    wheel.Advance(now);
  }
  now = end;
  wheel.Advance(now);
}

TEST(TimerWheelTest, HasNothingToDoWhenEmpty) {
  TimerWheel wheel(kStart);

  EXPECT_EQ(wheel.NextWakeUp(), MonotonicTime::max());
  EXPECT_FALSE(wheel.Advance(kStart + hours(1000)));
}

TEST(TimerWheelTest, IsNeverEarlyAndLateByLessThanOneTick) {
  for (const nanoseconds delay :
       {nanoseconds(1), nanoseconds(milliseconds(4)), nanoseconds(milliseconds(4)) + nanoseconds(1),
        nanoseconds(milliseconds(1023)), nanoseconds(milliseconds(1024)), nanoseconds(seconds(1)),
        nanoseconds(milliseconds(262'144)), nanoseconds(seconds(4000)), nanoseconds(hours(20))}) {
    TimerWheel wheel(kStart);
    Timer timer;
    const MonotonicTime deadline = kStart + delay;
    wheel.Arm(timer, deadline);

    wheel.Advance(deadline - nanoseconds(1));
    EXPECT_EQ(timer.fired, 0) << delay.count();
    wheel.Advance(deadline + TimerWheel::kTick - nanoseconds(1));
    EXPECT_EQ(timer.fired, 1) << delay.count();
  }
}

TEST(TimerWheelTest, TellsWhenToWakeUpSuchThatNothingIsLate) {
  SeededRandom random(1);
  for (int i = 0; i < 200; ++i) {
    TimerWheel wheel(kStart);
    Timer timer;
    MonotonicTime fired_at;
    MonotonicTime now = kStart + nanoseconds(random.Below(100'000'000'000));
    wheel.Advance(now);
    timer.then = [&] { fired_at = now; };
    const MonotonicTime deadline = now + nanoseconds(1 + random.Below(10'000'000'000'000));

    wheel.Arm(timer, deadline);
    SleepUntil(wheel, deadline + milliseconds(4), now);

    EXPECT_EQ(timer.fired, 1);
    EXPECT_GE(fired_at, deadline);
    EXPECT_LT(fired_at, deadline + TimerWheel::kTick);
  }
}

TEST(TimerWheelTest, FiresADeadlineThatHasPassedInTheNextTick) {
  TimerWheel wheel(kStart);
  Timer timer;
  wheel.Advance(kStart + seconds(10));

  wheel.Arm(timer, kStart + seconds(5));

  EXPECT_TRUE(wheel.Advance(kStart + seconds(10) + TimerWheel::kTick));
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheelTest, FiresOnce) {
  TimerWheel wheel(kStart);
  Timer timer;
  wheel.Arm(timer, kStart + seconds(1));

  wheel.Advance(kStart + seconds(2));
  EXPECT_FALSE(wheel.Advance(kStart + hours(2)));

  EXPECT_EQ(timer.fired, 1);
  EXPECT_EQ(wheel.NextWakeUp(), MonotonicTime::max());
}

TEST(TimerWheelTest, OnlyWritesWhenADeadlineMovesLater) {
  TimerWheel wheel(kStart);
  Timer timer;
  wheel.Arm(timer, kStart + seconds(1));
  const MonotonicTime looked_at = wheel.NextWakeUp();

  wheel.Arm(timer, kStart + seconds(100));
  wheel.Arm(timer, kStart + seconds(50));

  EXPECT_EQ(wheel.NextWakeUp(), looked_at) << "the wheel was touched";
  EXPECT_FALSE(wheel.Advance(kStart + seconds(50) - nanoseconds(1)));
  EXPECT_TRUE(wheel.Advance(kStart + seconds(50)));
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheelTest, FollowsADeadlineThatMovesEarlier) {
  TimerWheel wheel(kStart);
  Timer timer;
  wheel.Arm(timer, kStart + hours(1));

  wheel.Arm(timer, kStart + milliseconds(8));

  EXPECT_TRUE(wheel.Advance(kStart + milliseconds(8)));
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheelTest, DoesNotFireWhatWasDisarmedInEitherWay) {
  TimerWheel wheel(kStart);
  Timer lazily;
  Timer at_once;
  wheel.Arm(lazily, kStart + seconds(1));
  wheel.Arm(at_once, kStart + seconds(1));

  wheel.Arm(lazily, MonotonicTime::max());
  wheel.Disarm(at_once);
  wheel.Disarm(at_once);

  EXPECT_FALSE(wheel.Advance(kStart + hours(1)));
  EXPECT_EQ(wheel.NextWakeUp(), MonotonicTime::max());
}

TEST(TimerWheelTest, ForgetsDestroyedTimers) {
  TimerWheel wheel(kStart);
  {
    Timer timer;
    wheel.Arm(timer, kStart + seconds(1));
  }

  EXPECT_FALSE(wheel.Advance(kStart + hours(1)));
}

TEST(TimerWheelTest, LetsTimersOutliveIt) {
  Timer timer;
  {
    TimerWheel wheel(kStart);
    wheel.Arm(timer, kStart + seconds(1));
  }

  EXPECT_EQ(timer.fired, 0);
}

TEST(TimerWheelTest, ReachesDeadlinesBeyondItsHorizon) {
  TimerWheel wheel(kStart);
  Timer year;
  const MonotonicTime deadline = kStart + hours(24 * 365);
  wheel.Arm(year, deadline);
  MonotonicTime now = kStart;

  SleepUntil(wheel, deadline - seconds(1), now);
  EXPECT_EQ(year.fired, 0);
  SleepUntil(wheel, deadline + TimerWheel::kTick, now);

  EXPECT_EQ(year.fired, 1);
}

TEST(TimerWheelTest, TakesTheLastDeadlineThereIs) {
  TimerWheel wheel(MonotonicTime{});
  Timer timer;

  wheel.Arm(timer, MonotonicTime::max() - nanoseconds(1));

  EXPECT_FALSE(wheel.Advance(MonotonicTime{} + hours(24 * 365)));
  EXPECT_EQ(timer.fired, 0);
}

TEST(TimerWheelTest, WrapsAroundEachLevel) {
  TimerWheel wheel(kStart);
  MonotonicTime now = kStart;
  for (const auto step : {milliseconds(1'020), milliseconds(262'140), milliseconds(67'108'860)}) {
    SleepUntil(wheel, now + step, now);
    Timer timer;
    wheel.Arm(timer, now + step);

    SleepUntil(wheel, now + step - milliseconds(4), now);
    EXPECT_EQ(timer.fired, 0);
    SleepUntil(wheel, now + milliseconds(8), now);
    EXPECT_EQ(timer.fired, 1);
  }
}

TEST(TimerWheelTest, LetsATimerArmItselfAgain) {
  TimerWheel wheel(kStart);
  Timer timer;
  MonotonicTime now = kStart;
  timer.then = [&] { wheel.Arm(timer, now + milliseconds(100)); };
  wheel.Arm(timer, kStart + milliseconds(100));

  SleepUntil(wheel, kStart + seconds(1), now);

  EXPECT_EQ(timer.fired, 10);
}

TEST(TimerWheelTest, LetsATimerDestroyAnotherOfTheSameMoment) {
  TimerWheel wheel(kStart);
  auto one = std::make_unique<Timer>();
  auto two = std::make_unique<Timer>();
  int fired = 0;
  one->then = [&] {
    ++fired;
    two.reset();
  };
  two->then = [&] {
    ++fired;
    one.reset();
  };
  wheel.Arm(*one, kStart + seconds(1));
  wheel.Arm(*two, kStart + seconds(1));

  wheel.Advance(kStart + seconds(1));

  EXPECT_EQ(fired, 1);
}

TEST(TimerWheelTest, KeepsAHundredThousandDeadlines) {
  constexpr std::size_t kTimers = 100'000;
  SeededRandom random(2);
  TimerWheel wheel(kStart);
  MonotonicTime now = kStart;
  std::vector<Timer> timers(kTimers);
  std::vector<MonotonicTime> deadlines(kTimers);
  std::size_t early = 0;
  std::size_t late = 0;
  for (std::size_t i = 0; i < kTimers; ++i) {
    deadlines[i] = kStart + milliseconds(random.Below(3'600'000));
    wheel.Arm(timers[i], deadlines[i]);
    timers[i].then = [&, i] {
      early += now < deadlines[i] ? 1 : 0;
      late += now - deadlines[i] > 2 * TimerWheel::kTick ? 1 : 0;
    };
  }
  for (std::size_t i = 0; i < kTimers; i += 2) {  // Half of them move.
    deadlines[i] = kStart + milliseconds(random.Below(3'600'000));
    wheel.Arm(timers[i], deadlines[i]);
  }

  SleepUntil(wheel, kStart + hours(1) + TimerWheel::kTick, now);

  EXPECT_EQ(std::ranges::count(timers, 1, &Timer::fired), static_cast<std::ptrdiff_t>(kTimers));
  EXPECT_EQ(early, 0U);
  EXPECT_EQ(late, 0U);
}

}  // namespace
}  // namespace elb::net
