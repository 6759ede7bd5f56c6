#include "proxy/exchange_metrics.h"

#include <chrono>
#include <cstddef>
#include <optional>

namespace elb::proxy {
namespace {

std::uint64_t Micros(MonotonicTime::duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

/// The counter of a status class, counted from `first` (2xx) on; nullopt for 1xx and others.
template <typename Name>
std::optional<Name> ClassCounter(Name first, int status) {
  if (status < 200 || status > 599) {
    return std::nullopt;
  }
  return static_cast<Name>(static_cast<int>(first) + status / 100 - 2);
}

void CountStatus(CounterSet<ListenerCounter>& counters, std::size_t worker, int status) {
  counters.Add(worker, ListenerCounter::kRequests);
  counters.Add(
      worker,
      ClassCounter(ListenerCounter::kStatus2xx, status).value_or(ListenerCounter::kStatus1xx));
  switch (status) {
    case 404:
      counters.Add(worker, ListenerCounter::kStatus404);
      break;
    case 499:
      counters.Add(worker, ListenerCounter::kStatus499);
      break;
    case 502:
      counters.Add(worker, ListenerCounter::kStatus502);
      break;
    default:
      break;
  }
}

void CountOwn(CounterSet<ListenerCounter>& counters, std::size_t worker, int status) {
  if (const auto counter = ClassCounter(ListenerCounter::kOwn2xx, status)) {
    counters.Add(worker, *counter);
  }
  struct Single {
    int status;
    ListenerCounter counter;
  };
  static constexpr Single kSingles[] = {
      {400, ListenerCounter::kOwn400}, {404, ListenerCounter::kOwn404},
      {408, ListenerCounter::kOwn408}, {499, ListenerCounter::kOwn499},
      {502, ListenerCounter::kOwn502}, {503, ListenerCounter::kOwn503},
      {504, ListenerCounter::kOwn504},
  };
  for (const Single& single : kSingles) {
    if (single.status == status) {
      counters.Add(worker, single.counter);
    }
  }
}

void CountFailure(CounterSet<MemberCounter>& counters, std::size_t worker, AttemptFailure failure) {
  switch (failure) {
    case AttemptFailure::kConnectRefused:
    case AttemptFailure::kConnectUnreachable:
    case AttemptFailure::kConnectTimeout:
    case AttemptFailure::kTls:
      counters.Add(worker, MemberCounter::kConnectFailures);
      break;
    case AttemptFailure::kResponseTimeout:
      counters.Add(worker, MemberCounter::kTimeouts);
      break;
    case AttemptFailure::kClosed:
    case AttemptFailure::kReset:
      counters.Add(worker, MemberCounter::kResets);
      break;
    default:
      break;
  }
}

}  // namespace

void CountUpstream(const WorkerContext& worker, const CompiledListener& listener,
                   const CompiledPool& pool, const AttemptRecord& attempt, AttemptFailure failure) {
  const std::size_t index = worker.index;
  auto& member = attempt.member->counters;
  member.Add(index, MemberCounter::kRequests);
  if (!attempt.reused) {
    member.Add(index, MemberCounter::kConnects);
  }
  if (failure != AttemptFailure::kNone) {
    CountFailure(member, index, failure);
    if (failure == AttemptFailure::kTls) {
      pool.runtime->counters.Add(index, PoolCounter::kHandshakeErrors);
    }
    return;
  }
  if (const auto counter = ClassCounter(MemberCounter::kStatus2xx, attempt.status)) {
    member.Add(index, *counter);
    pool.runtime->counters.Add(index, *ClassCounter(PoolCounter::kStatus2xx, attempt.status));
    listener.runtime->counters.Add(
        index, *ClassCounter(ListenerCounter::kUpstreamStatus2xx, attempt.status));
  }
  pool.runtime->latency.Record(index, Micros(attempt.ended - attempt.started));
}

void CountExchange(const WorkerContext& worker, const ExchangeRecord& record) {
  const std::size_t index = worker.index;
  ListenerRuntime& listener = *record.listener->runtime;
  CountStatus(listener.counters, index, record.outcome->status);
  if (record.outcome->own_answer) {
    CountOwn(listener.counters, index, record.outcome->status);
  }
  listener.counters.Add(index, ListenerCounter::kBytesIn,
                        record.stream->bytes_received() + record.outcome->tunnel_received);
  listener.counters.Add(index, ListenerCounter::kBytesOut,
                        record.stream->bytes_sent() + record.outcome->tunnel_sent);
  if (record.pool != nullptr) {
    record.pool->runtime->counters.Add(index, PoolCounter::kRequests);
  }
  if (record.attempts.size() > 1) {
    listener.counters.Add(index, ListenerCounter::kRetries, record.attempts.size() - 1);
    record.pool->runtime->counters.Add(index, PoolCounter::kRetries, record.attempts.size() - 1);
  }
  listener.latency.Record(index, Micros(worker.reactor->now() - record.stream->started()));
}

void CountRefused(const WorkerContext& worker, const CompiledListener& listener, int status) {
  CountStatus(listener.runtime->counters, worker.index, status);
  CountOwn(listener.runtime->counters, worker.index, status);
}

}  // namespace elb::proxy
