#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe() {
    CloseReader();
    close(ends_[1]);
  }
  [[nodiscard]] int reader() const { return ends_[0]; }
  void Write() const { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void CloseReader() {
    if (ends_[0] >= 0) {
      close(std::exchange(ends_[0], -1));
    }
  }

 private:
  std::array<int, 2> ends_{};
};

class Handler final : public DescriptorHandler {
 public:
  explicit Handler(std::function<void(std::uint32_t)> work) : work_(std::move(work)) {}
  void OnEvents(std::uint32_t events) override {
    ++calls;
    if (work_) {
      work_(events);
    }
  }
  int calls = 0;

 private:
  std::function<void(std::uint32_t)> work_;
};

/// Runs until a few turns have looked at descriptors.
void RunTurns(EpollReactor& reactor) {
  class Countdown final : public ReadyNode {
   public:
    explicit Countdown(EpollReactor& own) : reactor_(&own) { reactor_->MakeReady(*this); }

   private:
    void OnReady() override {
      if (--left_ == 0) {
        reactor_->Stop();
      } else {
        reactor_->MakeReady(*this);
      }
    }
    EpollReactor* reactor_;
    int left_ = 4;
  };
  const Countdown countdown(reactor);
  reactor.Run();
}

TEST(EpollReactorTest, EndsAtOnceWhenItWasStoppedBefore) {
  const SystemClock clock;
  EpollReactor reactor(clock);

  reactor.Stop();
  reactor.Run();
}

TEST(EpollReactorTest, RunsAgainAfterAStop) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  int runs = 0;
  for (int i = 0; i < 2; ++i) {
    reactor.Post([&] {
      ++runs;
      reactor.Stop();
    });
    reactor.Run();
  }

  EXPECT_EQ(runs, 2);
}

TEST(EpollReactorTest, TellsAnEdgeOnce) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  const Pipe pipe;
  std::uint32_t seen = 0;
  Handler handler([&](std::uint32_t events) { seen |= events; });
  ASSERT_TRUE(reactor.Add(pipe.reader(), handler));

  pipe.Write();
  RunTurns(reactor);
  EXPECT_EQ(handler.calls, 1);
  EXPECT_EQ(seen, static_cast<std::uint32_t>(EPOLLIN));
  pipe.Write();
  RunTurns(reactor);

  EXPECT_EQ(handler.calls, 2);
  reactor.Remove(pipe.reader(), handler);
}

TEST(EpollReactorTest, TellsListenersAsLongAsTheyAreReadable) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  const Pipe pipe;
  Handler handler(nullptr);
  ASSERT_TRUE(reactor.AddListening(pipe.reader(), handler));

  pipe.Write();
  RunTurns(reactor);

  EXPECT_GT(handler.calls, 1);
  reactor.Remove(pipe.reader(), handler);
}

TEST(EpollReactorTest, RefusesADescriptorTwice) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  const Pipe pipe;
  Handler handler(nullptr);
  ASSERT_TRUE(reactor.Add(pipe.reader(), handler));

  EXPECT_FALSE(reactor.Add(pipe.reader(), handler));
  EXPECT_EQ(errno, EEXIST);
  reactor.Remove(pipe.reader(), handler);
}

TEST(EpollReactorTest, DeliversNothingToHandlersRemovedInTheSameBatch) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  std::array<Pipe, 2> pipes;
  std::array<std::unique_ptr<Handler>, 2> handlers;
  int calls = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    handlers[i] = std::make_unique<Handler>([&, i](std::uint32_t /*events*/) {
      ++calls;  // Whoever comes first takes the other away, descriptor and all.
      reactor.Remove(pipes[1 - i].reader(), *handlers[1 - i]);
      pipes[1 - i].CloseReader();
      handlers[1 - i].reset();
    });
    ASSERT_TRUE(reactor.Add(pipes[i].reader(), *handlers[i]));
  }

  pipes[0].Write();
  pipes[1].Write();
  RunTurns(reactor);

  EXPECT_EQ(calls, 1);
  const std::size_t left = handlers[0] != nullptr ? 0 : 1;
  reactor.Remove(pipes[left].reader(), *handlers[left]);
}

TEST(EpollReactorTest, TellsTheNewOwnerOfADescriptorNumberNothingOld) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  std::array<Pipe, 2> pipes;
  auto reused = std::make_unique<Handler>(nullptr);
  Handler fresh(nullptr);
  int taken = -1;
  std::array<std::unique_ptr<Handler>, 2> handlers;
  for (std::size_t i = 0; i < 2; ++i) {
    handlers[i] = std::make_unique<Handler>([&, i](std::uint32_t /*events*/) {
      reactor.Remove(pipes[1 - i].reader(), *handlers[1 - i]);
      pipes[1 - i].CloseReader();
      taken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);  // Gets the number just given back.
      ASSERT_TRUE(reactor.Add(taken, fresh));
    });
    ASSERT_TRUE(reactor.Add(pipes[i].reader(), *handlers[i]));
  }

  pipes[0].Write();
  pipes[1].Write();
  RunTurns(reactor);

  EXPECT_EQ(handlers[0]->calls + handlers[1]->calls, 1);
  EXPECT_EQ(fresh.calls, 1) << "its own first edge, writable, and nothing else";
  const std::size_t left = pipes[0].reader() >= 0 ? 0 : 1;
  reactor.Remove(pipes[left].reader(), *handlers[left]);
  reactor.Remove(taken, fresh);
  close(taken);
}

TEST(EpollReactorTest, SleepsUntilTheNextTimer) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  Signal signal(reactor);
  const MonotonicTime deadline = reactor.now() + milliseconds(20);
  signal.SetDeadline(deadline);
  MonotonicTime woken;
  TaskScope scope(reactor);

  scope.Spawn([](Signal* wait, EpollReactor* own, MonotonicTime* at) -> Task<void> {
    EXPECT_EQ(co_await wait->Wait(), Wake::kDeadline);
    *at = own->now();
    own->Stop();
  }(&signal, &reactor, &woken));
  reactor.Run();

  EXPECT_GE(woken, deadline);
}

TEST(EpollReactorTest, RunsEverythingThatOtherThreadsPost) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5'000;
  const SystemClock clock;
  EpollReactor reactor(clock);
  int ran = 0;
  const auto loop_thread = std::this_thread::get_id();
  std::vector<std::jthread> threads;

  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kPosts; ++j) {
        reactor.Post([&] {
          EXPECT_EQ(std::this_thread::get_id(), loop_thread);
          if (++ran == kThreads * kPosts) {
            reactor.Stop();
          }
        });
      }
    });
  }
  reactor.Run();

  EXPECT_EQ(ran, 20'000);
}

TEST(EpollReactorTest, KeepsTheOrderOfOneThreadsPosts) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  std::vector<int> order;

  std::jthread poster([&] {
    for (int i = 0; i < 1'000; ++i) {
      reactor.Post([&order, i] { order.push_back(i); });
    }
    reactor.Post([&] { reactor.Stop(); });
  });
  reactor.Run();

  ASSERT_EQ(order.size(), 1'000U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(EpollReactorTest, LosesNoWakeUpBetweenTwoReactorsThatAnswerEachOther) {
  constexpr int kRounds = 5'000;
  const SystemClock clock;
  EpollReactor here(clock);
  EpollReactor there(clock);
  std::jthread thread([&] { there.Run(); });
  int rounds = 0;
  std::function<void()> serve = [&] {
    there.Post([&] {
      here.Post([&] {
        if (++rounds == kRounds) {
          there.Stop();
          here.Stop();
        } else {
          serve();
        }
      });
    });
  };

  serve();
  here.Run();

  EXPECT_EQ(rounds, 5'000);
}

TEST(EpollReactorTest, IsWokenByAStopFromAnotherThread) {
  const SystemClock clock;
  EpollReactor reactor(clock);
  std::atomic<bool> running = false;
  reactor.Post([&] { running = true; });

  std::jthread stopper([&] {
    running.wait(false);
    reactor.Stop();
  });
  reactor.Post([&] { running.notify_all(); });
  reactor.Run();
}

}  // namespace
}  // namespace elb::net
