#include "server/byte_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace elb::server {
namespace {

TEST(ByteQueueTest, GivesBytesInOrder) {
  ByteQueue queue;
  queue.Append("abc");
  queue.Append("def");

  EXPECT_EQ(queue.Take(4), "abcd");
  EXPECT_EQ(queue.size(), 2);
  queue.Append("g");
  EXPECT_EQ(queue.Take(100), "efg");
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueueTest, KeepsTakenBytesUntilTheNextAppend) {
  ByteQueue queue;
  queue.Append("abc");

  const std::string_view taken = queue.Take(2);

  EXPECT_EQ(taken, "ab");
  EXPECT_EQ(queue.view(), "c");
}

TEST(ByteQueueTest, StaysSmallThoughItIsNeverEmpty) {
  ByteQueue queue;
  queue.Append(std::string(1000, 'a'));
  for (int i = 0; i < 10'000; ++i) {
    queue.Append(std::string(1000, 'b'));
    ASSERT_EQ(queue.Take(1000).size(), 1000);
  }

  EXPECT_EQ(queue.size(), 1000);
  EXPECT_LE(queue.capacity(), 6000);
}

TEST(ByteQueueTest, ForgetsEverything) {
  ByteQueue queue;
  queue.Append("abc");
  queue.Clear();

  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace elb::server
