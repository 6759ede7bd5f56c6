#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace elb::server {

/// Bytes that wait to be taken from the front. Holds a small multiple of what waits, however much
/// has gone through. One thread.
class ByteQueue {
 public:
  [[nodiscard]] std::string_view view() const { return std::string_view(bytes_).substr(taken_); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// Memory held, in bytes.
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity(); }

  /// Invalidates views.
  void Append(std::string_view more) {
    if (taken_ >= size()) {  // Moving costs no more than what was taken.
      bytes_.erase(0, taken_);
      taken_ = 0;
    }
    bytes_.append(more);
  }
  /// At most `limit` bytes of the front, valid until the next `Append`.
  [[nodiscard]] std::string_view Take(std::size_t limit) {
    const std::string_view front = view().substr(0, limit);
    taken_ += front.size();
    return front;
  }
  /// Drops everything.
  void Clear() {
    bytes_ = {};
    taken_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
};

}  // namespace elb::server
