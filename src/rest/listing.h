#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "control/control.h"
#include "rest/message.h"

namespace elb::rest {

/// Filters of one list (api-v3.md 1.8.3): parameter names, some of which stand for nested values.
[[nodiscard]] Result<std::vector<nlohmann::ordered_json>> Filter(
    std::vector<nlohmann::ordered_json> all, const Query& query, control::Resource resource);

/// One page of a list.
struct Page {
  std::vector<nlohmann::ordered_json> items;
  bool more = false;  ///< There are further objects behind this page.
};

/// Cuts a page out of `all` by `limit`, `marker` and `page_reverse` (api-v3.md 1.8.1).
[[nodiscard]] Result<Page> Paginate(std::vector<nlohmann::ordered_json> all, const Query& query);

/// `page_info` of a page.
[[nodiscard]] nlohmann::ordered_json PageInfo(const Page& page);

}  // namespace elb::rest
