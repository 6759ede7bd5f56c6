#pragma once

#include <string>

#include "proxy/access_log.h"
#include "proxy/generation.h"
#include "proxy/worker_context.h"
#include "server/server_stream.h"

namespace elb::proxy {

/// Writes one JSON line per malformed request: time, peer, listener, reason and the first bytes
/// (data-plane.md 11.1). One per worker, on its thread.
class RejectLog {
 public:
  explicit RejectLog(LineSink& sink) : sink_(&sink) {}
  void Write(const WorkerContext& worker, const CompiledListener& listener,
             const server::ConnectionFacts& connection, const server::RefusedRequest& refused);

 private:
  LineSink* sink_;
  std::string line_;
};

}  // namespace elb::proxy
