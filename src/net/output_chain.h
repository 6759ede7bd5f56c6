#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <sys/uio.h>

namespace elb::net {

/// Output that a socket did not take yet: a chain of blocks. Empty chains own nothing. One thread.
class OutputChain {
 public:
  OutputChain() = default;
  ~OutputChain();
  OutputChain(const OutputChain&) = delete;
  OutputChain& operator=(const OutputChain&) = delete;
  OutputChain(OutputChain&&) = delete;
  OutputChain& operator=(OutputChain&&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Copies `bytes` behind what is there.
  void Append(std::string_view bytes);
  /// Describes the front of the content; returns the number of vectors filled.
  [[nodiscard]] std::size_t Front(std::span<iovec> vectors) const;
  /// Drops `bytes` from the front.
  void Consume(std::size_t bytes);
  void Clear();

 private:
  struct Block;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace elb::net
