#include "net/task.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/frame_pool.h"
#include "net/reactor.h"
#include "net/signal.h"

namespace elb::net {
namespace {

/// Writes into a log when it dies.
class Mourned {
 public:
  Mourned(std::vector<std::string>& log, std::string name) : log_(&log), name_(std::move(name)) {}
  Mourned(const Mourned&) = delete;
  Mourned& operator=(const Mourned&) = delete;
  Mourned(Mourned&&) = delete;
  Mourned& operator=(Mourned&&) = delete;
  ~Mourned() { log_->push_back(name_); }

 private:
  std::vector<std::string>* log_;
  std::string name_;
};

Task<void> Log(std::vector<std::string>* log, std::string text) {
  log->push_back(std::move(text));
  co_return;
}

TEST(TaskTest, DoesNothingUntilItIsAwaited) {
  std::vector<std::string> log;

  Task<void> task = Log(&log, "ran");
  EXPECT_TRUE(log.empty());
  task.Start();

  EXPECT_EQ(log, std::vector<std::string>{"ran"});
  EXPECT_TRUE(task.done());
}

TEST(TaskTest, NeverRunsWhenItIsDestroyedFirst) {
  std::vector<std::string> log;

  {
    const Task<void> task = Log(&log, "ran");
  }

  EXPECT_TRUE(log.empty());
}

TEST(TaskTest, RunsChildrenInTheOrderOfTheirAwaits) {
  std::vector<std::string> log;

  const auto parent = [](std::vector<std::string>* lines) -> Task<void> {
    lines->push_back("before");
    co_await Log(lines, "first");
    co_await Log(lines, "second");
    lines->push_back("after");
  };
  Task<void> task = parent(&log);
  task.Start();

  EXPECT_EQ(log, (std::vector<std::string>{"before", "first", "second", "after"}));
}

Task<std::unique_ptr<int>> MakeNumber(int number) { co_return std::make_unique<int>(number); }

TEST(TaskTest, ReturnsMoveOnlyResults) {
  int seen = 0;

  Task<void> task = [](int* into) -> Task<void> {
    const std::unique_ptr<int> number = co_await MakeNumber(7);
    *into = *number;
  }(&seen);
  task.Start();

  EXPECT_EQ(seen, 7);
}

TEST(TaskTest, MovesWithItsFrame) {
  static_assert(!std::is_copy_constructible_v<Task<void>>);
  static_assert(!std::is_copy_assignable_v<Task<void>>);
  std::vector<std::string> log;
  Task<void> task = Log(&log, "moved");

  Task<void> other = std::move(task);
  Task<void> assigned = Log(&log, "replaced");
  assigned = std::move(other);
  assigned.Start();

  EXPECT_EQ(log, std::vector<std::string>{"moved"});
  EXPECT_TRUE(other.done());  // NOLINT(bugprone-use-after-move): what a moved task says.
}

TEST(TaskTest, IsDoneWhenItIsEmpty) { EXPECT_TRUE(Task<void>().done()); }

Task<std::uint32_t> One() { co_return 1; }

Task<void> AwaitOften(std::uint32_t times, std::uint32_t* sum) {
  for (std::uint32_t i = 0; i < times; ++i) {
    *sum += co_await One();
  }
}

TEST(TaskTest, AwaitsAHundredThousandTasksInALoopOnOneStack) {
  std::uint32_t sum = 0;

  Task<void> task = AwaitOften(100'000, &sum);
  task.Start();

  EXPECT_EQ(sum, 100'000U);
}

Task<std::uint32_t> Descend(std::uint32_t depth, Signal* bottom) {
  if (depth == 0) {
    if (bottom != nullptr) {
      static_cast<void>(co_await bottom->Wait());
    }
    co_return 0;
  }
  co_return 1 + co_await Descend(depth - 1, bottom);
}

Task<void> DescendInto(std::uint32_t depth, Signal* bottom, std::uint32_t* result) {
  *result = co_await Descend(depth, bottom);
}

TEST(TaskTest, AwaitsAHundredThousandDeepOnOneStack) {
  std::uint32_t result = 0;

  Task<void> task = DescendInto(100'000, nullptr, &result);
  task.Start();

  EXPECT_EQ(result, 100'000U);
}

TEST(TaskTest, ReturnsThroughAHundredThousandAwaitersOnOneStack) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal bottom(reactor);
  std::uint32_t result = 0;
  Task<void> task = DescendInto(100'000, &bottom, &result);
  task.Start();
  EXPECT_EQ(result, 0U);

  bottom.Notify();
  reactor.RunTurn();

  EXPECT_EQ(result, 100'000U);
}

Task<void> HoldInnermost(std::vector<std::string>* log, Signal* signal) {
  const Mourned held(*log, "inner");
  static_cast<void>(co_await signal->Wait());
  log->emplace_back("resumed");
}

Task<void> HoldOuter(std::vector<std::string>* log, Signal* signal) {
  const Mourned held(*log, "outer");
  co_await HoldInnermost(log, signal);
  log->emplace_back("resumed");
}

TEST(TaskTest, DestroysWhatItHoldsFromTheInsideWithoutResuming) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal signal(reactor);
  std::vector<std::string> log;
  {
    Task<void> task = HoldOuter(&log, &signal);
    task.Start();
    signal.Notify();
  }
  reactor.RunTurn();

  EXPECT_EQ(log, (std::vector<std::string>{"inner", "outer"}));
}

TEST(TaskTest, ReleasesEveryFrame) {
  const FrameUsage before = FramesInUse();
  std::uint32_t result = 0;
  {
    Task<void> task = DescendInto(10, nullptr, &result);
    task.Start();
    const Task<void> unused = DescendInto(10, nullptr, &result);
  }

  EXPECT_EQ(FramesInUse(), before);
}

}  // namespace
}  // namespace elb::net
