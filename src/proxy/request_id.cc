#include "proxy/request_id.h"

#include <chrono>
#include <cstddef>

namespace elb::proxy {
namespace {

constexpr unsigned kNumberBits = 50;
constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << kNumberBits) - 1;
constexpr unsigned kNodeBits = 24;
constexpr unsigned kLowNumberBits = 38;

/// Takes 50 bits to 50 bits, no two to the same: consecutive numbers come out looking unrelated.
std::uint64_t Scramble(std::uint64_t number) {
  number &= kNumberMask;
  number ^= number >> 25;
  number = number * 0xbf58476d1ce4e5b9 & kNumberMask;  // Odd: invertible.
  number ^= number >> 25;
  number = number * 0x94d049bb133111eb & kNumberMask;
  return number ^ number >> 25;
}

}  // namespace

std::string_view RequestId::Print(RequestIdFormat format, std::span<char, kTextMax> into) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::size_t size = 0;
  for (unsigned digit = 0; digit < 32; ++digit) {
    const bool starts_group = digit == 8 || digit == 12 || digit == 16 || digit == 20;
    if (starts_group && format == RequestIdFormat::kUuid) {
      into[size++] = '-';
    }
    const std::uint64_t half = digit < 16 ? high_ : low_;
    into[size++] = kDigits[half >> (60 - digit % 16 * 4) & 15];
  }
  return {into.data(), size};
}

RequestId RequestIds::Next(WallTime now) {
  const auto millis = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  const std::uint64_t number = Scramble(next_++);
  constexpr std::uint64_t kLowMask = (std::uint64_t{1} << kLowNumberBits) - 1;
  constexpr std::uint64_t kVersion7 = 0x7000;
  constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;
  return {millis << 16 | kVersion7 | number >> kLowNumberBits,
          kVariant | (number & kLowMask) << kNodeBits | node_};
}

}  // namespace elb::proxy
