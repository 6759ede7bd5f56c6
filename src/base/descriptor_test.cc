#include "base/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

namespace elb {
namespace {

bool IsOpen(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

Descriptor OpenNull() { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(DescriptorTest, ClosesWhatItOwns) {
  int value = -1;
  {
    const Descriptor descriptor = OpenNull();
    value = descriptor.get();
    EXPECT_TRUE(IsOpen(value));
  }
  EXPECT_FALSE(IsOpen(value));
}

TEST(DescriptorTest, MovesOwnership) {
  Descriptor first = OpenNull();
  const int value = first.get();
  Descriptor second(std::move(first));
  EXPECT_EQ(second.get(), value);

  second = OpenNull();

  EXPECT_TRUE(second.valid());
}

TEST(DescriptorTest, ClosesWhatItOwnedWhenItGetsAnother) {
  Descriptor descriptor = OpenNull();
  Descriptor other = OpenNull();
  const int value = descriptor.get();

  descriptor = std::move(other);

  EXPECT_FALSE(IsOpen(value));
}

TEST(DescriptorTest, DuplicatesStayOpenWithoutTheOriginal) {
  Descriptor original = OpenNull();
  const Descriptor duplicate = original.Duplicate();

  original.Reset();

  EXPECT_FALSE(original.valid());
  EXPECT_TRUE(IsOpen(duplicate.get()));
  EXPECT_NE(fcntl(duplicate.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(DescriptorTest, OwnsNothingAtFirst) {
  EXPECT_FALSE(Descriptor().valid());
  EXPECT_FALSE(Descriptor().Duplicate().valid());
}

}  // namespace
}  // namespace elb
