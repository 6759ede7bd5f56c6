#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proxy/exchange_metrics.h"
#include "proxy/worker_context.h"

namespace elb::proxy {

/// Takes finished lines (with their newline) without ever blocking; false: dropped. Each worker
/// offers from its own thread.
class LineSink {
 public:
  virtual ~LineSink() = default;
  [[nodiscard]] virtual bool Offer(std::size_t worker, std::string_view line) = 0;
};

/// Where the lines of all workers go; null: off.
struct LogSinks {
  LineSink* access = nullptr;
  LineSink* reject = nullptr;
};

/// Writes one JSON line per finished exchange (data-plane.md 11.1). One per worker, on its thread;
/// the line buffer is reused.
class AccessLog {
 public:
  explicit AccessLog(LineSink& sink) : sink_(&sink) { line_.reserve(2048); }
  void Write(const WorkerContext& worker, const ExchangeRecord& record);
  /// A request that was answered before there was an exchange: 408, 414 and the like, not 400.
  void WriteRefused(const WorkerContext& worker, const CompiledListener& listener,
                    const server::ConnectionFacts& connection,
                    const server::RefusedRequest& refused);

 private:
  void Offer(const WorkerContext& worker, const CompiledListener& listener);

  LineSink* sink_;
  std::string line_;
};

}  // namespace elb::proxy
