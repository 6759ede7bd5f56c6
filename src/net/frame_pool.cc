#include "net/frame_pool.h"

#include <new>

namespace elb::net {
namespace {

std::size_t ClassOf(std::size_t bytes) {
  return (bytes + FramePool::kStepBytes - 1) / FramePool::kStepBytes - 1;
}

constinit thread_local FrameUsage in_use;

#ifndef ELB_SANITIZED
thread_local FramePool frame_pool;
#endif

}  // namespace

FramePool::~FramePool() {
  for (List& list : lists_) {
    while (FreeFrame* frame = list.head) {
      list.head = frame->next;
      ::operator delete(frame);
    }
    list.count = kFramesPerClass;
  }
}

void* FramePool::Allocate(std::size_t bytes) {
  const std::size_t size_class = ClassOf(bytes);
  if (size_class >= lists_.size()) {
    return ::operator new(bytes);
  }
  List& list = lists_[size_class];
  FreeFrame* frame = list.head;
  if (frame == nullptr) {
    return ::operator new((size_class + 1) * kStepBytes);
  }
  list.head = frame->next;
  --list.count;
  return frame;
}

void FramePool::Release(void* frame, std::size_t bytes) noexcept {
  const std::size_t size_class = ClassOf(bytes);
  if (size_class >= lists_.size() || lists_[size_class].count >= kFramesPerClass) {
    ::operator delete(frame);
    return;
  }
  List& list = lists_[size_class];
  list.head = new (frame) FreeFrame{list.head};
  ++list.count;
}

std::size_t FramePool::kept() const {
  std::size_t total = 0;
  for (const List& list : lists_) {
    total += list.count;
  }
  return total;
}

void* AllocateFrame(std::size_t bytes) {
  ++in_use.frames;
  in_use.bytes += bytes;
#ifdef ELB_SANITIZED
  return ::operator new(bytes);
#else
  return frame_pool.Allocate(bytes);
#endif
}

void ReleaseFrame(void* frame, std::size_t bytes) noexcept {
  --in_use.frames;
  in_use.bytes -= bytes;
#ifdef ELB_SANITIZED
  ::operator delete(frame);
#else
  frame_pool.Release(frame, bytes);
#endif
}

FrameUsage FramesInUse() { return in_use; }

}  // namespace elb::net
