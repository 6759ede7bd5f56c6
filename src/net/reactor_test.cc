#include "net/reactor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Node final : public ReadyNode {
 public:
  explicit Node(std::function<void()> work) : work_(std::move(work)) {}

 private:
  void OnReady() override { work_(); }
  std::function<void()> work_;
};

class Alarm final : public TimerNode {
 public:
  explicit Alarm(std::function<void()> work) : work_(std::move(work)) {}

 private:
  void OnTimer() override { work_(); }
  std::function<void()> work_;
};

TEST(ReactorTest, SaysWhenThereIsNothingToDo) {
  const ManualClock clock;
  Reactor reactor(clock);

  EXPECT_FALSE(reactor.RunTurn());
}

TEST(ReactorTest, KeepsItsTimeForATurn) {
  ManualClock clock;
  Reactor reactor(clock);
  const MonotonicTime before = reactor.now();

  clock.Advance(seconds(1));
  EXPECT_EQ(reactor.now(), before);
  reactor.RunTurn();

  EXPECT_EQ(reactor.now(), before + seconds(1));
  EXPECT_EQ(reactor.wall_now(), clock.WallNow());
}

TEST(ReactorTest, RunsNodesOnceInTheOrderInWhichTheyBecameReady) {
  const ManualClock clock;
  Reactor reactor(clock);
  std::string order;
  Node a([&] { order += 'a'; });
  Node b([&] { order += 'b'; });

  reactor.MakeReady(b);
  reactor.MakeReady(a);
  reactor.MakeReady(b);
  EXPECT_TRUE(reactor.RunTurn());

  EXPECT_EQ(order, "ba");
  EXPECT_FALSE(reactor.RunTurn());
}

TEST(ReactorTest, LeavesWhatBecomesReadyMeanwhileToTheNextTurn) {
  const ManualClock clock;
  Reactor reactor(clock);
  int runs = 0;
  Node greedy([&] {
    ++runs;
    reactor.MakeReady(greedy);
  });

  reactor.MakeReady(greedy);
  reactor.RunTurn();

  EXPECT_EQ(runs, 1);
}

TEST(ReactorTest, SkipsNodesDestroyedInTheSameTurn) {
  const ManualClock clock;
  Reactor reactor(clock);
  std::string order;
  auto second = std::make_unique<Node>([&] { order += '2'; });
  Node first([&] {
    order += '1';
    second.reset();
  });
  Node third([&] { order += '3'; });

  reactor.MakeReady(first);
  reactor.MakeReady(*second);
  reactor.MakeReady(third);
  reactor.RunTurn();

  EXPECT_EQ(order, "13");
}

TEST(ReactorTest, RunsPostedWorkThenTimersThenWhatIsReady) {
  ManualClock clock;
  Reactor reactor(clock);
  std::string order;
  Node ready([&] { order += 'r'; });
  Alarm timer([&] { order += 't'; });
  reactor.MakeReady(ready);
  reactor.timers().Arm(timer, reactor.now() + milliseconds(4));
  reactor.Post([&] { order += 'p'; });

  clock.Advance(milliseconds(4));
  reactor.RunTurn();

  EXPECT_EQ(order, "ptr");
}

TEST(ReactorTest, RunsWorkPostedByPostedWorkInALaterTurn) {
  const ManualClock clock;
  Reactor reactor(clock);
  std::string order;
  reactor.Post([&] {
    order += '1';
    reactor.Post([&] { order += '2'; });
  });

  reactor.RunTurn();
  EXPECT_EQ(order, "1");
  reactor.RunTurn();

  EXPECT_EQ(order, "12");
}

TEST(ReactorTest, DestroysPostedWorkThatNeverRuns) {
  const ManualClock clock;
  const auto held = std::make_shared<int>(1);
  bool ran = false;
  {
    Reactor reactor(clock);
    reactor.Post([held, &ran] { ran = true; });
    EXPECT_EQ(held.use_count(), 2);
  }

  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(ran);
}

TEST(ReactorTest, GivesScratchOfTheSizesPromised) {
  const ManualClock clock;
  Reactor reactor(clock);

  EXPECT_EQ(reactor.read_scratch().size(), 262'144U);
  EXPECT_EQ(reactor.head_scratch().size(), 163'840U);
}

/// What stays ready with every turn, as a stream does whose peer always sends.
Task<void> WorkForever(Signal* signal, std::size_t* steps) {
  while (!signal->cancelled()) {
    ++*steps;
    co_await signal->Yield();
  }
}

TEST(ReactorTest, GivesEachOfManyBusyOwnersItsShare) {
  const ManualClock clock;
  Reactor reactor(clock);
  std::vector<std::unique_ptr<Signal>> signals;
  std::vector<std::size_t> steps(100);
  TaskScope scope(reactor);
  for (std::size_t& count : steps) {
    signals.push_back(std::make_unique<Signal>(reactor));
    scope.Spawn(WorkForever(signals.back().get(), &count));
  }

  for (int i = 0; i < 9; ++i) {
    reactor.RunTurn();
  }

  EXPECT_EQ(steps, std::vector<std::size_t>(100, 10));
  scope.Clear();
}

}  // namespace
}  // namespace elb::net
