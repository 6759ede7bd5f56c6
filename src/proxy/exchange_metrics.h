#pragma once

#include <span>

#include "net/stream.h"
#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/generation.h"
#include "proxy/worker_context.h"
#include "server/server_stream.h"

namespace elb::proxy {

/// A finished exchange, for counters and the access log.
struct ExchangeRecord {
  const CompiledListener* listener = nullptr;
  const server::ServerStream* stream = nullptr;
  const ExchangeOutcome* outcome = nullptr;
  const CompiledPool* pool = nullptr;
  const Endpoint* client = nullptr;  ///< Whom the request comes from.
  const RequestIdentity* identity = nullptr;
  std::span<const AttemptRecord> attempts;
};

/// Counts one attempt: at the member, its pool and the listener. Worker's thread.
void CountUpstream(const WorkerContext& worker, const CompiledListener& listener,
                   const CompiledPool& pool, const AttemptRecord& attempt, AttemptFailure failure);

/// Counts what went over an upstream connection since this was called last. Worker's thread.
void CountUpstreamTraffic(const WorkerContext& worker, const CompiledListener& listener,
                          const CompiledPool& pool, net::Stream& upstream);

/// Likewise over a client's connection. `kNow` when it ends.
void CountClientTraffic(const WorkerContext& worker, ListenerRuntime& listener, net::Stream& client,
                        net::PacketCount packets);

/// Counts a finished exchange at its listener.
void CountExchange(const WorkerContext& worker, const ExchangeRecord& record);

/// Counts an answer that was made before there was an exchange (400, 408, ...).
void CountRefused(const WorkerContext& worker, const CompiledListener& listener, int status);

}  // namespace elb::proxy
