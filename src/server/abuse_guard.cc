#include "server/abuse_guard.h"

namespace elb::server {
namespace {

constexpr std::uint64_t kResetsTotalMax = 500;
constexpr std::uint32_t kEmptyFramesMax = 100;

}  // namespace

bool AbuseGuard::Window::Count(MonotonicTime now) {
  if (now - begin >= 2 * length) {
    begin = now;
    current = previous = 0;
  } else if (now - begin >= length) {
    begin += length;
    previous = current;
    current = 0;
  }
  ++current;
  const auto left = 1000 - (now - begin) * 1000 / length;  // Share of the older half, permille.
  const auto estimate =
      current + static_cast<std::uint64_t>(previous) * static_cast<std::uint64_t>(left) / 1000;
  return estimate > limit;
}

void AbuseGuard::OnReset(MonotonicTime now) {
  ++resets_total_;
  tripped_ = tripped_ || resets_.Count(now) ||
             (resets_total_ > kResetsTotalMax && resets_total_ * 2 > streams_);
}

void AbuseGuard::OnIdleFrame(MonotonicTime now) { tripped_ = tripped_ || idle_frames_.Count(now); }

void AbuseGuard::OnContentFrame(bool empty) {
  empty_in_a_row_ = empty ? empty_in_a_row_ + 1 : 0;
  tripped_ = tripped_ || empty_in_a_row_ > kEmptyFramesMax;
}

}  // namespace elb::server
