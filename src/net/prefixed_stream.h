#pragma once

#include <memory>
#include <string>

#include "net/stream.h"

namespace elb::net {

/// `stream` with bytes in front that were read from it before: they are read first, then it goes
/// on. Everything else is the stream's own. `prefix` is not empty. One thread.
[[nodiscard]] std::unique_ptr<Stream> PutBack(std::string prefix, std::unique_ptr<Stream> stream);

}  // namespace elb::net
