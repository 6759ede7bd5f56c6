#pragma once

#include <string_view>

namespace elb {

/// Prints the broken invariant and aborts. Never called for what a peer, a file or a
/// configuration says.
[[noreturn]] void AssertionFailed(std::string_view expression, std::string_view file, int line);

}  // namespace elb

/// Checks an invariant of our own code; on in release builds too.
#define ELB_ASSERT(condition)                                 \
  do {                                                        \
    if (!(condition)) [[unlikely]] {                          \
      ::elb::AssertionFailed(#condition, __FILE__, __LINE__); \
    }                                                         \
  } while (false)
