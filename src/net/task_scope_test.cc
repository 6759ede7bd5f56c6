#include "net/task_scope.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/frame_pool.h"
#include "net/signal.h"

namespace elb::net {
namespace {

using std::chrono::seconds;

class TaskScopeTest : public ::testing::Test {
 protected:
  /// Ends when `signal` has news; says how.
  static Task<void> WaitOn(Signal* signal, std::vector<Wake>* ends) {
    ends->push_back(co_await signal->Wait());
  }
  static Task<void> CloseInto(TaskScope* scope, Signal* waiter, std::optional<bool>* result) {
    *result = co_await scope->Close(*waiter);
  }
  void RunTurns() {
    while (reactor_.RunTurn()) {
    }
  }

  ManualClock clock_;
  Reactor reactor_{clock_};
  std::vector<Wake> ends_;
  Signal one_{reactor_};
  Signal two_{reactor_};
  Signal waiter_{reactor_};
};

TEST_F(TaskScopeTest, RunsATaskToItsFirstSuspensionAtOnce) {
  TaskScope scope(reactor_);
  one_.Notify();

  scope.Spawn(WaitOn(&one_, &ends_));
  scope.Spawn(WaitOn(&two_, &ends_));

  EXPECT_EQ(ends_, std::vector<Wake>{Wake::kNotified});
  EXPECT_EQ(scope.size(), 1U);
}

TEST_F(TaskScopeTest, DestroysTheFrameOfAnEndedTaskInALaterTurn) {
  TaskScope scope(reactor_);
  const FrameUsage before = FramesInUse();
  one_.Notify();

  scope.Spawn(WaitOn(&one_, &ends_));
  EXPECT_GT(FramesInUse().frames, before.frames);
  RunTurns();

  EXPECT_EQ(FramesInUse(), before);
}

TEST_F(TaskScopeTest, DestroysEndedTasksThatNoTurnReached) {
  const FrameUsage before = FramesInUse();
  {
    TaskScope scope(reactor_);
    one_.Notify();
    scope.Spawn(WaitOn(&one_, &ends_));
  }
  RunTurns();

  EXPECT_EQ(FramesInUse(), before);
}

TEST_F(TaskScopeTest, DestroysWhatIsSuspendedWithoutResumingIt) {
  const FrameUsage before = FramesInUse();
  {
    TaskScope scope(reactor_);
    scope.Spawn(WaitOn(&one_, &ends_), &one_);
    scope.Spawn(WaitOn(&two_, &ends_));
    two_.Notify();
  }
  RunTurns();

  EXPECT_TRUE(ends_.empty());
  EXPECT_EQ(FramesInUse(), before);
  EXPECT_FALSE(one_.cancelled());
}

TEST_F(TaskScopeTest, MayBeUsedAgainAfterClear) {
  TaskScope scope(reactor_);
  scope.Spawn(WaitOn(&one_, &ends_));

  scope.Clear();
  scope.Spawn(WaitOn(&one_, &ends_));
  one_.Notify();
  RunTurns();

  EXPECT_EQ(ends_, std::vector<Wake>{Wake::kNotified});
  EXPECT_EQ(scope.size(), 0U);
}

TEST_F(TaskScopeTest, TellsItsObserverOfEachEnd) {
  TaskScope scope(reactor_);
  scope.set_observer(&waiter_);
  scope.Spawn(WaitOn(&one_, &ends_));
  EXPECT_FALSE(waiter_.Wait().await_ready());

  one_.Notify();
  RunTurns();

  EXPECT_TRUE(waiter_.Wait().await_ready());
}

TEST_F(TaskScopeTest, CloseCancelsEveryTaskAndWaitsForThem) {
  TaskScope scope(reactor_);
  TaskScope closing(reactor_);
  std::optional<bool> closed;
  scope.Spawn(WaitOn(&one_, &ends_), &one_);
  scope.Spawn(WaitOn(&two_, &ends_), &two_);

  closing.Spawn(CloseInto(&scope, &waiter_, &closed));
  EXPECT_EQ(closed, std::nullopt);
  EXPECT_EQ(scope.size(), 2U) << "resumed inside Close";
  RunTurns();

  EXPECT_EQ(closed, true);
  EXPECT_EQ(ends_, (std::vector<Wake>{Wake::kCancelled, Wake::kCancelled}));
  EXPECT_EQ(scope.size(), 0U);
}

TEST_F(TaskScopeTest, CloseOfAnEmptyScopeIsDoneAtOnce) {
  TaskScope scope(reactor_);
  TaskScope closing(reactor_);
  std::optional<bool> closed;

  closing.Spawn(CloseInto(&scope, &waiter_, &closed));

  EXPECT_EQ(closed, true);
}

TEST_F(TaskScopeTest, CloseCancelsWhatIsSpawnedMeanwhile) {
  TaskScope scope(reactor_);
  TaskScope closing(reactor_);
  std::optional<bool> closed;
  scope.Spawn(WaitOn(&one_, &ends_));
  closing.Spawn(CloseInto(&scope, &waiter_, &closed));

  scope.Spawn(WaitOn(&two_, &ends_), &two_);
  EXPECT_EQ(ends_, std::vector<Wake>{Wake::kCancelled});
  RunTurns();
  EXPECT_EQ(closed, std::nullopt) << "did not wait for a task without a signal";
  one_.Notify();
  RunTurns();

  EXPECT_EQ(closed, true);
}

TEST_F(TaskScopeTest, CloseGivesUpAtTheDeadlineOfItsWaiter) {
  TaskScope scope(reactor_);
  TaskScope closing(reactor_);
  std::optional<bool> closed;
  scope.Spawn(WaitOn(&one_, &ends_));
  waiter_.SetDeadline(reactor_.now() + seconds(5));

  closing.Spawn(CloseInto(&scope, &waiter_, &closed));
  clock_.Advance(seconds(4));
  RunTurns();
  EXPECT_EQ(closed, std::nullopt);
  clock_.Advance(seconds(1));
  RunTurns();

  EXPECT_EQ(closed, false);
  EXPECT_EQ(scope.size(), 1U);
}

TEST_F(TaskScopeTest, GivesTheObserverBackWhenCloseIsDestroyed) {
  TaskScope scope(reactor_);
  scope.set_observer(&two_);
  scope.Spawn(WaitOn(&one_, &ends_));
  {
    Signal waiter(reactor_);
    std::optional<bool> closed;
    TaskScope closing(reactor_);
    closing.Spawn(CloseInto(&scope, &waiter, &closed));
  }

  one_.Notify();
  RunTurns();

  EXPECT_TRUE(two_.Wait().await_ready());
}

/// Spawns another task into the scope when it is destroyed.
class SpawnsWhenDestroyed {
 public:
  SpawnsWhenDestroyed(TaskScope& scope, Signal& signal, std::vector<Wake>& ends)
      : scope_(&scope), signal_(&signal), ends_(&ends) {}
  SpawnsWhenDestroyed(const SpawnsWhenDestroyed&) = delete;
  SpawnsWhenDestroyed& operator=(const SpawnsWhenDestroyed&) = delete;
  SpawnsWhenDestroyed(SpawnsWhenDestroyed&&) = delete;
  SpawnsWhenDestroyed& operator=(SpawnsWhenDestroyed&&) = delete;
  ~SpawnsWhenDestroyed() {
    scope_->Spawn([](Signal* signal, std::vector<Wake>* ends) -> Task<void> {
      ends->push_back(co_await signal->Wait());
    }(signal_, ends_));
  }

 private:
  TaskScope* scope_;
  Signal* signal_;
  std::vector<Wake>* ends_;
};

TEST_F(TaskScopeTest, ClearsWhatTheClearingSpawned) {
  const FrameUsage before = FramesInUse();
  TaskScope scope(reactor_);
  scope.Spawn(
      [](TaskScope* own, Signal* signal, Signal* other, std::vector<Wake>* ends) -> Task<void> {
        const SpawnsWhenDestroyed last(*own, *other, *ends);
        ends->push_back(co_await signal->Wait());
      }(&scope, &one_, &two_, &ends_));

  scope.Clear();

  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(FramesInUse(), before);
}

}  // namespace
}  // namespace elb::net
