#include "http/h1/serialize.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

namespace elb::http::h1 {
namespace {

TEST(HeadWriterTest, WritesARequestHead) {
  std::array<char, 200> space{};
  HeadWriter writer(space);

  writer.AppendRequestLine("POST", "/a?b");
  writer.AppendField("Host", "a.test");
  writer.AppendField("Content-Length", std::uint64_t{42});
  writer.AppendField("X", std::string_view{});
  writer.End();

  EXPECT_EQ(writer.text(),
            "POST /a?b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 42\r\nX: \r\n\r\n");
  EXPECT_EQ(writer.size(), writer.text().size());
  EXPECT_FALSE(writer.overflowed());
}

TEST(HeadWriterTest, WritesStatusLines) {
  std::array<char, 200> space{};
  HeadWriter writer(space);

  writer.AppendStatusLine(200, {});
  writer.AppendStatusLine(404, "Nope");
  writer.AppendStatusLine(299, {});

  EXPECT_EQ(writer.text(), "HTTP/1.1 200 OK\r\nHTTP/1.1 404 Nope\r\nHTTP/1.1 299 \r\n");
}

TEST(HeadWriterTest, WritesTheLargestNumber) {
  std::array<char, 20> space{};
  HeadWriter writer(space);

  writer.AppendDecimal(std::numeric_limits<std::uint64_t>::max());

  EXPECT_EQ(writer.text(), "18446744073709551615");
}

TEST(HeadWriterTest, FillsItsSpaceToTheLastByte) {
  std::array<char, 4> space{};
  HeadWriter writer(space);

  writer.Append("abcd");

  EXPECT_FALSE(writer.overflowed());
  EXPECT_EQ(writer.text(), "abcd");
}

TEST(HeadWriterTest, RemembersThatItRanOver) {
  std::array<char, 4> space{};
  HeadWriter writer(space);

  writer.Append("abc");
  writer.Append("de");
  writer.Append("f");

  EXPECT_TRUE(writer.overflowed());
  EXPECT_LE(writer.size(), space.size());
}

TEST(ReasonPhraseTest, KnowsStandardCodesOnly) {
  EXPECT_EQ(ReasonPhrase(100), "Continue");
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(414), "URI Too Long");
  EXPECT_EQ(ReasonPhrase(504), "Gateway Timeout");
  EXPECT_EQ(ReasonPhrase(511), "Network Authentication Required");
  EXPECT_EQ(ReasonPhrase(99), "");
  EXPECT_EQ(ReasonPhrase(499), "");
  EXPECT_EQ(ReasonPhrase(1000), "");
}

TEST(ChunkHeaderTest, WritesHexadecimalSizes) {
  std::array<char, 18> space{};

  EXPECT_EQ(ChunkHeader(1, space), "1\r\n");
  EXPECT_EQ(ChunkHeader(65536, space), "10000\r\n");
  EXPECT_EQ(ChunkHeader(std::numeric_limits<std::uint64_t>::max(), space), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace elb::http::h1
