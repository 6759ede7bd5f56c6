#pragma once

#include <cstddef>

namespace elb::net {

/// Per-thread free lists of coroutine frames. Bounded; falls through to the heap for large frames
/// and, under sanitizers, always. A frame is released on the thread that made it.
[[nodiscard]] void* AllocateFrame(std::size_t bytes);
void ReleaseFrame(void* frame, std::size_t bytes) noexcept;

}  // namespace elb::net
