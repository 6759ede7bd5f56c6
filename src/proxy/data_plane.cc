#include "proxy/data_plane.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include "net/socket_address.h"
#include "proxy/limits.h"
#include "proxy/worker_thread.h"

namespace elb::proxy {
namespace {

using ProblemList = std::vector<contract::ListenerProblem>;

/// Joins the problems of all workers: one per listener is enough.
void Merge(ProblemList& all, const ProblemList& more) {
  for (const contract::ListenerProblem& problem : more) {
    const auto same = [&](const contract::ListenerProblem& known) {
      return known.listener == problem.listener;
    };
    if (std::ranges::none_of(all, same)) {
      all.push_back(problem);
    }
  }
}

/// Where all workers bring something. Shared: a worker may come after the deadline.
template <typename Value>
class Collection {
 public:
  explicit Collection(std::size_t workers) : missing_(workers) {}
  /// One worker's part: `add` puts it in.
  template <typename Add>
  void Bring(const Add& add) {
    const MutexLock lock(mutex_);
    add(value_);
    --missing_;
    changed_.NotifyAll();
  }
  /// False when the deadline passed first.
  bool WaitForAll(MonotonicTime deadline) {
    const MutexLock lock(mutex_);
    while (missing_ > 0) {
      if (!changed_.WaitUntil(mutex_, deadline)) {
        return missing_ == 0;
      }
    }
    return true;
  }
  Value Take() {
    const MutexLock lock(mutex_);
    return std::move(value_);
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::size_t missing_ ELB_GUARDED_BY(mutex_);
  Value value_ ELB_GUARDED_BY(mutex_){};
};

MonotonicTime After(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace

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
  auto problems = std::make_shared<Collection<ProblemList>>(workers_.size());
  for (const auto& worker : workers_) {
    worker->Post([generation, problems](Worker& self) {
      problems->Bring([found = self.Apply(generation)](ProblemList& all) { Merge(all, found); });
    });
  }
  contract::ApplyReport report;
  report.every_worker_acknowledged = problems->WaitForAll(After(kApplyWait));
  report.problems = problems->Take();
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
  auto problems = std::make_shared<Collection<ProblemList>>(workers_.size());
  for (const auto& worker : workers_) {
    worker->Post([problems](Worker& self) {
      self.BindMissing();
      problems->Bring([found = self.Problems()](ProblemList& all) { Merge(all, found); });
    });
  }
  if (problems->WaitForAll(After(kApplyWait))) {
    SetProblems(problems->Take());
  }
}

/// Sockets of one endpoint go to workers in turn: as many as there were workers before.
void ProxyDataPlane::Adopt(std::vector<Descriptor> sockets) {
  if (workers_.empty()) {
    return;
  }
  std::map<Endpoint, std::size_t> turns;
  std::vector<std::vector<Descriptor>> shares(workers_.size());
  for (Descriptor& socket : sockets) {
    const std::size_t turn = turns[net::LocalEndpoint(socket)]++;
    shares[turn % shares.size()].push_back(std::move(socket));
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    workers_[i]->Adopt(std::move(shares[i]));
  }
}

void ProxyDataPlane::DropAdopted() {
  for (const auto& worker : workers_) {
    worker->DropAdopted();
  }
}

std::vector<Descriptor> ProxyDataPlane::ShareSockets() {
  using Sockets = std::vector<Descriptor>;
  auto all = std::make_shared<Collection<Sockets>>(workers_.size());
  for (const auto& worker : workers_) {
    worker->Share([all](Sockets sockets) {
      all->Bring([&sockets](Sockets& out) { std::ranges::move(sockets, std::back_inserter(out)); });
    });
  }
  static_cast<void>(all->WaitForAll(After(kApplyWait)));
  return all->Take();
}

std::size_t ProxyDataPlane::frames() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_) {
    sum += worker->frames();
  }
  return sum;
}

std::size_t ProxyDataPlane::RetireWorkers(bool end_idle, MonotonicTime deadline) {
  auto connections = std::make_shared<Collection<std::size_t>>(workers_.size());
  for (const auto& worker : workers_) {
    worker->Post([connections, end_idle](Worker& self) {
      self.Retire();
      if (end_idle) {
        self.EndIdleConnections();
      }
      connections->Bring([&self](std::size_t& sum) { sum += self.connections(); });
    });
  }
  return connections->WaitForAll(deadline) ? connections->Take() : SIZE_MAX;
}

void ProxyDataPlane::Stop(const Grace& grace) {
  constexpr std::chrono::milliseconds kLookAgain{20};
  const MonotonicTime deadline = After(grace.total);
  const MonotonicTime idle_until = After(grace.idle);
  while (!workers_.empty() && std::chrono::steady_clock::now() < deadline &&
         RetireWorkers(std::chrono::steady_clock::now() >= idle_until, deadline) > 0) {
    std::this_thread::sleep_until(std::min(deadline, After(kLookAgain)));
  }
  workers_.clear();
}

}  // namespace elb::proxy
