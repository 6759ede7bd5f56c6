#pragma once

#include <string>

#include "proxy/exchange_metrics.h"
#include "proxy/worker_context.h"
#include "server/server_stream.h"

namespace elb::proxy {

/// A request that was refused before there was an exchange.
struct RefusedRecord {
  const contract::ListenerConfig& listener;
  const server::ConnectionFacts& connection;
  const server::RefusedRequest& refused;
};

/// Makes `text` the vendor's access log line of a finished exchange, newline included: fields at
/// fixed places, single spaces, `-` for what there is not (data-plane.md 11.1). Quoted values have
/// `"`, `\`, control bytes and bytes from 0x7f on as `\xHH`. Worker's thread.
void WriteVendorLine(std::string& text, const WorkerContext& worker, const ExchangeRecord& record);
void WriteVendorLine(std::string& text, const WorkerContext& worker, const RefusedRecord& record);

}  // namespace elb::proxy
