#include "daemon/event_flag.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "base/assert.h"

namespace elb::daemon {

EventFlag::EventFlag() : event_(eventfd(0, EFD_CLOEXEC)) { ELB_ASSERT(event_.valid()); }

void EventFlag::Set() const {
  const std::uint64_t one = 1;
  ELB_ASSERT(write(event_.get(), &one, sizeof(one)) == sizeof(one));
}

bool WaitForEither(const Descriptor& other, const Descriptor& stop) {
  std::array<pollfd, 2> descriptors{pollfd{.fd = stop.get(), .events = POLLIN, .revents = 0},
                                    pollfd{.fd = other.get(), .events = POLLIN, .revents = 0}};
  while (poll(descriptors.data(), descriptors.size(), -1) < 0) {
  }
  return descriptors[0].revents == 0;
}

}  // namespace elb::daemon
