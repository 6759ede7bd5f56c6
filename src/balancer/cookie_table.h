#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include <absl/container/flat_hash_map.h>

#include "balancer/sticky_cookie.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace elb::balancer {

/// Which member knows which value of an application's cookie (data-plane.md 7.3): one table per
/// pool, shared by all workers, outliving configurations. Keys are hashes of values; members are
/// tags, so that entries survive changes of the pool. Thread-safe; a call holds the lock of one
/// shard for a moment.
class CookieTable {
 public:
  static constexpr std::size_t kEntriesMax = 1'000'000;
  static constexpr std::chrono::hours kIdleMax{24};

  explicit CookieTable(std::size_t entries_max = kEntriesMax);

  /// The member bound to `key`; using an entry keeps it alive.
  [[nodiscard]] std::optional<MemberTag> Find(std::uint64_t key, MonotonicTime now);
  /// Binds `key`, replacing what was there. `lifetime`: of the cookie, nothing for a session's. The
  /// least recently used entries make room.
  void Bind(std::uint64_t key, MemberTag member, MonotonicTime now,
            std::optional<std::chrono::seconds> lifetime);
  /// Another member serves `key` from now on; its end stays. Nothing happens to an unknown one.
  void Rebind(std::uint64_t key, MemberTag member, MonotonicTime now);
  void Unbind(std::uint64_t key);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::uint64_t key = 0;
    MemberTag member = 0;
    MonotonicTime used;
    MonotonicTime ends;  ///< Of the cookie's own life.

    [[nodiscard]] bool Dead(MonotonicTime now) const {
      return now >= ends || now - used >= kIdleMax;
    }
  };
  using Entries = std::list<Entry>;
  struct alignas(64) Shard {
    mutable Mutex mutex;
    Entries entries ELB_GUARDED_BY(mutex);  ///< Most recently used first.
    absl::flat_hash_map<std::uint64_t, Entries::iterator> index ELB_GUARDED_BY(mutex);

    /// The live entry, now the most recently used one, or null.
    [[nodiscard]] Entry* Use(std::uint64_t key, MonotonicTime now) ELB_REQUIRES(mutex);
    void Drop(Entries::iterator entry) ELB_REQUIRES(mutex);
  };
  static constexpr std::size_t kShards = 16;

  [[nodiscard]] Shard& ShardOf(std::uint64_t key) { return shards_[key >> 60]; }

  std::size_t shard_entries_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace elb::balancer
