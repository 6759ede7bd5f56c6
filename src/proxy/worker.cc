#include "proxy/worker.h"

#include <utility>

#include "net/frame_pool.h"
#include "proxy/limits.h"

namespace elb::proxy {
namespace {

/// Whether a pool gives requests to a member, health aside.
bool MayServe(const CompiledPool& pool, const MemberRuntime* member) {
  for (std::size_t i = 0; i < pool.members.size(); ++i) {
    if (pool.members[i].get() == member) {
      return pool.config->members[i].weight > 0 && pool.config->members[i].admin_up;
    }
  }
  return false;
}

}  // namespace

Worker::Worker(const Parts& parts)
    : access_log_(parts.logs.access != nullptr
                      ? std::make_unique<AccessLog>(*parts.logs.access, parts.logs.options)
                      : nullptr),
      reject_log_(parts.logs.reject != nullptr ? std::make_unique<RejectLog>(*parts.logs.reject)
                                               : nullptr),
      frames_(parts.frames),
      sweep_signal_(*parts.reactor),
      scope_(*parts.reactor) {
  context_.index = parts.index;
  context_.reactor = parts.reactor;
  context_.network = parts.network;
  context_.access_log = access_log_.get();
  context_.reject_log = reject_log_.get();
  context_.ids = parts.ids;
  scope_.Spawn(SweepEachSecond(this));
}

Worker::~Worker() {
  listeners_.clear();
  retired_.clear();
}

std::vector<contract::ListenerProblem> Worker::Apply(
    const std::shared_ptr<const Generation>& generation) {
  for (const ListenerId& id : generation->removed) {
    const auto found = listeners_.find(id);
    if (found != listeners_.end()) {
      found->second->Retire();
      retired_.push_back(std::move(found->second));
      listeners_.erase(found);
    }
  }
  for (const auto& compiled : generation->changed) {
    auto& listener = listeners_[compiled->config->id];
    if (listener == nullptr) {
      listener = std::make_unique<WorkerListener>(compiled, context_);
    } else {
      listener->Update(compiled);
    }
  }
  ForgetMembers(*generation);
  generation_ = generation;
  return Problems();
}

/// Idle connections to members that left, or take no requests any more, are closed at once
/// (data-plane.md 4.9).
void Worker::ForgetMembers(const Generation& generation) {
  if (generation_ == nullptr) {
    return;
  }
  for (const auto& pool : generation.changed_pools) {
    CloseMembersThatLeft(generation, pool->config->id);
  }
  for (const PoolId& id : generation.removed_pools) {
    CloseMembersThatLeft(generation, id);
  }
}

void Worker::CloseMembersThatLeft(const Generation& generation, const PoolId& id) {
  const auto before = generation_->pools.find(id);
  if (before == generation_->pools.end()) {
    return;
  }
  const auto after = generation.pools.find(id);
  for (const auto& member : before->second->members) {
    if (after == generation.pools.end() || !MayServe(*after->second, member.get())) {
      context_.upstreams.CloseMember(member.get());
    }
  }
}

void Worker::Retire() {
  for (auto& [id, listener] : listeners_) {
    listener->Retire();
    retired_.push_back(std::move(listener));
  }
  listeners_.clear();
  for (const auto& listener : retired_) {
    listener->TellRetiring();
  }
}

void Worker::EndIdleConnections() {
  for (const auto& listener : retired_) {
    listener->EndIdleConnections();
  }
}

std::size_t Worker::connections() const {
  std::size_t count = 0;
  for (const auto& [id, listener] : listeners_) {
    count += listener->connections();
  }
  for (const auto& listener : retired_) {
    count += listener->connections();
  }
  return count;
}

std::vector<contract::ListenerProblem> Worker::Problems() const {
  std::vector<contract::ListenerProblem> problems;
  for (const auto& [id, listener] : listeners_) {
    if (!listener->problem().empty()) {
      problems.push_back({.listener = id, .reason = listener->problem()});
    }
  }
  return problems;
}

void Worker::BindMissing() {
  for (auto& [id, listener] : listeners_) {
    if (!listener->problem().empty()) {
      listener->BindMissing();
    }
  }
}

void Worker::CloseIdle(const MemberRuntime* member) { context_.upstreams.CloseMember(member); }

void Worker::Sweep() {
  if (frames_ != nullptr) {
    frames_->store(net::FramesInUse().frames, std::memory_order_relaxed);
  }
  context_.upstreams.Sweep(context_.reactor->now());
  std::erase_if(retired_, [](const std::unique_ptr<WorkerListener>& listener) {
    return listener->connections() == 0;
  });
}

net::Task<void> Worker::SweepEachSecond(Worker* worker) {
  while (true) {
    worker->sweep_signal_.SetDeadline(worker->context_.reactor->now() + std::chrono::seconds{1});
    if (co_await worker->sweep_signal_.Wait() == net::Wake::kCancelled) {
      co_return;
    }
    worker->Sweep();
  }
}

}  // namespace elb::proxy
