#pragma once

#include <cstddef>
#include <cstdint>
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

enum class LogFormat : std::uint8_t {
  kJson,    ///< One object a line.
  kVendor,  ///< The vendor's line of data-plane.md 11.1.
};

enum class LogScope : std::uint8_t {
  kAll,
  kWithLogtank,  ///< Only load balancers that have one.
};

struct AccessLogOptions {
  LogFormat format = LogFormat::kJson;
  LogScope scope = LogScope::kAll;
};

/// Where the lines of all workers go; null: off.
struct LogSinks {
  AccessLogOptions options;
  LineSink* access = nullptr;
  LineSink* reject = nullptr;
};

/// Writes one line per finished exchange (data-plane.md 11.1). One per worker, on its thread;
/// the line buffer is reused.
class AccessLog {
 public:
  AccessLog(LineSink& sink, const AccessLogOptions& options) : sink_(&sink), options_(options) {
    line_.reserve(2048);
  }
  /// Whether the listener's requests are logged.
  [[nodiscard]] bool Wants(const CompiledListener& listener) const;
  void Write(const WorkerContext& worker, const ExchangeRecord& record);
  /// A request that was answered before there was an exchange: 408, 414 and the like, not 400.
  void WriteRefused(WorkerContext& worker, const CompiledListener& listener,
                    const server::ConnectionFacts& connection,
                    const server::RefusedRequest& refused);

 private:
  void WriteJson(const WorkerContext& worker, const ExchangeRecord& record);
  void WriteRefusedJson(WorkerContext& worker, const CompiledListener& listener,
                        const server::ConnectionFacts& connection,
                        const server::RefusedRequest& refused);
  void Offer(const WorkerContext& worker, const CompiledListener& listener);

  LineSink* sink_;
  AccessLogOptions options_;
  std::string line_;
};

}  // namespace elb::proxy
