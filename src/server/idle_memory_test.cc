// What an idle connection costs. Measured on the heap, so that whatever a change adds is seen:
// coroutine frames, buffers, lists.

#include <gtest/gtest.h>

#include <malloc.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "server/testing/connection_rig.h"

#ifdef ELB_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif

namespace elb::server {
namespace {

std::size_t HeapBytes() {
#ifdef ELB_SANITIZED
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

/// Heap bytes of one cleartext connection, its stream and its frames included, after `requests`.
std::size_t BytesOfIdleConnection(int requests) {
  constexpr std::size_t kConnections = 200;
  testing::ConnectionRig rig;
  std::vector<testing::ClientWire> wires(kConnections);
  std::vector<std::unique_ptr<Connection>> connections;
  connections.reserve(kConnections);
  net::TaskScope scope(rig.reactor);
  const std::size_t before = HeapBytes();
  for (testing::ClientWire& wire : wires) {
    connections.push_back(std::make_unique<Connection>(std::make_unique<testing::WireStream>(wire),
                                                       nullptr, rig.handler, rig.policy,
                                                       rig.reactor));
    scope.Spawn(connections.back()->Run(rig.reactor.now()));
  }
  for (int i = 0; i < requests; ++i) {
    for (testing::ClientWire& wire : wires) {
      wire.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      rig.Settle();
      for (std::string* text : {&wire.inbound, &wire.outbound, &wire.unsent}) {
        std::string().swap(*text);
      }
    }
  }
  rig.handler.served = std::vector<std::string>();
  rig.handler.ended = std::vector<std::string>();
  rig.handler.body_ends = std::vector<BodyRead>();
  const std::size_t after = HeapBytes();
  scope.Clear();
  return (after - before) / kConnections;
}

TEST(IdleMemoryTest, BoundsAConnectionBeforeItsFirstRequest) {
  EXPECT_LE(BytesOfIdleConnection(0), 1024);
}

TEST(IdleMemoryTest, NeedsNoMoreAfterRequestsThanBefore) {
  static_cast<void>(BytesOfIdleConnection(2));  // Fills what the thread keeps for reuse.
  const std::size_t before = BytesOfIdleConnection(0);

  EXPECT_LE(BytesOfIdleConnection(2), before + 16);
}

}  // namespace
}  // namespace elb::server
