#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace elb::tls {

/// Reads the big-endian fields of TLS messages. A read past the end yields zeros or nothing and
/// makes `ok` false for good.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::uint8_t U8() { return static_cast<std::uint8_t>(Number(1)); }
  [[nodiscard]] std::uint16_t U16() { return static_cast<std::uint16_t>(Number(2)); }
  [[nodiscard]] std::uint32_t U24() { return static_cast<std::uint32_t>(Number(3)); }
  [[nodiscard]] std::span<const std::byte> Take(std::size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  /// A vector with a length of one or two bytes before it.
  [[nodiscard]] std::span<const std::byte> Vector8() { return Take(U8()); }
  [[nodiscard]] std::span<const std::byte> Vector16() { return Take(U16()); }

 private:
  [[nodiscard]] std::size_t Number(std::size_t width) {
    std::size_t number = 0;
    for (const std::byte byte : Take(width)) {
      number = number << 8 | std::to_integer<std::size_t>(byte);
    }
    return number;
  }

  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

}  // namespace elb::tls
