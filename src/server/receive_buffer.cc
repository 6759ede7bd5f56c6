#include "server/receive_buffer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace elb::server {
namespace {

/// Free blocks of `kBlockBytes` of this thread; bounded. Off under sanitizers, which then see each
/// use after release.
class BlockPool {
 public:
  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  BlockPool(BlockPool&&) = delete;
  BlockPool& operator=(BlockPool&&) = delete;
  ~BlockPool() {
    while (count_ > 0) {
      std::free(blocks_[--count_]);  // NOLINT(cppcoreguidelines-no-malloc): see Allocate.
    }
  }

  char* Take() { return count_ > 0 ? blocks_[--count_] : nullptr; }
  bool Give(char* block) {
#ifndef ELB_SANITIZED
    if (count_ < blocks_.size()) {
      blocks_[count_++] = block;
      return true;
    }
#endif
    return block == nullptr;
  }

 private:
  std::array<char*, 64> blocks_{};
  std::size_t count_ = 0;
};

thread_local BlockPool block_pool;

char* Allocate(std::size_t bytes) {
  if (bytes == ReceiveBuffer::kBlockBytes) {
    if (char* block = block_pool.Take()) {
      return block;
    }
  }
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): the pool keeps bare blocks of two kinds.
  char* block = static_cast<char*>(std::malloc(bytes));
  ELB_ASSERT(block != nullptr);
  return block;
}

void Free(char* block, std::size_t bytes) {
  if (bytes != ReceiveBuffer::kBlockBytes || !block_pool.Give(block)) {
    std::free(block);  // NOLINT(cppcoreguidelines-no-malloc): see Allocate.
  }
}

}  // namespace

std::span<std::byte> ReceiveBuffer::Space() {
  if (end_ == capacity_) {
    if (begin_ > capacity_ / 2) {
      MoveToFront();
    } else {
      Grow(capacity_ == 0 ? kBlockBytes : capacity_ * 2);
    }
  }
  return std::as_writable_bytes(std::span(data_ + end_, capacity_ - end_));
}

void ReceiveBuffer::Grow(std::size_t capacity) {
  char* block = Allocate(capacity);
  const std::size_t used = end_ - begin_;
  if (used > 0) {
    std::memcpy(block, data_ + begin_, used);
  }
  if (data_ != nullptr) {
    Free(data_, capacity_);
  }
  data_ = block;
  capacity_ = capacity;
  begin_ = 0;
  end_ = used;
}

void ReceiveBuffer::MoveToFront() {
  std::memmove(data_, data_ + begin_, size());
  end_ -= begin_;
  begin_ = 0;
}

void ReceiveBuffer::ReleaseIfEmpty() {
  if (empty()) {
    Release();
  }
}

void ReceiveBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  if (capacity_ - end_ < bytes.size()) {
    Grow(std::max({kBlockBytes, capacity_ * 2, size() + bytes.size()}));
  }
  std::memcpy(data_ + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void ReceiveBuffer::Release() {
  if (data_ != nullptr) {
    Free(data_, capacity_);
  }
  data_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

void ReceiveBuffer::Swap(ReceiveBuffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
}

}  // namespace elb::server
