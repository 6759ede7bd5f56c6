#pragma once

#include <array>
#include <atomic>
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
/// the newest encrypts, the two before it still decrypt (data-plane.md 2.7). Thread-safe; reading
/// takes no lock.
class TicketKeys {
 public:
  static constexpr std::size_t kKept = 3;

  /// An immutable state of the ring, newest first, never empty. Overwritten when it dies.
  class Ring;

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
  /// Without any usable key it changes nothing.
  void Restore(std::vector<TicketKey> keys);

  /// The ring as of now. The reference is good until this thread's next call of any `TicketKeys`.
  /// Takes a lock only on a thread's first call after a change.
  [[nodiscard]] const Ring& Current() const;

 private:
  [[nodiscard]] TicketKey NewKey() const;
  void Publish(std::shared_ptr<const Ring> ring) ELB_REQUIRES(mutex_);

  Random* random_;
  const Clock* clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const Ring> ring_ ELB_GUARDED_BY(mutex_);
  /// Unique among all states of all rings of the process, so that a thread's copy cannot be
  /// mistaken for that of another ring at the same address.
  std::atomic<std::uint64_t> version_ = 0;
};

class TicketKeys::Ring {
 public:
  explicit Ring(std::vector<TicketKey> keys) : keys_(std::move(keys)) {}
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  Ring(Ring&&) = delete;
  Ring& operator=(Ring&&) = delete;

  [[nodiscard]] const std::vector<TicketKey>& keys() const { return keys_; }
  [[nodiscard]] const TicketKey& newest() const { return keys_.front(); }
  /// Null when no key has that name.
  [[nodiscard]] const TicketKey* Find(const unsigned char* name) const;

 private:
  std::vector<TicketKey> keys_;
};

}  // namespace elb::tls
