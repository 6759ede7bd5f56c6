#include "daemon/memory_trimmer.h"

#include <gtest/gtest.h>

namespace elb::daemon {
namespace {

using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds{1000}};

TEST(MemoryTrimmerTest, IsDueWhenHalfOfACrowdHasLeft) {
  MemoryTrimmer trimmer;
  EXPECT_FALSE(trimmer.Due(10, kStart));
  EXPECT_FALSE(trimmer.Due(1000, kStart + seconds{1}));
  EXPECT_FALSE(trimmer.Due(600, kStart + seconds{2}));
  EXPECT_TRUE(trimmer.Due(500, kStart + seconds{3}));
}

TEST(MemoryTrimmerTest, IsDueOnceForOneCrowd) {
  MemoryTrimmer trimmer;
  EXPECT_FALSE(trimmer.Due(1000, kStart));
  EXPECT_TRUE(trimmer.Due(400, kStart + seconds{1}));
  EXPECT_FALSE(trimmer.Due(400, kStart + seconds{60}));
  EXPECT_TRUE(trimmer.Due(100, kStart + seconds{61}));
}

TEST(MemoryTrimmerTest, IsNotDueForAFew) {
  MemoryTrimmer trimmer;
  EXPECT_FALSE(trimmer.Due(60, kStart));
  EXPECT_FALSE(trimmer.Due(0, kStart + seconds{1}));
}

TEST(MemoryTrimmerTest, RemembersACrowdThatLeftTooSoon) {
  MemoryTrimmer trimmer;
  EXPECT_FALSE(trimmer.Due(1000, kStart));
  EXPECT_TRUE(trimmer.Due(0, kStart + seconds{1}));
  EXPECT_FALSE(trimmer.Due(1000, kStart + seconds{2}));
  EXPECT_FALSE(trimmer.Due(0, kStart + seconds{3}));
  EXPECT_TRUE(trimmer.Due(0, kStart + seconds{11}));
}

}  // namespace
}  // namespace elb::daemon
