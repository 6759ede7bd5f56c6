#include "tls/ticket_keys.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace elb::tls {
namespace {

constexpr std::chrono::hours kRotationInterval{12};
constexpr std::chrono::hours kAgeMax{36};

std::uint64_t NextVersion() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

/// What a thread knows of the ring that it used last.
struct ThreadCopy {
  std::uint64_t version = 0;
  std::shared_ptr<const TicketKeys::Ring> ring;
};

}  // namespace

TicketKeys::Ring::~Ring() {
  for (TicketKey& key : keys_) {
    OPENSSL_cleanse(key.cipher_key.data(), key.cipher_key.size());
    OPENSSL_cleanse(key.mac_key.data(), key.mac_key.size());
  }
}

const TicketKey* TicketKeys::Ring::Find(const unsigned char* name) const {
  const auto found = std::ranges::find_if(keys_, [&](const TicketKey& key) {
    return std::memcmp(key.name.data(), name, key.name.size()) == 0;
  });
  return found == keys_.end() ? nullptr : &*found;
}

TicketKeys::TicketKeys(Random& random, const Clock& clock) : random_(&random), clock_(&clock) {
  const MutexLock lock(mutex_);
  Publish(std::make_shared<const Ring>(std::vector{NewKey()}));
}

TicketKeys::~TicketKeys() = default;

bool TicketKeys::RotateIfDue() {
  const MutexLock lock(mutex_);
  if (clock_->WallNow() - ring_->newest().created_at < kRotationInterval) {
    return false;
  }
  std::vector<TicketKey> keys{NewKey()};
  for (const TicketKey& key : ring_->keys()) {
    if (keys.size() < kKept) {
      keys.push_back(key);
    }
  }
  Publish(std::make_shared<const Ring>(std::move(keys)));
  return true;
}

std::vector<TicketKey> TicketKeys::Keys() const {
  const MutexLock lock(mutex_);
  return ring_->keys();
}

void TicketKeys::Restore(std::vector<TicketKey> keys) {
  const WallTime oldest = clock_->WallNow() - kAgeMax;
  std::erase_if(keys, [&](const TicketKey& key) { return key.created_at < oldest; });
  if (keys.size() > kKept) {
    keys.resize(kKept);
  }
  if (keys.empty()) {
    return;
  }
  const MutexLock lock(mutex_);
  Publish(std::make_shared<const Ring>(std::move(keys)));
}

const TicketKeys::Ring& TicketKeys::Current() const {
  // NOLINTNEXTLINE(misc-use-internal-linkage): local to the function already.
  thread_local ThreadCopy copy;
  if (copy.version != version_.load(std::memory_order_acquire)) {
    const MutexLock lock(mutex_);
    copy.ring = ring_;
    copy.version = version_.load(std::memory_order_relaxed);
  }
  return *copy.ring;
}

TicketKey TicketKeys::NewKey() const {
  TicketKey key;
  random_->Fill(key.name);
  random_->Fill(key.cipher_key);
  random_->Fill(key.mac_key);
  key.created_at = clock_->WallNow();
  return key;
}

void TicketKeys::Publish(std::shared_ptr<const Ring> ring) {
  ring_ = std::move(ring);
  version_.store(NextVersion(), std::memory_order_release);
}

}  // namespace elb::tls
