#pragma once

#include <utility>

namespace elb {

/// Owns a file descriptor and closes it; -1 owns none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { Reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Reset();
      value_ = std::exchange(other.value_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool valid() const { return value_ >= 0; }
  /// Gives the ownership away.
  [[nodiscard]] int Release() { return std::exchange(value_, -1); }
  /// Closes it now.
  void Reset();
  /// Another descriptor of the same open file, closed on exec. Not valid when there is none left.
  [[nodiscard]] Descriptor Duplicate() const;

 private:
  int value_ = -1;
};

}  // namespace elb
