#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace elb::fuzz {

/// Sizes of the pieces in which bytes arrive: the same ones for the same seed.
class Cuts {
 public:
  /// Pieces of 1 to `max` bytes; `max` = SIZE_MAX: everything at once.
  Cuts(std::uint64_t seed, std::size_t max) : state_(seed | 1), max_(max) {}

  /// Size of the next piece of `left` > 0 bytes.
  [[nodiscard]] std::size_t Next(std::size_t left) {
    if (max_ == SIZE_MAX) {
      return left;
    }
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return std::min<std::size_t>(left, 1 + state_ % max_);
  }

 private:
  std::uint64_t state_;
  std::size_t max_;
};

/// A copy of its own size, so that the address sanitizer sees every byte read behind its end.
class Tight {
 public:
  explicit Tight(std::string_view text)
      : bytes_(std::make_unique_for_overwrite<char[]>(text.size())), size_(text.size()) {
    std::ranges::copy(text, bytes_.get());
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

}  // namespace elb::fuzz
