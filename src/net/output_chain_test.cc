#include "net/output_chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"

namespace elb::net {
namespace {

std::string FrontOf(const OutputChain& chain) {
  std::array<iovec, 64> vectors{};
  const std::size_t count = chain.Front(vectors);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  return text;
}

std::string RandomBytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  random.Fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

TEST(OutputChainTest, IsEmptyAtFirst) {
  const OutputChain chain;

  EXPECT_TRUE(chain.empty());
  EXPECT_EQ(chain.size(), 0U);
  EXPECT_EQ(FrontOf(chain), "");
}

TEST(OutputChainTest, IsNotMadeLongerByNothing) {
  OutputChain chain;

  chain.Append("");

  EXPECT_TRUE(chain.empty());
  std::array<iovec, 2> vectors{};
  EXPECT_EQ(chain.Front(vectors), 0U);
}

TEST(OutputChainTest, JoinsSmallPiecesInOneBlock) {
  OutputChain chain;

  chain.Append("HTTP/1.1 200 OK\r\n");
  chain.Append("\r\n");

  std::array<iovec, 4> vectors{};
  EXPECT_EQ(chain.Front(vectors), 1U);
  EXPECT_EQ(FrontOf(chain), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(OutputChainTest, DropsWhatWasSentFromTheFront) {
  OutputChain chain;
  chain.Append("abcdef");

  chain.Consume(2);
  EXPECT_EQ(FrontOf(chain), "cdef");
  chain.Consume(0);
  chain.Consume(4);

  EXPECT_TRUE(chain.empty());
  chain.Append("again");
  EXPECT_EQ(FrontOf(chain), "again");
}

TEST(OutputChainTest, DescribesNoMoreThanItIsAskedFor) {
  OutputChain chain;
  for (int i = 0; i < 5; ++i) {
    chain.Append(std::string(65'536, 'x'));
  }
  std::array<iovec, 2> vectors{};

  EXPECT_EQ(chain.Front(vectors), 2U);
  EXPECT_EQ(chain.size(), 327'680U);
}

TEST(OutputChainTest, KeepsEveryByteInOrderOverManyBlocks) {
  SeededRandom random(3);
  OutputChain chain;
  std::string expected;
  for (int i = 0; i < 150; ++i) {
    const std::string piece = RandomBytes(random, random.Below(20'000));
    chain.Append(piece);
    expected += piece;
    std::string front = FrontOf(chain);
    ASSERT_EQ(front, std::string_view(expected).substr(0, front.size()));
    const std::size_t sent = random.Below(std::min<std::size_t>(front.size(), 15'000) + 1);
    chain.Consume(sent);
    expected.erase(0, sent);
    ASSERT_EQ(chain.size(), expected.size());
  }
}

TEST(OutputChainTest, ForgetsEverythingAtOnce) {
  OutputChain chain;
  chain.Append(std::string(200'000, 'x'));

  chain.Clear();

  EXPECT_TRUE(chain.empty());
  EXPECT_EQ(FrontOf(chain), "");
  chain.Append("new");
  EXPECT_EQ(FrontOf(chain), "new");
}

}  // namespace
}  // namespace elb::net
