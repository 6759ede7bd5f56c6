#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"

namespace elb::tls {

/// One session ticket key: name, AES-256 key, HMAC-SHA-256 key.
struct TicketKey {
  std::array<std::byte, 16> name{};
  std::array<std::byte, 32> cipher_key{};
  std::array<std::byte, 32> mac_key{};
  WallTime created_at;
};

/// Ring of ticket keys shared by all workers (and, by `Load`/`Save` bytes, by restarts and nodes):
/// the newest encrypts, the two before it still decrypt (data-plane.md 2.7). Thread-safe; a
/// handshake takes a short lock.
class TicketKeys {
 public:
  static constexpr std::size_t kKept = 3;

  /// Starts with one fresh key.
  TicketKeys(Random& random, const Clock& clock);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  TicketKeys(TicketKeys&&) = delete;
  TicketKeys& operator=(TicketKeys&&) = delete;

  /// Makes a new key when the newest is at least 12 h old. True when it did.
  bool RotateIfDue();
  /// Newest first, at most `kKept`.
  [[nodiscard]] std::vector<TicketKey> Keys() const;
  /// Replaces the ring, newest first; ignores keys older than 36 h. For restarts and clusters.
  void Restore(std::vector<TicketKey> keys);

 private:
  using Ring = std::vector<TicketKey>;
  [[nodiscard]] std::shared_ptr<const Ring> Current() const ELB_EXCLUDES(mutex_);

  Random* random_;
  const Clock* clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const Ring> ring_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::tls
