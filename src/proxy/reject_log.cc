#include "proxy/reject_log.h"

#include <fmt/chrono.h>

#include <chrono>

#include "proxy/json_line.h"

namespace elb::proxy {

void RejectLog::Write(const WorkerContext& worker, const CompiledListener& listener,
                      const server::ConnectionFacts& connection,
                      const server::RefusedRequest& refused) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(worker.reactor->wall_now());
  JsonLine json(line_);
  json.Text("time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(now),
                                now.time_since_epoch().count() % 1000));
  json.Text("level", "warn");
  json.Text("event", "request_rejected");
  json.Text("peer", connection.peer().ToString());
  json.Text("listener", listener.config->id.value());
  json.Text("reason", refused.reason);
  json.Text("bytes", refused.bytes);
  json.End();
  static_cast<void>(sink_->Offer(worker.index, line_));  // In a flood lines are lost.
}

}  // namespace elb::proxy
