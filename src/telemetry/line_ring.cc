#include "telemetry/line_ring.h"

#include <algorithm>
#include <cstring>

namespace elb::telemetry {

// NOLINTBEGIN(modernize-avoid-c-arrays): the size is known at run time.
LineRing::LineRing(std::size_t capacity)
    : bytes_(std::make_unique<char[]>(capacity)), capacity_(capacity) {}
// NOLINTEND(modernize-avoid-c-arrays)

bool LineRing::Offer(std::string_view line) {
  const std::size_t written = written_.load(std::memory_order_relaxed);
  const std::size_t used = written - read_.load(std::memory_order_acquire);
  if (capacity_ - used < line.size()) {
    return false;
  }
  const std::size_t at = written % capacity_;
  const std::size_t first = std::min(line.size(), capacity_ - at);
  std::memcpy(bytes_.get() + at, line.data(), first);
  std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
  written_.store(written + line.size(), std::memory_order_release);
  return true;
}

LineRing::Lines LineRing::Peek() const {
  const std::size_t read = read_.load(std::memory_order_relaxed);
  const std::size_t written = written_.load(std::memory_order_acquire);
  const std::size_t count = written - read;
  const std::size_t at = read % capacity_;
  const std::size_t first = std::min(count, capacity_ - at);
  return {.first = {bytes_.get() + at, first}, .second = {bytes_.get(), count - first}};
}

void LineRing::Release(std::size_t count) {
  read_.store(read_.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

}  // namespace elb::telemetry
