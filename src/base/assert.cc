#include "base/assert.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace elb {

void AssertionFailed(std::string_view expression, std::string_view file, int line) {
  fmt::print(stderr, "{}:{}: broken invariant: {}\n", file, line, expression);
  std::abort();
}

}  // namespace elb
