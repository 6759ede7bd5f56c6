#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"

namespace elb::proxy {

/// How an id is written: 32 hex digits, or in groups with dashes.
enum class RequestIdFormat : std::uint8_t { kHex, kUuid };

/// Id of one request: a UUID version 7 (RFC 9562 section 5.7). Its 128 bits are 48 of Unix time in
/// milliseconds, version 7, 12 of a number, variant, 38 of that number, 24 of the node. So ids sort
/// by time, and the last six hex digits tell the node.
class RequestId {
 public:
  static constexpr std::size_t kTextMax = 36;

  RequestId() = default;
  RequestId(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}
  /// Writes it, in lower case, to the front of `into`; returns what was written.
  [[nodiscard]] std::string_view Print(RequestIdFormat format,
                                       std::span<char, kTextMax> into) const;
  friend bool operator==(const RequestId&, const RequestId&) = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

/// Makes ids, none twice. One per worker, on its thread: no lock, no system call.
class RequestIds {
 public:
  RequestIds() = default;
  /// `node`: 24 bits that tell nodes apart. `start` is unpredictable, so that ids of one process do
  /// not follow from those of another; workers of one process start 2^40 apart.
  RequestIds(std::uint32_t node, std::uint64_t start) : node_(node & 0xFF'FFFF), next_(start) {}

  [[nodiscard]] RequestId Next(WallTime now);

 private:
  std::uint64_t node_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace elb::proxy
