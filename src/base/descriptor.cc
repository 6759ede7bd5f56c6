#include "base/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

namespace elb {

void Descriptor::Reset() {
  if (const int value = std::exchange(value_, -1); value >= 0) {
    close(value);
  }
}

Descriptor Descriptor::Duplicate() const {
  return Descriptor(valid() ? fcntl(value_, F_DUPFD_CLOEXEC, 0) : -1);
}

}  // namespace elb
