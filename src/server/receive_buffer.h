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

  /// Room behind the content, at least one byte. A full block makes the content move: to the front
  /// when most of the block is used up, else to a larger block.
  [[nodiscard]] std::span<std::byte> Space();
  /// `count` bytes were written into `Space()`.
  void Commit(std::size_t count) { end_ += count; }
  /// Uses up `count` bytes at the front. They stay where they are until `Space`, `Append` or a
  /// release.
  void Consume(std::size_t count) { begin_ += count; }
  /// Gives the block back when nothing is left in it.
  void ReleaseIfEmpty();
  void Append(std::string_view bytes);
  void Release();
  void Swap(ReceiveBuffer& other) noexcept;

 private:
  void MoveToFront();
  void Grow(std::size_t capacity);

  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace elb::server
