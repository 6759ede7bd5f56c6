#pragma once

#include <cstddef>

#include "http/message.h"
#include "net/reactor.h"
#include "net/stream.h"
#include "proxy/request_id.h"
#include "proxy/routing_subject.h"
#include "proxy/upstream_pool.h"

namespace elb::proxy {

class AccessLog;
class RejectLog;

/// What the connections and exchanges of one worker share. Worker's thread only.
struct WorkerContext {
  std::size_t index = 0;
  net::Reactor* reactor = nullptr;
  net::Network* network = nullptr;
  AccessLog* access_log = nullptr;  ///< Null: off.
  RejectLog* reject_log = nullptr;  ///< Likewise.
  RequestIds ids;
  UpstreamPool upstreams;
  http::FieldList response_fields;   ///< Scratch: never held across a suspension.
  http::ResponseHead response_head;  ///< Scratch, likewise.
  RoutingScratch routing;            ///< Scratch, likewise.
};

}  // namespace elb::proxy
