#include "net/signal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/task.h"
#include "net/task_scope.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SignalTest : public ::testing::Test {
 protected:
  static Task<void> WaitTimes(int times, Signal* signal, std::vector<Wake>* wakes) {
    for (int i = 0; i < times; ++i) {
      wakes->push_back(co_await signal->Wait());
    }
  }
  void RunTurns() {
    while (reactor_.RunTurn()) {
    }
  }

  ManualClock clock_;
  Reactor reactor_{clock_};
  Signal signal_{reactor_};
  std::vector<Wake> wakes_;
  TaskScope scope_{reactor_};
};

TEST_F(SignalTest, ResumesInALaterTurnAndNeverInline) {
  scope_.Spawn(WaitTimes(1, &signal_, &wakes_));

  signal_.Notify();
  EXPECT_TRUE(wakes_.empty());
  RunTurns();

  EXPECT_EQ(wakes_, std::vector<Wake>{Wake::kNotified});
}

TEST_F(SignalTest, RemembersOneNoticeForWhoeverWaitsNext) {
  signal_.Notify();
  signal_.Notify();

  scope_.Spawn(WaitTimes(2, &signal_, &wakes_));

  EXPECT_EQ(wakes_, std::vector<Wake>{Wake::kNotified});
}

TEST_F(SignalTest, WakesOnceForManyNotices) {
  scope_.Spawn(WaitTimes(2, &signal_, &wakes_));

  signal_.Notify();
  signal_.Notify();
  RunTurns();

  EXPECT_EQ(wakes_, std::vector<Wake>{Wake::kNotified});
}

TEST_F(SignalTest, PrefersCancelThenNewsThenDeadline) {
  signal_.SetDeadline(reactor_.now() + seconds(1));
  scope_.Spawn(WaitTimes(3, &signal_, &wakes_));
  clock_.Advance(seconds(2));

  signal_.Notify();
  RunTurns();
  EXPECT_EQ(wakes_, (std::vector<Wake>{Wake::kNotified, Wake::kDeadline, Wake::kDeadline}));

  wakes_.clear();
  signal_.Notify();
  signal_.Cancel();
  scope_.Spawn(WaitTimes(2, &signal_, &wakes_));
  EXPECT_EQ(wakes_, (std::vector<Wake>{Wake::kCancelled, Wake::kCancelled}));
  EXPECT_TRUE(signal_.cancelled());
}

TEST_F(SignalTest, SaysDeadlineAgainUntilItIsCleared) {
  signal_.SetDeadline(reactor_.now());
  scope_.Spawn(WaitTimes(2, &signal_, &wakes_));
  EXPECT_EQ(wakes_.size(), 2U);

  signal_.ClearDeadline();
  scope_.Spawn(WaitTimes(1, &signal_, &wakes_));
  clock_.Advance(seconds(10));
  RunTurns();

  EXPECT_EQ(wakes_, (std::vector<Wake>{Wake::kDeadline, Wake::kDeadline}));
}

TEST_F(SignalTest, IsLateByAtMostOneTick) {
  signal_.SetDeadline(reactor_.now() + milliseconds(10));
  scope_.Spawn(WaitTimes(1, &signal_, &wakes_));

  clock_.Advance(milliseconds(9));
  RunTurns();
  EXPECT_TRUE(wakes_.empty());
  clock_.Advance(milliseconds(5));
  RunTurns();

  EXPECT_EQ(wakes_, std::vector<Wake>{Wake::kDeadline});
}

TEST_F(SignalTest, YieldLetsOthersRunFirst) {
  std::string order;
  Signal other(reactor_);
  scope_.Spawn([](Signal* signal, std::string* log) -> Task<void> {
    *log += 'a';
    co_await signal->Yield();
    *log += 'c';
  }(&signal_, &order));
  scope_.Spawn([](Signal* signal, std::string* log) -> Task<void> {
    static_cast<void>(co_await signal->Wait());
    *log += 'b';
  }(&other, &order));
  other.Notify();

  RunTurns();

  EXPECT_EQ(order, "acb") << "in the order in which they became ready";
}

TEST_F(SignalTest, YieldKeepsNewsThatCameMeanwhile) {
  scope_.Spawn([](Signal* signal, std::vector<Wake>* wakes) -> Task<void> {
    co_await signal->Yield();
    wakes->push_back(co_await signal->Wait());
  }(&signal_, &wakes_));

  signal_.Notify();
  RunTurns();

  EXPECT_EQ(wakes_, std::vector<Wake>{Wake::kNotified});
}

TEST_F(SignalTest, YieldersTakeTurns) {
  std::string order;
  Signal other(reactor_);
  const auto work = [](Signal* signal, std::string* log, char name) -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      *log += name;
      co_await signal->Yield();
    }
  };
  scope_.Spawn(work(&signal_, &order, 'a'));
  scope_.Spawn(work(&other, &order, 'b'));

  RunTurns();

  EXPECT_EQ(order, "ababab");
}

TEST_F(SignalTest, IsFreeForAnotherOwnerWhenAFrameWasDestroyed) {
  scope_.Spawn(WaitTimes(1, &signal_, &wakes_));
  signal_.Notify();
  scope_.Clear();

  scope_.Spawn(WaitTimes(2, &signal_, &wakes_));
  EXPECT_EQ(wakes_, std::vector<Wake>{Wake::kNotified}) << "the notice is still there";
  signal_.Cancel();
  RunTurns();

  EXPECT_EQ(wakes_, (std::vector<Wake>{Wake::kNotified, Wake::kCancelled}));
}

TEST_F(SignalTest, MayOutliveItsReactor) {
  auto reactor = std::make_unique<Reactor>(clock_);
  Signal signal(*reactor);
  signal.SetDeadline(reactor->now() + seconds(1));
  Task<void> task = WaitTimes(1, &signal, &wakes_);
  task.Start();
  signal.Notify();

  reactor.reset();

  EXPECT_TRUE(wakes_.empty());
}

}  // namespace
}  // namespace elb::net
