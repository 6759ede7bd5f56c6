#pragma once

#include <array>
#include <cstddef>

namespace elb::net {

/// Free lists of coroutine frames by size class. Bounded; falls through to the heap for large
/// frames. One thread.
class FramePool {
 public:
  static constexpr std::size_t kStepBytes = 32;            ///< Size classes are multiples of this.
  static constexpr std::size_t kFrameBytesMax = 4 * 1024;  ///< Larger frames are not kept.
  static constexpr std::size_t kFramesPerClass = 256;      ///< Kept at most.

  FramePool() = default;
  /// Frames released after this go straight to the heap.
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  FramePool(FramePool&&) = delete;
  FramePool& operator=(FramePool&&) = delete;

  [[nodiscard]] void* Allocate(std::size_t bytes);
  /// `bytes` as given to `Allocate`.
  void Release(void* frame, std::size_t bytes) noexcept;
  /// Free frames held.
  [[nodiscard]] std::size_t kept() const;

 private:
  struct FreeFrame {
    FreeFrame* next;
  };
  struct List {
    FreeFrame* head = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kFrameBytesMax / kStepBytes> lists_;
};

/// Frames from this thread's pool; straight from the heap under sanitizers, which then see each use
/// after release. A frame is released on the thread that made it.
[[nodiscard]] void* AllocateFrame(std::size_t bytes);
void ReleaseFrame(void* frame, std::size_t bytes) noexcept;

struct FrameUsage {
  std::size_t frames = 0;
  std::size_t bytes = 0;  ///< As asked for: without what a size class rounds up.

  friend bool operator==(const FrameUsage&, const FrameUsage&) = default;
};
/// What is allocated by this thread at present.
[[nodiscard]] FrameUsage FramesInUse();

}  // namespace elb::net
