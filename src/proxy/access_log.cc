#include "proxy/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <iterator>

#include "proxy/json_line.h"
#include "tls/server_stream.h"

namespace elb::proxy {
namespace {

std::string_view FieldValue(const http::RequestHead& request, http::FieldName name) {
  for (const http::Field& field : request.fields) {
    if (field.known == name) {
      return field.value;
    }
  }
  return {};
}

std::string_view VersionText(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp11:
      return "HTTP/1.1";
    case http::Version::kHttp2:
      break;
  }
  return "HTTP/2.0";
}

constexpr MonotonicTime kNever{};

/// `", "`-joined values, one per attempt; `-` where a point was not reached.
template <typename Append>
void PerAttempt(JsonLine& json, std::string_view name, const ExchangeRecord& record,
                const Append& append) {
  json.Name(name);
  json.Raw("\"");
  bool first = true;
  for (const AttemptRecord& attempt : record.attempts) {
    if (!first) {
      json.Raw(", ");
    }
    first = false;
    append(attempt);
  }
  json.Raw(first ? "-\"" : "\"");
}

void AppendTime(JsonLine& json, const AttemptRecord& attempt, MonotonicTime at) {
  if (at == kNever) {
    json.Raw("-");
  } else {
    json.AppendSeconds(at - attempt.started);
  }
}

void WriteAttempts(JsonLine& json, const ExchangeRecord& record) {
  PerAttempt(json, "upstream_status", record, [&](const AttemptRecord& attempt) {
    json.Raw(attempt.status == 0 ? std::string("-") : fmt::format("{}", attempt.status));
  });
  PerAttempt(json, "upstream_connect_time", record, [&](const AttemptRecord& attempt) {
    if (attempt.reused) {
      json.Raw("0.000");
    } else {
      AppendTime(json, attempt, attempt.connected);
    }
  });
  PerAttempt(json, "upstream_header_time", record,
             [&](const AttemptRecord& attempt) { AppendTime(json, attempt, attempt.head); });
  PerAttempt(json, "upstream_response_time", record,
             [&](const AttemptRecord& attempt) { AppendTime(json, attempt, attempt.ended); });
  PerAttempt(json, "upstream_addr", record,
             [&](const AttemptRecord& attempt) { json.Raw(attempt.endpoint.ToString()); });
  PerAttempt(json, "upstream_addr_priv", record,
             [&](const AttemptRecord& attempt) { json.Raw(attempt.endpoint.ToString()); });
  PerAttempt(json, "member_name", record,
             [&](const AttemptRecord& attempt) { json.Raw(attempt.member->id.value()); });
}

void WriteRequest(JsonLine& json, const ExchangeRecord& record) {
  const http::RequestHead& request = record.stream->request();
  const std::string_view host = request.authority.substr(0, request.authority.rfind(':'));
  json.Text("request_method", request.method_text);
  json.Text("scheme", record.stream->connection().tls != nullptr ? "https" : "http");
  json.Text("host", request.authority.ends_with(']') ? request.authority : host);
  json.Text("router_request_uri", request.target);
  json.Text("server_protocol", VersionText(request.version));
  json.Text("http_user_agent", FieldValue(request, http::FieldName::kUserAgent));
  json.Text("http_referer", FieldValue(request, http::FieldName::kReferer));
  json.Text("http_x_forwarded_for", FieldValue(request, http::FieldName::kXForwardedFor));
  json.Number("request_header_length", request.head_bytes);
}

/// `2026-11-25T10:00:00+01:00`; made anew once per second and thread.
std::string_view LocalTime(std::int64_t unix_s) {
  thread_local std::int64_t made_for = -1;
  thread_local std::array<char, 32> text{};
  thread_local std::size_t length = 0;
  if (made_for != unix_s) {
    made_for = unix_s;
    const auto time = static_cast<std::time_t>(unix_s);
    std::tm parts{};
    localtime_r(&time, &parts);
    length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S%z", &parts);
    std::memmove(&text[length - 1], &text[length - 2], 2);  // `+0100` to `+01:00`.
    text[length - 2] = ':';
    ++length;
  }
  return {text.data(), length};
}

/// Where and when, which every line has.
void WriteStart(JsonLine& json, const WorkerContext& worker,
                const contract::ListenerConfig& listener, const server::ConnectionFacts& connection,
                int status) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(
                          worker.reactor->wall_now().time_since_epoch())
                          .count();
  json.Name("msec");
  json.Raw(fmt::format("{}.{:03}", millis / 1000, millis % 1000));
  json.Text("access_log_topic_id", listener.load_balancer.log_topic_id);
  json.Text("time_iso8601", LocalTime(millis / 1000));
  json.Text("log_ver", "elb_01");
  json.Text("remote_addr", connection.peer.address.ToString());
  json.Number("remote_port", connection.peer.port);
  json.Number("status", static_cast<std::uint64_t>(status));
}

void WriteListener(JsonLine& json, const contract::ListenerConfig& listener,
                   const server::ConnectionFacts& connection) {
  json.Text("lb_name", "loadbalancer_" + listener.load_balancer.id.value());
  json.Text("listener_name", "listener_" + listener.id.value());
  json.Text("listener_id", listener.id.value());
  json.Text("tenant_id", listener.load_balancer.project.value());
  json.Text("eip_address", listener.load_balancer.eip ? listener.load_balancer.eip->ToString()
                                                      : connection.local.address.ToString());
  json.Number("eip_port", listener.port);
}

/// The next word of a request line that may be anything.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find_first_of(" \r\n"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

void WriteTls(JsonLine& json, const server::ConnectionFacts& connection) {
  static const tls::Facts none;
  const tls::Facts& facts = connection.tls != nullptr ? connection.tls->facts() : none;
  json.Text("certificate_id", facts.certificate_id);
  json.Text("ssl_protocol", facts.version);
  json.Text("ssl_cipher", facts.cipher);
  json.Text("sni_domain_name", facts.sni);
}

std::string_view PolicyId(const ExchangeRecord& record) {
  const RouteDecision& route = record.outcome->route;
  return route.reason == RouteReason::kFirstMatch
             ? std::string_view(record.listener->config->policies[route.policy].id.value())
             : std::string_view();
}

/// `pool_<id>`, and with it the load balancer where the pool serves several.
std::string PoolName(const ExchangeRecord& record, const contract::ListenerConfig& listener) {
  if (record.pool == nullptr || record.outcome->pool_name.empty()) {
    return {};
  }
  std::string name = "pool_" + record.pool->config->id.value();
  if (record.pool->config->load_balancers.size() > 1) {
    name += '*' + listener.load_balancer.id.value();
  }
  return name;
}

bool EqualWithoutCase(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

/// The request fields that the listener's log names, or all but those: `name: value; name: value`.
std::string CustomHeaders(const contract::ListenerConfig& listener,
                          const http::RequestHead& request) {
  std::string text;
  if (listener.log_headers.empty()) {
    return text;
  }
  for (const http::Field& field : request.fields) {
    const bool named = std::ranges::any_of(listener.log_headers, [&](const std::string& name) {
      return EqualWithoutCase(name, field.name);
    });
    if (named != listener.log_headers_exclude) {
      fmt::format_to(std::back_inserter(text), "{}{}: {}", text.empty() ? "" : "; ", field.name,
                     field.value);
    }
  }
  return text;
}

}  // namespace

void AccessLog::Write(const WorkerContext& worker, const ExchangeRecord& record) {
  const contract::ListenerConfig& listener = *record.listener->config;
  const server::ConnectionFacts& connection = record.stream->connection();
  JsonLine json(line_);
  WriteStart(json, worker, listener, connection, record.outcome->status);
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
  Offer(worker, *record.listener);
}

void AccessLog::WriteRefused(const WorkerContext& worker, const CompiledListener& listener,
                             const server::ConnectionFacts& connection,
                             const server::RefusedRequest& refused) {
  JsonLine json(line_);
  WriteStart(json, worker, *listener.config, connection, refused.status);
  std::string_view bytes = refused.bytes;
  const std::string_view method = TakeWord(bytes);
  json.Text("request_method", method);
  json.Text("scheme", connection.tls != nullptr ? "https" : "http");
  json.Text("router_request_uri", TakeWord(bytes));
  json.Number("bytes_sent", refused.bytes_sent);
  for (const std::string_view name : {"upstream_status", "upstream_addr", "member_name"}) {
    json.Text(name, {});
  }
  WriteListener(json, *listener.config, connection);
  WriteTls(json, connection);
  json.Text("error_reason", refused.reason);
  json.End();
  Offer(worker, listener);
}

void AccessLog::Offer(const WorkerContext& worker, const CompiledListener& listener) {
  if (!sink_->Offer(worker.index, line_)) {
    listener.runtime->counters.Add(worker.index, ListenerCounter::kAccessLogDropped);
  }
}

}  // namespace elb::proxy
