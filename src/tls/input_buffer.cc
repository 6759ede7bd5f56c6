#include "tls/input_buffer.h"

#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace elb::tls {
namespace {

/// Blocks that a thread keeps for later: about one megabyte.
constexpr std::size_t kPooledMax = 64;

// NOLINTNEXTLINE(modernize-avoid-c-arrays): an std::array on the heap would be zeroed.
using Block = std::unique_ptr<std::byte[]>;

std::vector<Block>& Pool() {
  thread_local std::vector<Block> pool;
  return pool;
}

}  // namespace

InputBuffer::~InputBuffer() { ReleaseBlock(); }

net::ReadResult InputBuffer::Fill(net::Stream& lower, std::span<std::byte> scratch) {
  ELB_ASSERT(bytes_.empty());
  const net::ReadResult read = lower.TryRead(scratch);
  if (read.kind == net::ReadResult::Kind::kData) {
    bytes_ = scratch.first(read.bytes);
  }
  return read;
}

net::ReadResult InputBuffer::Append(net::Stream& lower) {
  OwnBlock();
  const std::size_t size = bytes_.size();
  ELB_ASSERT(size < kBlockBytes);
  const net::ReadResult read = lower.TryRead({block_.get() + size, kBlockBytes - size});
  if (read.kind == net::ReadResult::Kind::kData) {
    bytes_ = {block_.get(), size + read.bytes};
  }
  return read;
}

void InputBuffer::Keep() {
  if (bytes_.empty()) {
    bytes_ = {};
    ReleaseBlock();
  } else if (bytes_.size() <= kSmallBytes) {
    OwnSmallBlock();
  } else if (block_ == nullptr || !LiesInBlock()) {
    OwnBlock();
  }
}

void InputBuffer::OwnSmallBlock() {
  if (small_ && bytes_.data() == block_.get()) {
    return;
  }
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): as above.
  auto block = std::make_unique_for_overwrite<std::byte[]>(bytes_.size());
  std::memcpy(block.get(), bytes_.data(), bytes_.size());
  ReleaseBlock();
  block_ = std::move(block);
  small_ = true;
  bytes_ = {block_.get(), bytes_.size()};
}

bool InputBuffer::LiesInBlock() const {
  const auto* begin = block_.get();
  return !small_ && !std::less<>{}(bytes_.data(), begin) &&
         std::less<>{}(bytes_.data(), begin + kBlockBytes);
}

/// Makes the bytes lie at the front of a block of `kBlockBytes`.
void InputBuffer::OwnBlock() {
  ELB_ASSERT(bytes_.size() <= kBlockBytes);
  Block small;  // Until its bytes are copied.
  if (small_) {
    small = std::move(block_);
    small_ = false;
  }
  if (block_ == nullptr) {
    auto& pool = Pool();
    if (pool.empty()) {
      // NOLINTNEXTLINE(modernize-avoid-c-arrays): as above.
      block_ = std::make_unique_for_overwrite<std::byte[]>(kBlockBytes);
    } else {
      block_ = std::move(pool.back());
      pool.pop_back();
    }
  }
  if (!bytes_.empty() && bytes_.data() != block_.get()) {
    std::memmove(block_.get(), bytes_.data(), bytes_.size());
  }
  bytes_ = {block_.get(), bytes_.size()};
}

void InputBuffer::ReleaseBlock() {
  if (block_ == nullptr) {
    return;
  }
  auto& pool = Pool();
  if (!small_ && pool.size() < kPooledMax) {
    pool.push_back(std::move(block_));
  }
  block_.reset();
  small_ = false;
}

}  // namespace elb::tls
