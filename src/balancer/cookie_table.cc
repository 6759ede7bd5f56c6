#include "balancer/cookie_table.h"

#include <algorithm>

namespace elb::balancer {

CookieTable::Entry* CookieTable::Shard::Use(std::uint64_t key, MonotonicTime now) {
  const auto found = index.find(key);
  if (found == index.end()) {
    return nullptr;
  }
  const Entries::iterator entry = found->second;
  if (entry->Dead(now)) {
    Drop(entry);
    return nullptr;
  }
  entry->used = now;
  entries.splice(entries.begin(), entries, entry);
  return &*entry;
}

void CookieTable::Shard::Drop(Entries::iterator entry) {
  index.erase(entry->key);
  entries.erase(entry);
}

CookieTable::CookieTable(std::size_t entries_max)
    : shard_entries_max_(std::max<std::size_t>(1, entries_max / kShards)) {}

std::optional<MemberTag> CookieTable::Find(std::uint64_t key, MonotonicTime now) {
  Shard& shard = ShardOf(key);
  const MutexLock lock(shard.mutex);
  const Entry* entry = shard.Use(key, now);
  return entry == nullptr ? std::nullopt : std::optional(entry->member);
}

void CookieTable::Bind(std::uint64_t key, MemberTag member, MonotonicTime now,
                       std::optional<std::chrono::seconds> lifetime) {
  const MonotonicTime ends =
      lifetime && *lifetime < kIdleMax * 366 ? now + *lifetime : MonotonicTime::max();
  Shard& shard = ShardOf(key);
  const MutexLock lock(shard.mutex);
  if (Entry* entry = shard.Use(key, now)) {
    entry->member = member;
    entry->ends = ends;
    return;
  }
  // Each newcomer buries up to two dead, so that these do not pile up in a busy table.
  for (int i = 0; i < 2 && !shard.entries.empty() && shard.entries.back().Dead(now); ++i) {
    shard.Drop(std::prev(shard.entries.end()));
  }
  if (shard.entries.size() >= shard_entries_max_) {
    shard.Drop(std::prev(shard.entries.end()));
  }
  shard.entries.push_front({.key = key, .member = member, .used = now, .ends = ends});
  shard.index.emplace(key, shard.entries.begin());
}

void CookieTable::Rebind(std::uint64_t key, MemberTag member, MonotonicTime now) {
  Shard& shard = ShardOf(key);
  const MutexLock lock(shard.mutex);
  if (Entry* entry = shard.Use(key, now)) {
    entry->member = member;
  }
}

void CookieTable::Unbind(std::uint64_t key) {
  Shard& shard = ShardOf(key);
  const MutexLock lock(shard.mutex);
  const auto found = shard.index.find(key);
  if (found != shard.index.end()) {
    shard.Drop(found->second);
  }
}

std::size_t CookieTable::size() const {
  std::size_t size = 0;
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    size += shard.entries.size();
  }
  return size;
}

}  // namespace elb::balancer
