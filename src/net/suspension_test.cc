// Every suspension point ends by deadline, by cancel and by destruction, on both networks.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "net/signal.h"
#include "net/task.h"
#include "net/task_scope.h"
#include "net/testing/collect.h"
#include "net/testing/network_rig.h"

namespace elb::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::NetworkKind;

enum class Point : std::uint8_t { kConnect, kAccept, kRead, kDrain, kWait, kSleep, kLinger };

std::string NameOf(Point point) {
  switch (point) {
    case Point::kConnect:
      return "Connect";
    case Point::kAccept:
      return "Accept";
    case Point::kRead:
      return "Read";
    case Point::kDrain:
      return "Drain";
    case Point::kWait:
      return "Wait";
    case Point::kSleep:
      return "Sleep";
    case Point::kLinger:
      return "Linger";
  }
  return "";
}

/// What the coroutine under test works on.
struct Scene {
  testing::NetworkRig* rig;
  std::unique_ptr<testing::StreamPair> pair;
  std::unique_ptr<Stream> connecting;
  std::string received;

  /// One more try of what the coroutine waits for. True: it is there.
  bool Try(Point point) {
    switch (point) {
      case Point::kConnect:
        return connecting->TryEstablish().value_or(true);
      case Point::kAccept:
        return !pair->accepted.streams.empty();
      case Point::kRead:
      case Point::kLinger:
        return testing::ReadOnto(received, *pair->client).kind != ReadResult::Kind::kWouldBlock;
      case Point::kDrain:
        return pair->client->pending() == 0;
      case Point::kWait:
      case Point::kSleep:
        return false;
    }
    return true;
  }
};

/// Waits at `point` until it is there or the signal says otherwise; `result` is set at the end.
Task<void> SuspendAt(Point point, Scene* scene, Signal* signal, std::optional<Wake>* result) {
  if (point == Point::kConnect) {
    scene->connecting->SetSignal(signal);
  } else if (point == Point::kAccept) {
    scene->pair->accepted.signal = signal;
  } else {
    scene->pair->client->SetSignal(signal);
  }
  if (point == Point::kDrain) {
    while (scene->pair->client->pending() == 0) {
      EXPECT_TRUE(scene->pair->client->Write(std::string(1'000'000, 'd')));
    }
  }
  if (point == Point::kLinger) {
    scene->pair->client->CloseWrite();
  }
  while (!scene->Try(point)) {
    const Wake wake = co_await signal->Wait();
    if (wake != Wake::kNotified) {
      *result = wake;
      co_return;
    }
  }
  *result = Wake::kNotified;
}

class SuspensionTest : public ::testing::TestWithParam<std::tuple<NetworkKind, Point>> {
 protected:
  void SetUp() override {
    scene_.rig = rig_.get();
    scene_.pair = testing::Connected(*rig_);
    ASSERT_NE(scene_.pair, nullptr);
    if (point() == Point::kConnect) {
      auto stream = rig_->network().Connect(rig_->blackhole());
      ASSERT_TRUE(stream.has_value());
      scene_.connecting = *std::move(stream);
    }
  }
  void TearDown() override {
    if (scene_.pair != nullptr) {
      scene_.pair->client->SetSignal(nullptr);
    }
    if (scene_.connecting != nullptr) {
      scene_.connecting->SetSignal(nullptr);
    }
  }

  [[nodiscard]] static Point point() { return std::get<1>(GetParam()); }
  void Suspend() {
    result_.reset();
    scope_.Spawn(SuspendAt(point(), &scene_, &signal_, &result_));
    rig_->RunFor(milliseconds(100));
  }
  /// Something happens at every point at once.
  void MakeNews() {
    signal_.Notify();
    auto another = rig_->network().Connect(scene_.pair->acceptor->local());
    EXPECT_TRUE(another.has_value());
    EXPECT_TRUE(scene_.pair->server->Write("news"));
    scene_.pair->server->Abort();
    rig_->RunFor(milliseconds(100));
  }

  std::unique_ptr<testing::NetworkRig> rig_ = testing::NewRig(std::get<0>(GetParam()));
  Scene scene_{};
  std::optional<Wake> result_;
  Signal signal_{rig_->reactor()};
  TaskScope scope_{rig_->reactor()};
};

TEST_P(SuspensionTest, EndsAtItsDeadlineAndNotBefore) {
  signal_.SetDeadline(rig_->reactor().now() + seconds(10));

  Suspend();
  rig_->RunFor(seconds(9));

  EXPECT_EQ(result_, std::nullopt);
  rig_->RunFor(seconds(1));
  EXPECT_EQ(result_, Wake::kDeadline);
  EXPECT_EQ(scope_.size(), 0U);
}

TEST_P(SuspensionTest, FollowsADeadlineThatMoves) {
  signal_.SetDeadline(rig_->reactor().now() + seconds(1));
  Suspend();

  signal_.SetDeadline(rig_->reactor().now() + seconds(60));
  rig_->RunFor(seconds(59));
  const std::optional<Wake> before = result_;
  signal_.SetDeadline(rig_->reactor().now());
  rig_->RunFor(milliseconds(8));

  EXPECT_EQ(before, std::nullopt);
  EXPECT_EQ(result_, Wake::kDeadline);
}

TEST_P(SuspensionTest, EndsWhenItIsCancelled) {
  signal_.SetDeadline(rig_->reactor().now() + seconds(10));
  Suspend();

  signal_.Cancel();
  const std::optional<Wake> inside = result_;
  rig_->RunFor(milliseconds(1));

  EXPECT_EQ(inside, std::nullopt) << "resumed inside Cancel";
  EXPECT_EQ(result_, Wake::kCancelled);
}

TEST_P(SuspensionTest, StaysCancelled) {
  Suspend();
  signal_.Cancel();
  rig_->RunFor(milliseconds(1));

  scope_.Spawn(SuspendAt(point(), &scene_, &signal_, &(result_ = std::nullopt)));

  EXPECT_EQ(result_, Wake::kCancelled) << "suspended again";
}

TEST_P(SuspensionTest, LeavesNothingBehindWhenItsFrameIsDestroyed) {
  signal_.SetDeadline(rig_->reactor().now() + milliseconds(150));
  Suspend();

  scope_.Clear();
  MakeNews();

  EXPECT_EQ(result_, std::nullopt);
  EXPECT_EQ(scope_.size(), 0U);
}

TEST_P(SuspensionTest, IsNotResumedWhenItsFrameIsDestroyedWhileReady) {
  Suspend();

  signal_.Cancel();
  scope_.Clear();
  rig_->RunFor(milliseconds(100));

  EXPECT_EQ(result_, std::nullopt);
}

TEST_P(SuspensionTest, OutlivesItsSignal) {
  auto signal = std::make_unique<Signal>(rig_->reactor());
  signal->SetDeadline(rig_->reactor().now() + milliseconds(150));
  scope_.Spawn(SuspendAt(point(), &scene_, signal.get(), &result_));
  rig_->RunFor(milliseconds(100));

  scene_.pair->client->SetSignal(nullptr);
  scene_.pair->accepted.signal = nullptr;
  if (scene_.connecting != nullptr) {
    scene_.connecting->SetSignal(nullptr);
  }
  signal.reset();
  MakeNews();
  scope_.Clear();

  EXPECT_EQ(result_, std::nullopt);
}

TEST_P(SuspensionTest, EndsWhenItsScopeCloses) {
  scope_.Spawn(SuspendAt(point(), &scene_, &signal_, &result_), &signal_);
  rig_->RunFor(milliseconds(100));
  Signal waiter(rig_->reactor());
  std::optional<bool> closed;
  TaskScope closing(rig_->reactor());

  closing.Spawn([](TaskScope* scope, Signal* wait, std::optional<bool>* done) -> Task<void> {
    *done = co_await scope->Close(*wait);
  }(&scope_, &waiter, &closed));
  const std::optional<bool> inside = closed;
  rig_->RunFor(milliseconds(1));

  EXPECT_EQ(inside, std::nullopt);
  EXPECT_EQ(closed, true);
  EXPECT_EQ(result_, Wake::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, SuspensionTest,
    ::testing::Combine(::testing::Values(NetworkKind::kKernel, NetworkKind::kSimulated),
                       ::testing::Values(Point::kConnect, Point::kAccept, Point::kRead,
                                         Point::kDrain, Point::kWait, Point::kSleep,
                                         Point::kLinger)),
    [](const auto& test) {
      const bool kernel = std::get<0>(test.param) == NetworkKind::kKernel;
      return NameOf(std::get<1>(test.param)) + (kernel ? "OverTheKernel" : "Simulated");
    });

}  // namespace
}  // namespace elb::net
