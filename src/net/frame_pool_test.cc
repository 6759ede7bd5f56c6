#include "net/frame_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace elb::net {
namespace {

TEST(FramePoolTest, GivesAReleasedFrameToTheNextOfItsClass) {
  FramePool pool;
  void* first = pool.Allocate(200);
  pool.Release(first, 200);

  void* second = pool.Allocate(224);

  EXPECT_EQ(second, first);
  EXPECT_EQ(pool.kept(), 0U);
  pool.Release(second, 224);
}

TEST(FramePoolTest, KeepsClassesApart) {
  FramePool pool;
  void* small = pool.Allocate(128);
  pool.Release(small, 128);

  void* large = pool.Allocate(129);
  std::memset(large, 1, 129);

  EXPECT_EQ(pool.kept(), 1U) << "the small frame was given for a larger one";
  pool.Release(large, 129);
  EXPECT_EQ(pool.kept(), 2U);
}

TEST(FramePoolTest, KeepsNoMoreThanItsBoundPerClass) {
  FramePool pool;
  std::vector<void*> frames(1'000);
  for (void*& frame : frames) {
    frame = pool.Allocate(300);
  }

  for (void* frame : frames) {
    pool.Release(frame, 300);
  }

  EXPECT_EQ(pool.kept(), 256U);
}

TEST(FramePoolTest, KeepsNoLargeFrames) {
  FramePool pool;
  void* largest = pool.Allocate(4'096);
  void* large = pool.Allocate(4'097);

  pool.Release(large, 4'097);
  EXPECT_EQ(pool.kept(), 0U);
  pool.Release(largest, 4'096);

  EXPECT_EQ(pool.kept(), 1U);
}

TEST(FramePoolTest, CountsWhatTheThreadHolds) {
  const FrameUsage before = FramesInUse();

  void* frame = AllocateFrame(100);
  EXPECT_EQ(FramesInUse().frames, before.frames + 1);
  EXPECT_EQ(FramesInUse().bytes, before.bytes + 100);
  std::jthread([] { EXPECT_EQ(FramesInUse(), FrameUsage{}); }).join();
  ReleaseFrame(frame, 100);

  EXPECT_EQ(FramesInUse(), before);
}

}  // namespace
}  // namespace elb::net
