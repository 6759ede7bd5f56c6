#include "net/frame_pool.h"

#include <array>
#include <cstdlib>
#include <new>

#include "base/assert.h"

namespace elb::net {

#ifdef ELB_SANITIZED

void* AllocateFrame(std::size_t bytes) { return ::operator new(bytes); }
void ReleaseFrame(void* frame, std::size_t /*bytes*/) noexcept { ::operator delete(frame); }

#else

namespace {

constexpr std::size_t kStep = 128;    // Size classes are multiples of this.
constexpr std::size_t kClasses = 32;  // Up to 4 KiB.
constexpr std::size_t kFramesPerClass = 256;

struct FreeFrame {
  FreeFrame* next;
};

/// Free frames of one thread.
class FramePool {
 public:
  FramePool() = default;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  FramePool(FramePool&&) = delete;
  FramePool& operator=(FramePool&&) = delete;
  ~FramePool() {
    for (List& list : lists_) {
      while (FreeFrame* frame = list.head) {
        list.head = frame->next;
        ::operator delete(frame);
      }
      list.count = kFramesPerClass;  // Frames released after this go straight to the heap.
    }
  }

  void* Take(std::size_t size_class) {
    List& list = lists_[size_class];
    FreeFrame* frame = list.head;
    if (frame == nullptr) {
      return nullptr;
    }
    list.head = frame->next;
    --list.count;
    return frame;
  }

  bool Give(void* memory, std::size_t size_class) {
    List& list = lists_[size_class];
    if (list.count >= kFramesPerClass) {
      return false;
    }
    list.head = new (memory) FreeFrame{list.head};
    ++list.count;
    return true;
  }

 private:
  struct List {
    FreeFrame* head = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kClasses> lists_;
};

thread_local FramePool frame_pool;

}  // namespace

void* AllocateFrame(std::size_t bytes) {
  const std::size_t size_class = (bytes + kStep - 1) / kStep - 1;
  if (size_class >= kClasses) {
    return ::operator new(bytes);
  }
  void* frame = frame_pool.Take(size_class);
  return frame != nullptr ? frame : ::operator new((size_class + 1) * kStep);
}

void ReleaseFrame(void* frame, std::size_t bytes) noexcept {
  const std::size_t size_class = (bytes + kStep - 1) / kStep - 1;
  if (size_class >= kClasses || !frame_pool.Give(frame, size_class)) {
    ::operator delete(frame);
  }
}

#endif

}  // namespace elb::net
