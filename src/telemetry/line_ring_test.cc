#include "telemetry/line_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace elb::telemetry {
namespace {

void Drain(LineRing& ring, std::string& out) {
  const LineRing::Lines lines = ring.Peek();
  out.append(lines.first).append(lines.second);
  ring.Release(lines.first.size() + lines.second.size());
}

TEST(LineRingTest, GivesBackOnlyWhatIsReleased) {
  LineRing ring(8);

  EXPECT_TRUE(ring.Offer("abc\n"));
  EXPECT_TRUE(ring.Offer("def\n"));
  ring.Release(4);

  EXPECT_EQ(ring.Peek().first, "def\n");
  EXPECT_TRUE(ring.Offer("ghi\n"));
  EXPECT_EQ(ring.Peek().second, "ghi\n");
  EXPECT_FALSE(ring.Offer("j\n"));
}

TEST(LineRingTest, HandsLinesOverInOrder) {
  LineRing ring(64);
  std::string out;

  EXPECT_TRUE(ring.Offer("one\n"));
  EXPECT_TRUE(ring.Offer("two\n"));
  Drain(ring, out);

  EXPECT_EQ(out, "one\ntwo\n");
}

TEST(LineRingTest, RefusesWhatDoesNotFitAndKeepsTheRest) {
  LineRing ring(8);
  std::string out;

  EXPECT_TRUE(ring.Offer("123456\n"));
  EXPECT_FALSE(ring.Offer("ab\n"));
  Drain(ring, out);
  EXPECT_TRUE(ring.Offer("abcdef\n"));
  Drain(ring, out);

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
      Drain(ring, out);
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
