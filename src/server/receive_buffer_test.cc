#include "server/receive_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace elb::server {
namespace {

void Receive(ReceiveBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    const std::span<std::byte> space = buffer.Space();
    const std::size_t count = std::min(space.size(), text.size());
    std::memcpy(space.data(), text.data(), count);
    buffer.Commit(count);
    text.remove_prefix(count);
  }
}

TEST(ReceiveBufferTest, IsEmptyAtFirst) {
  const ReceiveBuffer buffer;

  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.view(), "");
}

TEST(ReceiveBufferTest, KeepsWhatWasReceivedInOrder) {
  ReceiveBuffer buffer;

  Receive(buffer, "abc");
  Receive(buffer, "def");
  buffer.Consume(2);

  EXPECT_EQ(buffer.view(), "cdef");
  EXPECT_EQ(buffer.size(), 4);
}

TEST(ReceiveBufferTest, GrowsWithItsContent) {
  ReceiveBuffer buffer;
  const std::string text = std::string(ReceiveBuffer::kBlockBytes, 'a') + std::string(20'000, 'b');

  Receive(buffer, text);

  EXPECT_EQ(buffer.view(), text);
}

TEST(ReceiveBufferTest, AppendsMoreThanFits) {
  ReceiveBuffer buffer;
  Receive(buffer, "abc");
  buffer.Consume(1);

  buffer.Append(std::string(300'000, 'x'));

  EXPECT_EQ(buffer.view(), "bc" + std::string(300'000, 'x'));
}

TEST(ReceiveBufferTest, AppendsNothingWithoutTakingMemory) {
  ReceiveBuffer buffer;

  buffer.Append({});

  EXPECT_EQ(buffer.view().data(), nullptr);
}

TEST(ReceiveBufferTest, KeepsItsBlockWhileSomethingIsLeft) {
  ReceiveBuffer buffer;
  Receive(buffer, "abcdef");

  buffer.Consume(4);
  buffer.ReleaseIfEmpty();

  EXPECT_EQ(buffer.view(), "ef");
}

TEST(ReceiveBufferTest, GivesAnEmptyBlockBack) {
  ReceiveBuffer buffer;
  Receive(buffer, "abc");

  buffer.Consume(3);
  buffer.ReleaseIfEmpty();

  EXPECT_EQ(buffer.view().data(), nullptr);
}

TEST(ReceiveBufferTest, ReusesUsedUpRoomInsteadOfGrowing) {
  ReceiveBuffer buffer;
  for (int i = 0; i < 100; ++i) {
    Receive(buffer, std::string(ReceiveBuffer::kBlockBytes / 2, 'a'));
    buffer.Consume(ReceiveBuffer::kBlockBytes / 2 - 1);
    buffer.Consume(1);
  }

  EXPECT_LE(buffer.Space().size(), ReceiveBuffer::kBlockBytes);
}

TEST(ReceiveBufferTest, SwapsContent) {
  ReceiveBuffer one;
  ReceiveBuffer other;
  Receive(one, "one");

  one.Swap(other);

  EXPECT_EQ(one.view(), "");
  EXPECT_EQ(other.view(), "one");
}

}  // namespace
}  // namespace elb::server
