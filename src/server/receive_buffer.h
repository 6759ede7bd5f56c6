#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace elb::server {

/// Contiguous bytes received and not yet used up. Takes its block from a per-thread pool when space
/// is first asked for and gives it back when released: an idle connection owns none. One thread.
class ReceiveBuffer {
 public:
  static constexpr std::size_t kBlockBytes = 8 * 1024;

  ReceiveBuffer() = default;
  ~ReceiveBuffer() { Release(); }
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;
  ReceiveBuffer(ReceiveBuffer&&) = delete;
  ReceiveBuffer& operator=(ReceiveBuffer&&) = delete;

  [[nodiscard]] std::string_view view() const { return {data_ + begin_, end_ - begin_}; }
  [[nodiscard]] std::span<char> bytes() { return {data_ + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }

  /// Room behind the content, at least one byte: grows the block (moving the content) when full.
  [[nodiscard]] std::span<std::byte> Space();
  /// `count` bytes were written into `Space()`.
  void Commit(std::size_t count) { end_ += count; }
  /// Uses up `count` bytes at the front. The bytes stay where they are until `Compact`.
  void Consume(std::size_t count) { begin_ += count; }
  /// Moves what is left to the front of the block; frees the block when nothing is.
  void Compact();
  void Append(std::string_view bytes);
  void Release();
  void Swap(ReceiveBuffer& other) noexcept;

 private:
  void Grow(std::size_t capacity);
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace elb::server
