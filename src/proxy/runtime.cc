#include "proxy/runtime.h"

#include <utility>

namespace elb::proxy {
namespace {

/// Finds what `key` names or makes it; entries whose object died are replaced.
template <typename Value, typename Make>
std::shared_ptr<Value> FindOrMake(absl::flat_hash_map<std::string, std::weak_ptr<Value>>& map,
                                  const std::string& key, const Make& make) {
  std::weak_ptr<Value>& entry = map[key];
  if (auto found = entry.lock()) {
    return found;
  }
  std::shared_ptr<Value> made = make();
  entry = made;
  if (map.size() > 1024 && (map.size() & (map.size() - 1)) == 0) {
    absl::erase_if(map, [](const auto& item) { return item.second.expired(); });
  }
  return made;
}

}  // namespace

std::shared_ptr<ListenerRuntime> RuntimeRegistry::Listener(const ListenerId& id) {
  const MutexLock lock(mutex_);
  return FindOrMake(listeners_, id.value(),
                    [&] { return std::make_shared<ListenerRuntime>(id, workers_); });
}

std::shared_ptr<PoolRuntime> RuntimeRegistry::Pool(const PoolId& id) {
  const MutexLock lock(mutex_);
  return FindOrMake(pools_, id.value(),
                    [&] { return std::make_shared<PoolRuntime>(id, workers_); });
}

std::shared_ptr<MemberRuntime> RuntimeRegistry::Member(const PoolId& pool, const MemberId& id) {
  const MutexLock lock(mutex_);
  return FindOrMake(members_, pool.value() + '/' + id.value(), [&] {
    return std::make_shared<MemberRuntime>(pool, id, cells_->Get(pool, id), workers_);
  });
}

}  // namespace elb::proxy
