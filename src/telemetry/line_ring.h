#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

namespace elb::telemetry {

/// Bounded ring of bytes from one writing thread to one reading thread. Never blocks: a line that
/// does not fit is refused as a whole.
class LineRing {
 public:
  struct Lines {
    std::string_view first;
    std::string_view second;
  };

  explicit LineRing(std::size_t capacity);

  /// Writer's thread. False: there is no room.
  [[nodiscard]] bool Offer(std::string_view line);
  /// Reader's thread: what is there, whole lines in the order of their offers, in two parts because
  /// the ring may wrap. Valid until it is released.
  [[nodiscard]] Lines Peek() const;
  /// Reader's thread: gives the first `count` bytes of what `Peek` showed back to the writer.
  void Release(std::size_t count);

 private:
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): the size is known at run time.
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_;
  alignas(64) std::atomic<std::size_t> written_{0};
  alignas(64) std::atomic<std::size_t> read_{0};
};

}  // namespace elb::telemetry
