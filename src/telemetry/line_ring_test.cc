#include "telemetry/line_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace elb::telemetry {
namespace {

TEST(LineRingTest, HandsLinesOverInOrder) {
  LineRing ring(64);
  std::string out;

  EXPECT_TRUE(ring.Offer("one\n"));
  EXPECT_TRUE(ring.Offer("two\n"));
  ring.Drain(out);

  EXPECT_EQ(out, "one\ntwo\n");
}

TEST(LineRingTest, RefusesWhatDoesNotFitAndKeepsTheRest) {
  LineRing ring(8);
  std::string out;

  EXPECT_TRUE(ring.Offer("123456\n"));
  EXPECT_FALSE(ring.Offer("ab\n"));
  ring.Drain(out);
  EXPECT_TRUE(ring.Offer("abcdef\n"));
  ring.Drain(out);

  EXPECT_EQ(out, "123456\nabcdef\n");
}

TEST(LineRingTest, LosesNothingBetweenTwoThreads) {
  LineRing ring(256);
  constexpr int kLines = 20000;
  std::string out;
  {
    const std::jthread writer([&ring] {
      for (int i = 0; i < kLines; ++i) {
        const std::string line = std::to_string(i) + "\n";
        while (!ring.Offer(line)) {
          std::this_thread::yield();
        }
      }
    });
    const std::string last = std::to_string(kLines - 1) + "\n";
    while (!out.ends_with(last)) {
      ring.Drain(out);
    }
  }

  std::string expected;
  for (int i = 0; i < kLines; ++i) {
    expected += std::to_string(i) + "\n";
  }
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace elb::telemetry
