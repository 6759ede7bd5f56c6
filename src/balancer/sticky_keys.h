#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/published.h"
#include "base/random.h"
#include "crypto/hash.h"

namespace elb::balancer {

/// One key of load balancer cookies (data-plane.md 7.2).
struct StickyKey {
  std::uint8_t id = 0;  ///< Stands in the cookies made with it.
  std::array<std::byte, 32> secret{};
  WallTime created_at;
};

/// An immutable state of the keys, newest first, never empty.
class StickyKeyRing {
 public:
  explicit StickyKeyRing(std::vector<StickyKey> keys) : keys_(std::move(keys)) {}

  [[nodiscard]] const std::vector<StickyKey>& keys() const { return keys_; }
  [[nodiscard]] const StickyKey& newest() const { return keys_.front(); }
  /// Null when no key has that id.
  [[nodiscard]] const StickyKey* Find(std::uint8_t id) const;

 private:
  std::vector<StickyKey> keys_;
};

/// The keys of load balancer cookies, shared by all pools and workers (and, by `Keys` and
/// `Restore`, by restarts and nodes): the newest one signs, the one before it is still accepted.
/// Thread-safe; reading takes no lock.
class StickyKeys {
 public:
  static constexpr std::size_t kKept = 2;

  /// Starts with one fresh key.
  StickyKeys(Random& random, const Clock& clock);

  /// Makes a new key when the newest is at least two days old: twice the longest life of a cookie,
  /// so that none dies of a rotation. True when it did. One thread at a time.
  bool RotateIfDue();
  /// Newest first, at most `kKept`.
  [[nodiscard]] std::vector<StickyKey> Keys() const { return ring_.Get()->keys(); }
  /// Replaces the ring, newest first. Without any key it changes nothing.
  void Restore(std::vector<StickyKey> keys);

  /// The ring as of now. The reference is good until this thread's next call of any `StickyKeys`.
  [[nodiscard]] const StickyKeyRing& Current() const { return ring_.Current(); }

  /// Hashes application cookies for tables that live as long as the process.
  [[nodiscard]] const crypto::SipKey& table_key() const { return table_key_; }

 private:
  [[nodiscard]] StickyKey NewKey(std::uint8_t id) const;

  Random* random_;
  const Clock* clock_;
  crypto::SipKey table_key_;
  Published<StickyKeyRing> ring_;
};

}  // namespace elb::balancer
