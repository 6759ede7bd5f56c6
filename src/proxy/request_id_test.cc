#include "proxy/request_id.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace elb::proxy {
namespace {

std::string Text(const RequestId& id, RequestIdFormat format) {
  std::array<char, RequestId::kTextMax> space{};
  return std::string(id.Print(format, space));
}

WallTime At(std::int64_t millis) { return WallTime(std::chrono::milliseconds(millis)); }

TEST(RequestIdTest, PrintsHexDigitsOrGroups) {
  const RequestId id(0x0192'f7a1'b2c3'7def, 0x8123'4567'89ab'cdef);

  EXPECT_EQ(Text(id, RequestIdFormat::kHex), "0192f7a1b2c37def8123456789abcdef");
  EXPECT_EQ(Text(id, RequestIdFormat::kUuid), "0192f7a1-b2c3-7def-8123-456789abcdef");
}

TEST(RequestIdsTest, MakesUuidsOfVersion7) {
  RequestIds ids(0xABCDEF, 12345);

  for (int i = 0; i < 100; ++i) {
    const std::string text = Text(ids.Next(At(0x0192'F7A1'B2C3)), RequestIdFormat::kUuid);
    EXPECT_EQ(text.substr(0, 15), "0192f7a1-b2c3-7");
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    EXPECT_EQ(text.substr(30), "abcdef");
  }
}

TEST(RequestIdsTest, SortByTime) {
  RequestIds ids(1, 999);

  const std::string first = Text(ids.Next(At(1'700'000'000'000)), RequestIdFormat::kHex);
  const std::string second = Text(ids.Next(At(1'700'000'000'001)), RequestIdFormat::kHex);

  EXPECT_LT(first, second);
}

TEST(RequestIdsTest, MakeNoneTwiceInOneMillisecondOnAnyWorker) {
  std::set<std::string> seen;
  for (std::uint64_t worker = 0; worker < 4; ++worker) {
    RequestIds ids(1, 77 + (worker << 40));
    for (int i = 0; i < 5000; ++i) {
      seen.insert(Text(ids.Next(At(1'700'000'000'000)), RequestIdFormat::kHex));
    }
  }

  EXPECT_EQ(seen.size(), 20'000U);
}

TEST(RequestIdsTest, LookUnrelated) {
  RequestIds ids(1, 0);
  std::set<std::string> beginnings;
  for (int i = 0; i < 100; ++i) {
    const std::string text = Text(ids.Next(At(0)), RequestIdFormat::kHex);
    beginnings.insert(text.substr(13, 3) + text.substr(17, 4));
  }

  EXPECT_GT(beginnings.size(), 95U);
}

}  // namespace
}  // namespace elb::proxy
