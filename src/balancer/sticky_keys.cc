#include "balancer/sticky_keys.h"

#include <algorithm>
#include <chrono>
#include <memory>

namespace elb::balancer {
namespace {

constexpr std::chrono::hours kRotationInterval{48};

crypto::SipKey NewTableKey(Random& random) {
  std::array<std::byte, 16> bytes{};
  random.Fill(bytes);
  return crypto::SipKey::FromBytes(bytes);
}

}  // namespace

const StickyKey* StickyKeyRing::Find(std::uint8_t id) const {
  const auto found = std::ranges::find(keys_, id, &StickyKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

StickyKeys::StickyKeys(Random& random, const Clock& clock)
    : random_(&random),
      clock_(&clock),
      table_key_(NewTableKey(random)),
      ring_(std::make_shared<const StickyKeyRing>(std::vector{NewKey(1)})) {}

bool StickyKeys::RotateIfDue() {
  const auto before = ring_.Get();
  if (clock_->WallNow() - before->newest().created_at < kRotationInterval) {
    return false;
  }
  std::vector<StickyKey> keys{NewKey(static_cast<std::uint8_t>(before->newest().id + 1))};
  for (const StickyKey& key : before->keys()) {
    if (keys.size() < kKept) {
      keys.push_back(key);
    }
  }
  ring_.Publish(std::make_shared<const StickyKeyRing>(std::move(keys)));
  return true;
}

void StickyKeys::Restore(std::vector<StickyKey> keys) {
  if (keys.size() > kKept) {
    keys.resize(kKept);
  }
  if (!keys.empty()) {
    ring_.Publish(std::make_shared<const StickyKeyRing>(std::move(keys)));
  }
}

StickyKey StickyKeys::NewKey(std::uint8_t id) const {
  StickyKey key{.id = id, .secret = {}, .created_at = clock_->WallNow()};
  random_->Fill(key.secret);
  return key;
}

}  // namespace elb::balancer
