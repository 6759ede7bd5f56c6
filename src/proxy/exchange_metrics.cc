#include "proxy/exchange_metrics.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
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

struct SingleStatus {
  int status;
  ListenerCounter listener;
  PoolCounter pool;
};

/// The counters of single statuses that members answer with; `Upstream` is every other one.
constexpr SingleStatus kUpstreamSingles[] = {
    {101, ListenerCounter::kUpstream101, PoolCounter::kUpstream101},
    {400, ListenerCounter::kUpstream400, PoolCounter::kUpstream400},
    {403, ListenerCounter::kUpstream403, PoolCounter::kUpstream403},
    {404, ListenerCounter::kUpstream404, PoolCounter::kUpstream404},
    {500, ListenerCounter::kUpstream500, PoolCounter::kUpstream500},
    {501, ListenerCounter::kUpstream501, PoolCounter::kUpstream501},
    {502, ListenerCounter::kUpstream502, PoolCounter::kUpstream502},
    {503, ListenerCounter::kUpstream503, PoolCounter::kUpstream503},
    {504, ListenerCounter::kUpstream504, PoolCounter::kUpstream504},
};
constexpr SingleStatus kUpstreamOther = {0, ListenerCounter::kUpstreamOther,
                                         PoolCounter::kUpstreamOther};

const SingleStatus& UpstreamSingle(int status) {
  const auto* found = std::ranges::find(kUpstreamSingles, status, &SingleStatus::status);
  return found == std::end(kUpstreamSingles) ? kUpstreamOther : *found;
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
  const SingleStatus& single = UpstreamSingle(attempt.status);
  listener.runtime->counters.Add(index, single.listener);
  pool.runtime->counters.Add(index, single.pool);
  const std::uint64_t micros = Micros(attempt.ended - attempt.started);
  pool.runtime->latency.Record(index, micros);
  pool.runtime->extremes.Record(index, MinuteOf(attempt.ended), micros);
}

void CountUpstreamTraffic(const WorkerContext& worker, const CompiledListener& listener,
                          const CompiledPool& pool, net::Stream& upstream) {
  const net::Traffic traffic = upstream.TakeTraffic(net::PacketCount::kNever);
  listener.runtime->counters.Add(worker.index, ListenerCounter::kUpstreamBytesIn, traffic.bytes_in);
  listener.runtime->counters.Add(worker.index, ListenerCounter::kUpstreamBytesOut,
                                 traffic.bytes_out);
  pool.runtime->counters.Add(worker.index, PoolCounter::kBytesIn, traffic.bytes_in);
  pool.runtime->counters.Add(worker.index, PoolCounter::kBytesOut, traffic.bytes_out);
}

void CountClientTraffic(const WorkerContext& worker, ListenerRuntime& listener, net::Stream& client,
                        net::PacketCount packets) {
  const net::Traffic traffic = client.TakeTraffic(packets);
  listener.counters.Add(worker.index, ListenerCounter::kBytesIn, traffic.bytes_in);
  listener.counters.Add(worker.index, ListenerCounter::kBytesOut, traffic.bytes_out);
  listener.counters.Add(worker.index, ListenerCounter::kPacketsIn, traffic.packets_in);
  listener.counters.Add(worker.index, ListenerCounter::kPacketsOut, traffic.packets_out);
}

void CountExchange(const WorkerContext& worker, const ExchangeRecord& record) {
  const std::size_t index = worker.index;
  ListenerRuntime& listener = *record.listener->runtime;
  CountStatus(listener.counters, index, record.outcome->status);
  if (record.outcome->own_answer) {
    CountOwn(listener.counters, index, record.outcome->status);
  }
  CountClientTraffic(worker, listener, *record.stream->connection().stream,
                     net::PacketCount::kWhenDue);
  if (record.pool != nullptr) {
    record.pool->runtime->counters.Add(index, PoolCounter::kRequests);
  }
  if (record.attempts.size() > 1) {
    listener.counters.Add(index, ListenerCounter::kRetries, record.attempts.size() - 1);
    record.pool->runtime->counters.Add(index, PoolCounter::kRetries, record.attempts.size() - 1);
  }
  const MonotonicTime now = worker.reactor->now();
  const std::uint64_t micros = Micros(now - record.stream->started());
  listener.latency.Record(index, micros);
  listener.extremes.Record(index, MinuteOf(now), micros);
}

void CountRefused(const WorkerContext& worker, const CompiledListener& listener, int status) {
  CountStatus(listener.runtime->counters, worker.index, status);
  CountOwn(listener.runtime->counters, worker.index, status);
}

}  // namespace elb::proxy
