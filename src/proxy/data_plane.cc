#include "proxy/data_plane.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>
#include <utility>

#include "proxy/limits.h"
#include "proxy/worker_thread.h"

namespace elb::proxy {
namespace {

/// Joins the problems of all workers: one per listener is enough.
void Merge(std::vector<contract::ListenerProblem>& all,
           std::vector<contract::ListenerProblem> more) {
  for (contract::ListenerProblem& problem : more) {
    const auto same = [&](const contract::ListenerProblem& known) {
      return known.listener == problem.listener;
    };
    if (std::ranges::none_of(all, same)) {
      all.push_back(std::move(problem));
    }
  }
}

}  // namespace

/// Where workers report that a generation is in force. Shared: a worker may come after the
/// deadline.
struct ProxyDataPlane::Acknowledgement {
  Mutex mutex;
  ConditionVariable changed;
  std::size_t missing ELB_GUARDED_BY(mutex) = 0;
  std::vector<contract::ListenerProblem> problems ELB_GUARDED_BY(mutex);

  void Arrive(std::vector<contract::ListenerProblem> found) {
    const MutexLock lock(mutex);
    Merge(problems, std::move(found));
    --missing;
    changed.NotifyAll();
  }
  /// False when the deadline passed first.
  bool WaitForAll(MonotonicTime deadline) {
    const MutexLock lock(mutex);
    while (missing > 0) {
      if (!changed.WaitUntil(mutex, deadline)) {
        return missing == 0;
      }
    }
    return true;
  }
  std::vector<contract::ListenerProblem> TakeProblems() {
    const MutexLock lock(mutex);
    return std::move(problems);
  }
};

Result<std::unique_ptr<ProxyDataPlane>> ProxyDataPlane::Create(const Parts& parts) {
  auto plane = std::unique_ptr<ProxyDataPlane>(new ProxyDataPlane(parts));
  ELB_ASSIGN_OR_RETURN(plane->context_.backend_tls,
                       tls::ClientContext::Create(tls::ClientVersions::kTls12AndUp));
  for (std::size_t i = 0; i < parts.workers; ++i) {
    const RequestIds ids(parts.node_tag, parts.first_request_number + (std::uint64_t{i} << 40));
    plane->workers_.push_back(std::make_unique<WorkerThread>(i, *parts.clock, parts.logs, ids));
  }
  return plane;
}

ProxyDataPlane::ProxyDataPlane(const Parts& parts)
    : parts_(parts), registry_(parts.workers, *parts.cells) {
  context_.registry = &registry_;
  context_.ticket_keys = parts.ticket_keys;
  context_.sticky_keys = parts.sticky_keys;
  context_.limits = parts.limits;
}

ProxyDataPlane::~ProxyDataPlane() { workers_.clear(); }

std::shared_ptr<const Generation> ProxyDataPlane::current() const {
  const MutexLock lock(mutex_);
  return current_;
}

Result<std::shared_ptr<const contract::PreparedSnapshot>> ProxyDataPlane::Prepare(
    std::shared_ptr<const contract::ConfigSnapshot> next) {
  const auto before = current();
  ELB_ASSIGN_OR_RETURN(std::shared_ptr<const Generation> generation,
                       Compile(next, before.get(), context_));
  return generation;
}

contract::ApplyReport ProxyDataPlane::Apply(
    std::shared_ptr<const contract::PreparedSnapshot> prepared) {
  const auto generation = std::static_pointer_cast<const Generation>(std::move(prepared));
  if (parts_.health != nullptr) {
    parts_.health->Apply(generation->snapshot);
  }
  for (const auto& pool : generation->changed_pools) {
    pool->scheduler->Activate(parts_.clock->Now());
  }
  for (const auto& choice : generation->changed_choices) {
    choice->Activate();
  }
  std::shared_ptr<const Generation> before;
  {
    const MutexLock lock(mutex_);
    before = std::exchange(current_, generation);
  }
  // A transition between the two steps above was told to the schedulers of before.
  for (const auto& pool : generation->changed_pools) {
    pool->scheduler->Refresh(parts_.clock->Now());
  }
  MarkInService(*generation, before.get());
  contract::ApplyReport report = ApplyOnWorkers(generation);
  SetProblems(report.problems);
  return report;  // `before` dies here, on the control thread.
}

contract::ApplyReport ProxyDataPlane::ApplyOnWorkers(
    const std::shared_ptr<const Generation>& generation) {
  auto acknowledgement = std::make_shared<Acknowledgement>();
  {
    const MutexLock lock(acknowledgement->mutex);
    acknowledgement->missing = workers_.size();
  }
  for (const auto& worker : workers_) {
    worker->Post([generation, acknowledgement](Worker& self) {
      acknowledgement->Arrive(self.Apply(generation));
    });
  }
  contract::ApplyReport report;
  report.every_worker_acknowledged =
      acknowledgement->WaitForAll(std::chrono::steady_clock::now() + kApplyWait);
  report.problems = acknowledgement->TakeProblems();
  return report;
}

void ProxyDataPlane::SetProblems(std::vector<contract::ListenerProblem> problems) {
  const MutexLock lock(mutex_);
  problems_ = std::move(problems);
}

std::vector<contract::ListenerProblem> ProxyDataPlane::Problems() const {
  const MutexLock lock(mutex_);
  return problems_;
}

std::optional<contract::MemberHealth> ProxyDataPlane::Health(const PoolId& pool,
                                                             const MemberId& member) const {
  const auto cell = parts_.cells->Find(pool, member);
  if (cell == nullptr) {
    return std::nullopt;
  }
  return contract::MemberHealth{
      .status = cell->status.load(std::memory_order_acquire),
      .probed = cell->probed.load(std::memory_order_acquire),
      .reason = cell->reason.load(std::memory_order_acquire),
      .response_code = cell->response_code.load(std::memory_order_acquire),
      .since = WallTime(std::chrono::seconds(cell->since_unix_s.load(std::memory_order_acquire)))};
}

void ProxyDataPlane::OnHealthChanged(const PoolId& pool, const MemberId& member) {
  const auto generation = current();
  if (generation == nullptr) {
    return;
  }
  const auto found = generation->pools.find(pool);
  if (found == generation->pools.end()) {
    return;
  }
  found->second->scheduler->Refresh(parts_.clock->Now());
  for (const auto& runtime : found->second->members) {
    if (runtime->id != member ||
        runtime->cell->status.load(std::memory_order_acquire) != contract::MemberStatus::kOffline) {
      continue;
    }
    for (const auto& worker : workers_) {
      worker->Post([runtime](Worker& self) { self.CloseIdle(runtime.get()); });
    }
  }
}

void ProxyDataPlane::RetryBinding() {
  if (Problems().empty()) {
    return;
  }
  auto acknowledgement = std::make_shared<Acknowledgement>();
  {
    const MutexLock lock(acknowledgement->mutex);
    acknowledgement->missing = workers_.size();
  }
  for (const auto& worker : workers_) {
    worker->Post([acknowledgement](Worker& self) {
      self.BindMissing();
      acknowledgement->Arrive(self.Problems());
    });
  }
  if (acknowledgement->WaitForAll(std::chrono::steady_clock::now() + kApplyWait)) {
    SetProblems(acknowledgement->TakeProblems());
  }
}

void ProxyDataPlane::Stop(std::chrono::milliseconds grace) {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + grace;
  struct Count {
    Mutex mutex;
    ConditionVariable changed;
    std::size_t missing ELB_GUARDED_BY(mutex) = 0;
    std::size_t connections ELB_GUARDED_BY(mutex) = 0;
  };
  bool idle = workers_.empty();
  while (!idle && std::chrono::steady_clock::now() < deadline) {
    auto count = std::make_shared<Count>();
    const MutexLock lock(count->mutex);
    count->missing = workers_.size();
    for (const auto& worker : workers_) {
      worker->Post([count](Worker& self) {
        self.Retire();
        const MutexLock inner(count->mutex);
        count->connections += self.connections();
        --count->missing;
        count->changed.NotifyAll();
      });
    }
    while (count->missing > 0 && count->changed.WaitUntil(count->mutex, deadline)) {
    }
    idle = count->missing == 0 && count->connections == 0;
    if (!idle) {
      count->changed.WaitUntil(count->mutex,
                               std::chrono::steady_clock::now() + std::chrono::milliseconds{20});
    }
  }
  workers_.clear();
}

}  // namespace elb::proxy
