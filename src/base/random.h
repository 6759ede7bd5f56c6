#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace elb {

/// Source of random numbers. Thread-safe unless an implementation says otherwise.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills `bytes` with unpredictable values.
  virtual void Fill(std::span<std::byte> bytes) = 0;
  /// Uniform in [0, bound); `bound` > 0.
  [[nodiscard]] std::uint64_t Below(std::uint64_t bound);
};

/// `getrandom(2)`.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::byte> bytes) override;
};

/// Repeatable numbers from a seed, for tests and simulations. One thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void Fill(std::span<std::byte> bytes) override;

 private:
  std::uint64_t Next();
  std::uint64_t state_;
};

/// A version 4 UUID with dashes (RFC 9562 section 5.4).
[[nodiscard]] std::string NewUuid(Random& random);
/// The same 128 bits as 32 hex digits.
[[nodiscard]] std::string NewHex32(Random& random);

}  // namespace elb
