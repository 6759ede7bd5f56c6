#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "net/stream.h"

namespace elb::tls {

/// Ciphertext read from a lower stream and not yet consumed. During a call it may lie in scratch
/// that the thread's streams share; `Keep` moves what is left into a block of its own, from a
/// per-thread pool. An empty buffer owns nothing. One thread.
class InputBuffer {
 public:
  /// One TLS record of any size and what surrounds it.
  static constexpr std::size_t kBlockBytes = 18 * 1024;
  /// As little as this is kept in a block of its own size: who sends half a ClientHello holds half
  /// a ClientHello.
  static constexpr std::size_t kSmallBytes = 1024;

  InputBuffer() = default;
  ~InputBuffer();
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  InputBuffer(InputBuffer&&) = delete;
  InputBuffer& operator=(InputBuffer&&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  /// Whether a block is held; never while empty, after `Keep`.
  [[nodiscard]] bool owns_block() const { return block_ != nullptr; }

  /// Drops `count` bytes from the front.
  void Consume(std::size_t count) { bytes_ = bytes_.subspan(count); }
  void Clear() { bytes_ = {}; }
  /// One read of `lower` into `scratch`. Only while empty.
  [[nodiscard]] net::ReadResult Fill(net::Stream& lower, std::span<std::byte> scratch);
  /// One read of `lower` behind what is there, which must be less than `kBlockBytes`.
  [[nodiscard]] net::ReadResult Append(net::Stream& lower);
  /// Before the scratch is used by others. At most `kBlockBytes` may be left.
  void Keep();

 private:
  [[nodiscard]] bool LiesInBlock() const;
  void OwnBlock();
  void OwnSmallBlock();
  void ReleaseBlock();

  std::span<const std::byte> bytes_;
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): an std::array on the heap would be zeroed.
  std::unique_ptr<std::byte[]> block_;
  bool small_ = false;  ///< The block has the size of what was kept.
};

}  // namespace elb::tls
