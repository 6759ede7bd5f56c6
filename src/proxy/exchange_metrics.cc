#include "proxy/exchange_metrics.h"

#include <algorithm>
#include <array>
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

/// Position of a status among the classes from 2xx on; nullopt for 1xx and others.
std::optional<int> StatusClass(int status) {
  if (status < 200 || status > 599) {
    return std::nullopt;
  }
  return status / 100 - 2;
}

/// The counter of a status class, behind that of 2xx.
template <typename Name>
Name OfClass(Name first, int position) {
  return static_cast<Name>(static_cast<int>(first) + position);
}

void CountStatus(CounterSet<ListenerCounter>& counters, std::size_t worker, int status) {
  counters.Add(worker, ListenerCounter::kRequests);
  const auto position = StatusClass(status);
  counters.Add(worker, position ? OfClass(ListenerCounter::kStatus2xx, *position)
                                : ListenerCounter::kStatus1xx);
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
constexpr std::array kUpstreamSingles{SingleStatus{.status = 101,
                                                   .listener = ListenerCounter::kUpstream101,
                                                   .pool = PoolCounter::kUpstream101},
                                      SingleStatus{.status = 400,
                                                   .listener = ListenerCounter::kUpstream400,
                                                   .pool = PoolCounter::kUpstream400},
                                      SingleStatus{.status = 403,
                                                   .listener = ListenerCounter::kUpstream403,
                                                   .pool = PoolCounter::kUpstream403},
                                      SingleStatus{.status = 404,
                                                   .listener = ListenerCounter::kUpstream404,
                                                   .pool = PoolCounter::kUpstream404},
                                      SingleStatus{.status = 500,
                                                   .listener = ListenerCounter::kUpstream500,
                                                   .pool = PoolCounter::kUpstream500},
                                      SingleStatus{.status = 501,
                                                   .listener = ListenerCounter::kUpstream501,
                                                   .pool = PoolCounter::kUpstream501},
                                      SingleStatus{.status = 502,
                                                   .listener = ListenerCounter::kUpstream502,
                                                   .pool = PoolCounter::kUpstream502},
                                      SingleStatus{.status = 503,
                                                   .listener = ListenerCounter::kUpstream503,
                                                   .pool = PoolCounter::kUpstream503},
                                      SingleStatus{.status = 504,
                                                   .listener = ListenerCounter::kUpstream504,
                                                   .pool = PoolCounter::kUpstream504}};
constexpr SingleStatus kUpstreamOther{
    .status = 0, .listener = ListenerCounter::kUpstreamOther, .pool = PoolCounter::kUpstreamOther};

const SingleStatus& UpstreamSingle(int status) {
  const auto* found = std::ranges::find(kUpstreamSingles, status, &SingleStatus::status);
  return found == std::end(kUpstreamSingles) ? kUpstreamOther : *found;
}

void CountOwn(CounterSet<ListenerCounter>& counters, std::size_t worker, int status) {
  if (const auto position = StatusClass(status)) {
    counters.Add(worker, OfClass(ListenerCounter::kOwn2xx, *position));
  }
  struct Single {
    int status;
    ListenerCounter counter;
  };
  static constexpr std::array kSingles{Single{.status = 400, .counter = ListenerCounter::kOwn400},
                                       Single{.status = 404, .counter = ListenerCounter::kOwn404},
                                       Single{.status = 408, .counter = ListenerCounter::kOwn408},
                                       Single{.status = 499, .counter = ListenerCounter::kOwn499},
                                       Single{.status = 502, .counter = ListenerCounter::kOwn502},
                                       Single{.status = 503, .counter = ListenerCounter::kOwn503},
                                       Single{.status = 504, .counter = ListenerCounter::kOwn504}};
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
  if (const auto position = StatusClass(attempt.status)) {
    member.Add(index, OfClass(MemberCounter::kStatus2xx, *position));
    pool.runtime->counters.Add(index, OfClass(PoolCounter::kStatus2xx, *position));
    listener.runtime->counters.Add(index, OfClass(ListenerCounter::kUpstreamStatus2xx, *position));
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
