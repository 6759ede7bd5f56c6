#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "net/stream.h"

namespace elb::net::testing {

/// Reads what is there onto `text`; returns what ended it.
inline ReadResult ReadOnto(std::string& text, Stream& stream) {
  std::array<std::byte, 8192> buffer{};
  while (true) {
    const ReadResult read = stream.TryRead(buffer);
    if (read.kind != ReadResult::Kind::kData) {
      return read;
    }
    text.append(reinterpret_cast<const char*>(buffer.data()), read.bytes);
  }
}

}  // namespace elb::net::testing
