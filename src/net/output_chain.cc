#include "net/output_chain.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace elb::net {
namespace {

constexpr std::array<std::size_t, 3> kBlocks = {4 * 1024, 16 * 1024, 64 * 1024};

}  // namespace

/// Header in front of its bytes, in one allocation.
struct OutputChain::Block {
  Block* next = nullptr;
  std::size_t capacity = 0;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }

  // NOLINTBEGIN(cppcoreguidelines-no-malloc): header and bytes are one allocation.
  static Block* Make(std::size_t wanted) {
    const auto* const fits = std::ranges::lower_bound(kBlocks, wanted + sizeof(Block));
    const std::size_t total = fits != kBlocks.end() ? *fits : kBlocks.back();
    void* memory = std::malloc(total);
    ELB_ASSERT(memory != nullptr);
    auto* block = new (memory) Block;
    block->capacity = total - sizeof(Block);
    return block;
  }
  static void Free(Block* block) { std::free(block); }
  // NOLINTEND(cppcoreguidelines-no-malloc)
};

OutputChain::~OutputChain() { Clear(); }

void OutputChain::Append(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->end == tail_->capacity) {
      Block* block = Block::Make(bytes.size());
      (tail_ != nullptr ? tail_->next : head_) = block;
      tail_ = block;
    }
    const std::size_t count = std::min(bytes.size(), tail_->capacity - tail_->end);
    std::memcpy(tail_->bytes() + tail_->end, bytes.data(), count);
    tail_->end += count;
    bytes.remove_prefix(count);
  }
}

std::size_t OutputChain::Front(std::span<iovec> vectors) const {
  std::size_t count = 0;
  for (Block* block = head_; block != nullptr && count < vectors.size(); block = block->next) {
    vectors[count++] = {.iov_base = block->bytes() + block->begin,
                        .iov_len = block->end - block->begin};
  }
  return count;
}

void OutputChain::Consume(std::size_t bytes) {
  ELB_ASSERT(bytes <= size_);
  size_ -= bytes;
  while (bytes > 0) {
    const std::size_t count = std::min(bytes, head_->end - head_->begin);
    head_->begin += count;
    bytes -= count;
    if (head_->begin == head_->end) {
      Block* empty = head_;
      head_ = head_->next;
      Block::Free(empty);
    }
  }
  if (head_ == nullptr) {
    tail_ = nullptr;
  }
}

void OutputChain::Clear() {
  while (head_ != nullptr) {
    Block* block = head_;
    head_ = head_->next;
    Block::Free(block);
  }
  tail_ = nullptr;
  size_ = 0;
}

}  // namespace elb::net
