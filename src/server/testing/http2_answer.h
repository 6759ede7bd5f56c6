#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace elb::server::testing {

/// What an `Http2Client` received on one stream.
struct Http2Answer {
  std::string head;  ///< "name: value\n" of every field of every header block, in order.
  std::string content;
  std::vector<std::uint32_t> resets;    ///< RST_STREAM received.
  std::optional<std::uint32_t> closed;  ///< Error code, once closed.
  bool ended = false;                   ///< END_STREAM was received.
  [[nodiscard]] bool Has(std::string_view line) const { return head.contains(line); }
};

struct Http2GoAway {
  std::int32_t last_id = 0;
  std::uint32_t code = 0;
  bool operator==(const Http2GoAway&) const = default;
};

}  // namespace elb::server::testing
