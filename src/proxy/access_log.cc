#include "proxy/access_log.h"

#include <array>
#include <cstdint>
#include <string>

#include "proxy/json_line.h"
#include "proxy/log_values.h"
#include "proxy/vendor_line.h"

namespace elb::proxy {
namespace {

void WriteAttempts(JsonLine& json, const ExchangeRecord& record) {
  struct Named {
    std::string_view name;
    AttemptValue value;
  };
  static constexpr std::array kFields = {
      Named{"upstream_status", AttemptValue::kStatus},
      Named{"upstream_connect_time", AttemptValue::kConnectTime},
      Named{"upstream_header_time", AttemptValue::kHeaderTime},
      Named{"upstream_response_time", AttemptValue::kResponseTime},
      Named{"upstream_addr", AttemptValue::kAddress},
      Named{"upstream_addr_priv", AttemptValue::kAddress},
      Named{"member_name", AttemptValue::kMember},
  };
  for (const Named& field : kFields) {
    json.Name(field.name);
    json.Quoted([&](std::string& line) { AppendAttempts(line, record.attempts, field.value); });
  }
}

void WriteRequest(JsonLine& json, const ExchangeRecord& record) {
  const http::RequestHead& request = record.stream->request();
  json.Text("request_method", request.method_text);
  json.Text("scheme", Scheme(record.stream->connection()));
  json.Text("host", LoggedHost(*record.listener->config, request.authority));
  json.Text("router_request_uri", request.target);
  json.Text("server_protocol", VersionText(request.version));
  json.Text("http_user_agent", FieldValue(request, http::FieldName::kUserAgent));
  json.Text("http_referer", FieldValue(request, http::FieldName::kReferer));
  json.Text("http_x_forwarded_for", FieldValue(request, http::FieldName::kXForwardedFor));
  json.Number("request_header_length", request.head_bytes);
}

/// Where and when, which every line has.
void WriteStart(JsonLine& json, const WorkerContext& worker,
                const contract::ListenerConfig& listener, const Endpoint& client, int status) {
  const std::int64_t millis = UnixMillis(worker.reactor->wall_now());
  json.Millis("msec", millis);
  json.Text("access_log_topic_id", listener.load_balancer.log_topic_id);
  json.Text("time_iso8601", LocalTime(millis / 1000));
  json.Text("log_ver", "elb_01");
  json.Text("remote_addr", client.address.ToString());
  json.Number("remote_port", client.port);  // 0 where only an address was told.
  json.Number("status", static_cast<std::uint64_t>(status));
}

/// The request's ids, and who spoke for the client.
void WriteIdentity(JsonLine& json, const contract::ListenerConfig& listener,
                   const server::ConnectionFacts& connection, const RequestIdentity& identity) {
  json.Text("request_id", identity.own());
  if (!identity.external().empty()) {
    json.Text("external_request_id", identity.external());
  }
  if (listener.front_proxy.mode != contract::FrontProxyMode::kOff) {
    json.Text("peer_addr", connection.peer().address.ToString());
  }
}

void WriteListener(JsonLine& json, const contract::ListenerConfig& listener,
                   const server::ConnectionFacts& connection) {
  json.Text("lb_name", "loadbalancer_" + listener.load_balancer.id.value());
  json.Text("listener_name", "listener_" + listener.id.value());
  json.Text("listener_id", listener.id.value());
  json.Text("tenant_id", listener.load_balancer.project.value());
  const Endpoint shown = PublicEndpoint(listener, connection);
  json.Text("eip_address", shown.address.ToString());
  json.Number("eip_port", shown.port);
}

void WriteTls(JsonLine& json, const server::ConnectionFacts& connection) {
  const tls::Facts& facts = TlsFactsOf(connection);
  json.Text("certificate_id", facts.certificate_id);
  json.Text("ssl_protocol", facts.version);
  json.Text("ssl_cipher", facts.cipher);
  json.Text("sni_domain_name", facts.sni);
}

}  // namespace

void AccessLog::Write(const WorkerContext& worker, const ExchangeRecord& record) {
  if (!Wants(*record.listener)) {
    return;
  }
  if (options_.format == LogFormat::kVendor) {
    WriteVendorLine(line_, worker, record);
  } else {
    WriteJson(worker, record);
  }
  Offer(worker, *record.listener);
}

bool AccessLog::Wants(const CompiledListener& listener) const {
  return options_.scope == LogScope::kAll || !listener.config->load_balancer.log_topic_id.empty();
}

void AccessLog::WriteJson(const WorkerContext& worker, const ExchangeRecord& record) {
  const contract::ListenerConfig& listener = *record.listener->config;
  const server::ConnectionFacts& connection = record.stream->connection();
  JsonLine json(line_);
  WriteStart(json, worker, listener, *record.client, record.outcome->status);
  WriteIdentity(json, listener, connection, *record.identity);
  WriteRequest(json, record);
  const ExchangeOutcome& outcome = *record.outcome;
  json.Number("request_length", record.stream->bytes_received() + outcome.tunnel_received);
  json.Number("bytes_sent", record.stream->bytes_sent() + outcome.tunnel_sent);
  json.Number("body_bytes_sent", record.stream->content_bytes_sent() + outcome.tunnel_sent);
  json.Seconds("request_time", worker.reactor->now() - record.stream->started());
  WriteAttempts(json, record);
  json.Text("pool_id", record.outcome->pool_name);
  json.Text("l7policy_id", PolicyId(record));
  json.Text("pool_name", PoolName(record, listener));
  json.Text("self_defined_header", CustomHeaders(listener, record.stream->request()));
  json.Number("tcpinfo_rtt", connection.stream->RoundTripMicros());
  json.Text("actions_executed", {});
  json.Text("pool_usr_name", record.pool != nullptr ? record.pool->config->name : std::string());
  WriteListener(json, listener, connection);
  WriteTls(json, connection);
  json.Text("error_reason", record.outcome->reason);
  json.End();
}

void AccessLog::WriteRefused(WorkerContext& worker, const CompiledListener& listener,
                             const server::ConnectionFacts& connection,
                             const server::RefusedRequest& refused) {
  if (!Wants(listener)) {
    return;
  }
  if (options_.format == LogFormat::kVendor) {
    WriteVendorLine(line_, worker, {*listener.config, connection, refused});
  } else {
    WriteRefusedJson(worker, listener, connection, refused);
  }
  Offer(worker, listener);
}

void AccessLog::WriteRefusedJson(WorkerContext& worker, const CompiledListener& listener,
                                 const server::ConnectionFacts& connection,
                                 const server::RefusedRequest& refused) {
  JsonLine json(line_);
  WriteStart(json, worker, *listener.config, connection.client, refused.status);
  RequestIdentity identity;
  identity.Begin(listener, {}, connection.peer().address,
                 worker.ids.Next(worker.reactor->wall_now()));
  WriteIdentity(json, *listener.config, connection, identity);
  std::string_view bytes = refused.bytes;
  const std::string_view method = TakeWord(bytes);
  json.Text("request_method", method);
  json.Text("scheme", Scheme(connection));
  json.Text("router_request_uri", TakeWord(bytes));
  json.Number("bytes_sent", refused.bytes_sent);
  for (const std::string_view name : {"upstream_status", "upstream_addr", "member_name"}) {
    json.Text(name, {});
  }
  WriteListener(json, *listener.config, connection);
  WriteTls(json, connection);
  json.Text("error_reason", refused.reason);
  json.End();
}

void AccessLog::Offer(const WorkerContext& worker, const CompiledListener& listener) {
  if (!sink_->Offer(worker.index, line_)) {
    listener.runtime->counters.Add(worker.index, ListenerCounter::kAccessLogDropped);
  }
}

}  // namespace elb::proxy
