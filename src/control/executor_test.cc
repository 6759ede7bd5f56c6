#include "control/executor.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace elb::control {
namespace {

TEST(ExecutorTest, RunsWorkInOrderOnOneThread) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  Executor executor;

  for (int i = 0; i < 3; ++i) {
    executor.Run([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    });
  }
  executor.RunAndWait([] {});

  EXPECT_EQ(order, (std::vector{0, 1, 2}));
  EXPECT_EQ(threads, (std::vector(3, threads.front())));
  EXPECT_NE(threads.front(), std::this_thread::get_id());
}

TEST(ExecutorTest, FinishesWhatWasHandedOverBeforeItEnds) {
  int done = 0;
  {
    Executor executor;
    for (int i = 0; i < 100; ++i) {
      executor.Run([&] { ++done; });
    }
  }

  EXPECT_EQ(done, 100);
}

TEST(ExecutorTest, TakesWorkFromItsOwnWork) {
  bool inner = false;
  {
    Executor executor;
    executor.RunAndWait([&] { executor.Run([&] { inner = true; }); });
  }

  EXPECT_TRUE(inner);
}

}  // namespace
}  // namespace elb::control
