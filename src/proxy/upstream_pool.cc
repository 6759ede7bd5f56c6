#include "proxy/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "proxy/limits.h"

namespace elb::proxy {

ConnectionGauge::ConnectionGauge(MemberRuntime& member) : member_(&member) {
  member_->connecting.fetch_add(1, std::memory_order_relaxed);
}

ConnectionGauge::~ConnectionGauge() {
  auto& gauge = established_ ? member_->established : member_->connecting;
  gauge.fetch_sub(1, std::memory_order_relaxed);
}

void ConnectionGauge::SetEstablished() {
  if (!std::exchange(established_, true)) {
    member_->connecting.fetch_sub(1, std::memory_order_relaxed);
    member_->established.fetch_add(1, std::memory_order_relaxed);
  }
}

std::unique_ptr<UpstreamConnection> UpstreamPool::Take(const UpstreamKey& key, MonotonicTime now,
                                                       MonotonicTime::duration idle_max) {
  const auto found = idle_.find(key.member);
  if (found == idle_.end()) {
    return nullptr;
  }
  List& list = found->second;
  for (std::size_t i = list.size(); i > 0; --i) {
    const UpstreamConnection& candidate = *list[i - 1];
    if (now - candidate.idle_since > idle_max) {
      return nullptr;  // Older ones follow.
    }
    if (candidate.endpoint != key.endpoint || candidate.sni != key.sni) {
      continue;
    }
    auto taken = std::move(list[i - 1]);
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(i - 1));
    --size_;
    if (taken->stream->Quiet()) {
      return taken;
    }
  }
  return nullptr;
}

void UpstreamPool::Give(std::unique_ptr<UpstreamConnection> connection, MonotonicTime now) {
  connection->stream->SetSignal(nullptr);
  connection->idle_since = now;
  List& list = idle_[connection->member.get()];
  if (list.size() >= kUpstreamIdlePerMemberMax) {
    list.erase(list.begin());
    --size_;
  }
  list.push_back(std::move(connection));
  ++size_;
}

void UpstreamPool::Sweep(MonotonicTime now) {
  for (auto entry = idle_.begin(); entry != idle_.end();) {
    List& list = entry->second;
    size_ -= list.size();
    std::erase_if(list, [now](const std::unique_ptr<UpstreamConnection>& connection) {
      return connection->stream->peer_gone() || now - connection->idle_since > kUpstreamIdleMax;
    });
    size_ += list.size();
    const auto current = entry++;
    if (list.empty()) {
      idle_.erase(current);
    }
  }
}

void UpstreamPool::CloseMember(const MemberRuntime* member) {
  const auto found = idle_.find(member);
  if (found != idle_.end()) {
    size_ -= found->second.size();
    idle_.erase(found);
  }
}

}  // namespace elb::proxy
