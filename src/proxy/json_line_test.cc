#include "proxy/json_line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace elb::proxy {
namespace {

std::string Line(std::string_view value) {
  std::string line;
  JsonLine json(line);
  json.Text("a", value);
  return line;
}

/// What a value must become, letter by letter.
std::string Escaped(std::string_view value) {
  std::string text;
  for (const char letter : value) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      text += {'\\', letter};
    } else if (byte < 0x20 || byte >= 0x7f) {
      text += fmt::format("\\u{:04x}", byte);
    } else {
      text += letter;
    }
  }
  return text;
}

TEST(JsonLineTest, EscapesEachByteAtEachPlaceOfALongerText) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string value = "abcdefghijklmnopqrs~";
      value[place] = static_cast<char>(byte);
      ASSERT_EQ(Line(value), "{\"a\":\"" + Escaped(value) + '"') << byte << " at " << place;
    }
  }
}

TEST(JsonLineTest, EscapesNeighbours) {
  EXPECT_EQ(Line("\"\\\n\x7f\xff end of it"), "{\"a\":\"\\\"\\\\\\u000a\\u007f\\u00ff end of it\"");
}

TEST(JsonLineTest, WritesADashForNothing) { EXPECT_EQ(Line(""), "{\"a\":\"-\""); }

TEST(JsonLineTest, WritesNumbersAndTimes) {
  std::string line;
  JsonLine json(line);
  json.Number("n", 18446744073709551615U);
  json.Millis("m", 1'700'000'000'007);
  json.Millis("k", 90);
  json.Seconds("s", std::chrono::milliseconds{1234});
  json.End();

  EXPECT_EQ(line, "{\"n\":18446744073709551615,\"m\":1700000000.007,\"k\":0.090,\"s\":1.234}\n");
}

}  // namespace
}  // namespace elb::proxy
