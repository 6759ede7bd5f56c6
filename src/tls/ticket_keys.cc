#include "tls/ticket_keys.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace elb::tls {
namespace {

constexpr std::chrono::hours kRotateAfter{12};
constexpr std::chrono::hours kForgetAfter{36};

TicketKey NewKey(Random& random, WallTime now) {
  TicketKey key;
  random.Fill(key.name);
  random.Fill(key.cipher_key);
  random.Fill(key.mac_key);
  key.created_at = now;
  return key;
}

}  // namespace

TicketKeys::TicketKeys(Random& random, const Clock& clock)
    : random_(&random),
      clock_(&clock),
      ring_(std::make_shared<const Ring>(Ring{NewKey(random, clock.WallNow())})) {}

TicketKeys::~TicketKeys() = default;

std::shared_ptr<const TicketKeys::Ring> TicketKeys::Current() const {
  const MutexLock lock(mutex_);
  return ring_;
}

std::vector<TicketKey> TicketKeys::Keys() const { return *Current(); }

bool TicketKeys::RotateIfDue() {
  const MutexLock lock(mutex_);
  const WallTime now = clock_->WallNow();
  if (now - ring_->front().created_at < kRotateAfter) {
    return false;
  }
  Ring next = *ring_;
  next.insert(next.begin(), NewKey(*random_, now));
  next.resize(std::min(next.size(), kKept));
  ring_ = std::make_shared<const Ring>(std::move(next));
  return true;
}

void TicketKeys::Restore(std::vector<TicketKey> keys) {
  const WallTime now = clock_->WallNow();
  std::erase_if(keys, [now](const TicketKey& key) { return now - key.created_at > kForgetAfter; });
  if (keys.empty()) {
    return;
  }
  keys.resize(std::min(keys.size(), kKept));
  const MutexLock lock(mutex_);
  ring_ = std::make_shared<const Ring>(std::move(keys));
}

}  // namespace elb::tls
