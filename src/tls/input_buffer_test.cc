#include "tls/input_buffer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tls/testing/wire.h"

namespace elb::tls {
namespace {

using net::ReadResult;

class InputBufferTest : public ::testing::Test {
 protected:
  std::string Text() const {
    return {reinterpret_cast<const char*>(buffer_.bytes().data()), buffer_.bytes().size()};
  }

  testing::WireState state_;
  testing::Wire wire_{state_};
  std::array<std::byte, 64> scratch_{};
  InputBuffer buffer_;
};

TEST_F(InputBufferTest, OwnsNothingWhileEmpty) {
  state_.inbound = "abc";
  ASSERT_EQ(buffer_.Fill(wire_, scratch_).kind, ReadResult::Kind::kData);
  EXPECT_FALSE(buffer_.owns_block());
  buffer_.Consume(3);
  buffer_.Keep();

  EXPECT_TRUE(buffer_.empty());
  EXPECT_FALSE(buffer_.owns_block());
}

TEST_F(InputBufferTest, KeepsWhatIsLeftOutOfTheScratch) {
  state_.inbound = "abcdef";
  ASSERT_EQ(buffer_.Fill(wire_, scratch_).bytes, 6U);
  buffer_.Consume(2);
  buffer_.Keep();
  scratch_.fill(std::byte{0});

  EXPECT_EQ(Text(), "cdef");
  EXPECT_TRUE(buffer_.owns_block());
  buffer_.Consume(4);
  buffer_.Keep();
  EXPECT_FALSE(buffer_.owns_block());
}

TEST_F(InputBufferTest, AppendsBehindWhatItHas) {
  state_.inbound = "abcdef";
  ASSERT_EQ(buffer_.Fill(wire_, scratch_).bytes, 6U);
  buffer_.Consume(2);
  buffer_.Keep();
  buffer_.Consume(1);
  state_.inbound = "gh";

  ASSERT_EQ(buffer_.Append(wire_).bytes, 2U);

  EXPECT_EQ(Text(), "defgh");
}

TEST_F(InputBufferTest, AppendsNoMoreThanABlock) {
  state_.inbound = std::string(30'000, 'x');

  EXPECT_EQ(buffer_.Append(wire_).bytes, InputBuffer::kBlockBytes);
}

}  // namespace
}  // namespace elb::tls
