#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Every target defines this. Returns 0; what is wrong aborts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace elb::fuzz {

/// Aborts with `what` and `detail` unless `holds`: the input is a finding.
void Require(bool holds, std::string_view what, std::string_view detail = {});

/// As `Require`, for two texts that have to be equal; shows both.
void RequireEqual(std::string_view one, std::string_view other, std::string_view what);

/// Names what runs now; shown by a `Require` or a sanitizer that fails.
void ShowOnFailure(std::string_view name);

inline std::string_view Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace elb::fuzz
