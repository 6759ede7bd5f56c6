#include "proxy/exchange_metrics.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
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

/// A status with a counter of its own.
template <typename Name>
struct SingleStatus {
  int status;
  Name counter;
};

constexpr auto kSentSingles = std::to_array<SingleStatus<ListenerCounter>>({
    {404, ListenerCounter::kStatus404},
    {499, ListenerCounter::kStatus499},
    {502, ListenerCounter::kStatus502},
});

constexpr auto kOwnSingles = std::to_array<SingleStatus<ListenerCounter>>({
    {400, ListenerCounter::kOwn400},
    {404, ListenerCounter::kOwn404},
    {408, ListenerCounter::kOwn408},
    {499, ListenerCounter::kOwn499},
    {502, ListenerCounter::kOwn502},
    {503, ListenerCounter::kOwn503},
    {504, ListenerCounter::kOwn504},
});

constexpr auto kUpstreamSingles = std::to_array<SingleStatus<UpstreamCounter>>({
    {101, UpstreamCounter::kStatus101},
    {400, UpstreamCounter::kStatus400},
    {403, UpstreamCounter::kStatus403},
    {404, UpstreamCounter::kStatus404},
    {500, UpstreamCounter::kStatus500},
    {501, UpstreamCounter::kStatus501},
    {502, UpstreamCounter::kStatus502},
    {503, UpstreamCounter::kStatus503},
    {504, UpstreamCounter::kStatus504},
});

template <typename Name, std::size_t size>
std::optional<Name> SingleOf(const std::array<SingleStatus<Name>, size>& singles, int status) {
  const auto* found = std::ranges::find(singles, status, &SingleStatus<Name>::status);
  return found == singles.end() ? std::nullopt : std::optional(found->counter);
}

void CountStatus(CounterSet<ListenerCounter>& counters, std::size_t worker, int status) {
  counters.Add(worker, ListenerCounter::kRequests);
  const auto position = StatusClass(status);
  counters.Add(worker, position ? OfClass(ListenerCounter::kStatus2xx, *position)
                                : ListenerCounter::kStatus1xx);
  if (const auto single = SingleOf(kSentSingles, status)) {
    counters.Add(worker, *single);
  }
}

void CountOwn(CounterSet<ListenerCounter>& counters, std::size_t worker, int status) {
  if (const auto position = StatusClass(status)) {
    counters.Add(worker, OfClass(ListenerCounter::kOwn2xx, *position));
  }
  if (const auto single = SingleOf(kOwnSingles, status)) {
    counters.Add(worker, *single);
  }
}

void CountUpstreamStatus(CounterSet<UpstreamCounter>& counters, std::size_t worker, int status) {
  if (const auto position = StatusClass(status)) {
    counters.Add(worker, OfClass(UpstreamCounter::kStatus2xx, *position));
  }
  counters.Add(worker, SingleOf(kUpstreamSingles, status).value_or(UpstreamCounter::kStatusOther));
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
  }
  CountUpstreamStatus(listener.runtime->upstream, index, attempt.status);
  CountUpstreamStatus(pool.runtime->upstream, index, attempt.status);
  const std::uint64_t micros = Micros(attempt.ended - attempt.started);
  pool.runtime->latency.Record(index, micros);
  pool.runtime->extremes.Record(index, MinuteOf(attempt.ended), micros);
}

void CountUpstreamTraffic(const WorkerContext& worker, const CompiledListener& listener,
                          const CompiledPool& pool, net::Stream& upstream) {
  const net::Traffic traffic = upstream.TakeTraffic(net::PacketCount::kNever);
  for (auto* counters : {&listener.runtime->upstream, &pool.runtime->upstream}) {
    counters->Add(worker.index, UpstreamCounter::kBytesIn, traffic.bytes_in);
    counters->Add(worker.index, UpstreamCounter::kBytesOut, traffic.bytes_out);
  }
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
    const std::size_t retries = record.attempts.size() - 1;
    listener.upstream.Add(index, UpstreamCounter::kRetries, retries);
    record.pool->runtime->upstream.Add(index, UpstreamCounter::kRetries, retries);
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
