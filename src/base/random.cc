#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <cstring>

#include "base/assert.h"

namespace elb {
namespace {

std::array<std::byte, 16> UuidBytes(Random& random) {
  std::array<std::byte, 16> bytes{};
  random.Fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return bytes;
}

}  // namespace

std::uint64_t Random::Below(std::uint64_t bound) {
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = 0;
  do {
    Fill(std::as_writable_bytes(std::span(&value, 1)));
  } while (value >= limit);
  return value % bound;
}

void SystemRandom::Fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = getrandom(bytes.data(), bytes.size(), 0);
    ELB_ASSERT(count > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::uint64_t SeededRandom::Next() {  // SplitMix64.
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t value = state_;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

void SeededRandom::Fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t value = Next();
    const std::size_t count = bytes.size() < sizeof(value) ? bytes.size() : sizeof(value);
    std::memcpy(bytes.data(), &value, count);
    bytes = bytes.subspan(count);
  }
}

std::string NewHex32(Random& random) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : UuidBytes(random)) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::string NewUuid(Random& random) {
  std::string text = NewHex32(random);
  for (const std::size_t position : {8U, 13U, 18U, 23U}) {
    text.insert(position, 1, '-');
  }
  return text;
}

}  // namespace elb
