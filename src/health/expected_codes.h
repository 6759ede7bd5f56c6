#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace elb::health {

/// Status codes that count as success: items `200` or `200-204`, joined by commas with optional
/// spaces behind them, codes 200 to 599 (api-v3.md 2.5).
class ExpectedCodes {
 public:
  /// nullopt when `text` breaks the grammar.
  [[nodiscard]] static std::optional<ExpectedCodes> Parse(std::string_view text);
  [[nodiscard]] bool Contains(int code) const;

 private:
  std::vector<std::pair<int, int>> ranges_;
};

}  // namespace elb::health
