// What a sleeping coroutine may cost (style.md section 6). An idle connection is such coroutines.

#include <gtest/gtest.h>

#include "base/clock.h"
#include "net/frame_pool.h"
#include "net/reactor.h"
#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"

namespace elb::net {
namespace {

/// Tests are compiled without optimization, which does not shrink frames: these are upper bounds
/// of what a release build allocates.
constexpr std::size_t kSleeperBytesMax = 64;
constexpr std::size_t kSpawnBytesMax = 64;
constexpr std::size_t kPerAwaitBytesMax = 64;

Task<void> Sleep(Signal* signal) { static_cast<void>(co_await signal->Wait()); }

Task<void> AwaitSleep(Signal* signal) { co_await Sleep(signal); }

TEST(FrameSizeTest, ASleepingTaskFitsItsBudget) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal signal(reactor);
  const FrameUsage before = FramesInUse();

  Task<void> task = Sleep(&signal);
  task.Start();

  EXPECT_EQ(FramesInUse().frames - before.frames, 1U);
  EXPECT_LE(FramesInUse().bytes - before.bytes, kSleeperBytesMax);
}

TEST(FrameSizeTest, AnAwaitAddsOneFrameWithinItsBudget) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal signal(reactor);
  Task<void> inner = Sleep(&signal);
  const FrameUsage before = FramesInUse();

  const Task<void> outer = AwaitSleep(&signal);

  EXPECT_EQ(FramesInUse().frames - before.frames, 1U);
  EXPECT_LE(FramesInUse().bytes - before.bytes, kPerAwaitBytesMax);
}

TEST(FrameSizeTest, SpawningAddsOneFrameWithinItsBudget) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal signal(reactor);
  TaskScope scope(reactor);
  Task<void> task = Sleep(&signal);
  const FrameUsage before = FramesInUse();

  scope.Spawn(std::move(task));

  EXPECT_EQ(FramesInUse().frames - before.frames, 1U);
  EXPECT_LE(FramesInUse().bytes - before.bytes, kSpawnBytesMax);
}

TEST(FrameSizeTest, WaitsOfSignalsAllocateNothing) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal signal(reactor);
  Task<void> task = [](Signal* own) -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      co_await own->Yield();
      static_cast<void>(co_await own->Wait());
    }
  }(&signal);
  task.Start();
  const FrameUsage before = FramesInUse();

  signal.Notify();
  reactor.RunTurn();

  EXPECT_EQ(FramesInUse(), before);
}

TEST(FrameSizeTest, WhatEachConnectionHoldsBesidesFramesIsSmall) {
  static_assert(sizeof(Signal) <= 128);
  static_assert(sizeof(TaskScope) <= 48);
  static_assert(sizeof(Task<void>) == sizeof(void*));
}

}  // namespace
}  // namespace elb::net
