#include "health/expected_codes.h"

#include <algorithm>
#include <cstddef>

namespace elb::health {
namespace {

std::optional<int> ParseCode(std::string_view text) {
  if (text.size() != 3) {
    return std::nullopt;
  }
  int code = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    code = code * 10 + (digit - '0');
  }
  return code >= 200 && code <= 599 ? std::optional(code) : std::nullopt;
}

}  // namespace

std::optional<ExpectedCodes> ExpectedCodes::Parse(std::string_view text) {
  ExpectedCodes codes;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t dash = item.find('-');
    const auto low = ParseCode(item.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : ParseCode(item.substr(dash + 1));
    if (!low || !high || *low > *high) {
      return std::nullopt;
    }
    codes.ranges_.emplace_back(*low, *high);
    if (comma == std::string_view::npos) {
      return codes;
    }
    text.remove_prefix(comma + 1);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
}

bool ExpectedCodes::Contains(int code) const {
  return std::ranges::any_of(ranges_, [code](const std::pair<int, int>& range) {
    return code >= range.first && code <= range.second;
  });
}

}  // namespace elb::health
