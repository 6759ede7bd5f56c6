#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/schema.h"

namespace elb::model {

enum class Repeat : std::uint8_t { kMany, kOnce };

/// A query parameter that filters a list (api-v3.md 1.8.3).
struct ListParameter {
  std::string_view name;
  std::string_view place;  ///< Where the value stands in a response: `a`, `a[]` or `a[].b`.
  ValueType form = ValueType::kText;
  Repeat repeat = Repeat::kMany;
};

/// Does the REST layer have the resource's routes?
enum class Served : std::uint8_t { kNo, kYes };

/// One resource of api-v3.md 2.1 to 2.10 and its words.
struct Resource {
  std::string_view type_name;  ///< In the API description.
  std::string_view noun;       ///< In sentences.
  std::string_view singular;   ///< Key of the envelope; kind in errors and revisions.
  std::string_view plural;
  std::string_view path;  ///< Behind `elb/`; parents as `{pool_id}`.
  const Schema& (*schema)();
  Served served;
  std::vector<ListParameter> parameters;
};

/// All resources in the order of the contract. The one list of what is served: whoever adds
/// routes of a resource changes its entry.
[[nodiscard]] std::span<const Resource> Resources();

/// Null when there is none of that name.
[[nodiscard]] const Resource* FindResource(std::string_view singular);

}  // namespace elb::model
