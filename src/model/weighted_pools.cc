#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "model/l7_policy.h"

namespace elb::model {
namespace {

constexpr std::int64_t kWeightMax = 100;

Result<void> ReadWeight(const Json& value, const std::string& path, WeightedPool& pool) {
  if (value.is_null()) {
    return Missing(path, fmt::format("{} is mandatory", path));
  }
  std::int64_t weight = -1;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return Invalid(path, fmt::format("{} must be a number or a decimal string", path));
    }
  } else if (value.is_number_unsigned()) {
    weight = static_cast<std::int64_t>(
        std::min<std::uint64_t>(value.get<std::uint64_t>(), kWeightMax + 1));
  } else if (value.is_number_integer()) {
    weight = value.get<std::int64_t>();
  } else {
    return Invalid(path, fmt::format("{} must be a number or a decimal string", path));
  }
  if (weight < 0 || weight > kWeightMax) {
    return Invalid(path, fmt::format("{} must be 0 to {}", path, kWeightMax));
  }
  pool.weight = weight;
  pool.weight_is_text = value.is_string();
  return {};
}

Result<WeightedPool> ReadPool(const Json& value, const std::string& path) {
  if (!value.is_object()) {
    return Invalid(path, fmt::format("{} must be an object", path));
  }
  WeightedPool pool;
  const Json id = value.value("pool_id", Json());
  if (id.is_null() || (id.is_string() && id.get_ref<const std::string&>().empty())) {
    return Missing(path + ".pool_id", fmt::format("{}.pool_id is mandatory", path));
  }
  if (!id.is_string()) {
    return Invalid(path + ".pool_id", fmt::format("{}.pool_id must be a string", path));
  }
  pool.pool_id = id.get<std::string>();
  ELB_RETURN_IF_ERROR(ReadWeight(value.value("weight", Json()), path + ".weight", pool));
  return pool;
}

}  // namespace

Result<void> ReadWeightedPools(const Json& value, const std::string& path, L7Policy& policy) {
  if (value.is_null()) {
    policy.redirect_pools_config.clear();
    return {};
  }
  if (!value.is_array()) {
    return Invalid(path, fmt::format("{} must be a list", path));
  }
  std::vector<WeightedPool> pools;
  for (const Json& element : value) {
    ELB_ASSIGN_OR_RETURN(WeightedPool pool,
                         ReadPool(element, fmt::format("{}[{}]", path, pools.size())));
    pools.push_back(std::move(pool));
  }
  policy.redirect_pools_config = std::move(pools);
  return {};
}

void WriteWeightedPools(const L7Policy& policy, Purpose /*purpose*/, Json& out) {
  out = Json::array();
  for (const WeightedPool& pool : policy.redirect_pools_config) {
    out.push_back(
        {{"pool_id", pool.pool_id},
         {"weight", pool.weight_is_text ? Json(std::to_string(pool.weight)) : Json(pool.weight)}});
  }
}

}  // namespace elb::model
