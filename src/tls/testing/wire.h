#pragma once

#include "net/testing/memory_stream.h"

namespace elb::tls::testing {

/// The lower stream of TLS under test: in memory, with the test as its other end.
using WireState = net::testing::MemoryEnd;
using Wire = net::testing::MemoryStream;

}  // namespace elb::tls::testing
