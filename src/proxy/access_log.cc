#include "proxy/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>

#include "tls/server_stream.h"

namespace elb::proxy {
namespace {

/// Builds one JSON object by appending. Values come from peers: they are escaped.
class JsonLine {
 public:
  explicit JsonLine(std::string& line) : line_(line) {
    line_.clear();
    line_ += '{';
  }

  /// An empty value is `-`, as everywhere in the log.
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    line_ += '"';
    AppendEscaped(value.empty() ? "-" : value);
    line_ += '"';
  }
  void Number(std::string_view name, std::uint64_t value) {
    Name(name);
    fmt::format_to(std::back_inserter(line_), "{}", value);
  }
  void Seconds(std::string_view name, MonotonicTime::duration value) {
    Name(name);
    AppendSeconds(value);
  }
  void AppendSeconds(MonotonicTime::duration value) {
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
    fmt::format_to(std::back_inserter(line_), "{}.{:03}", millis / 1000, millis % 1000);
  }
  void Name(std::string_view name) {
    if (line_.size() > 1) {
      line_ += ',';
    }
    line_ += '"';
    line_ += name;
    line_ += "\":";
  }
  void Raw(std::string_view text) { line_ += text; }
  void End() { line_ += "}\n"; }

 private:
  void AppendEscaped(std::string_view value) {
    for (const char letter : value) {
      const auto byte = static_cast<unsigned char>(letter);
      if (letter == '"' || letter == '\\') {
        line_ += '\\';
        line_ += letter;
      } else if (byte < 0x20 || byte >= 0x7f) {
        fmt::format_to(std::back_inserter(line_), "\\u{:04x}", byte);
      } else {
        line_ += letter;
      }
    }
  }

  std::string& line_;
};

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

/// Where and when, which every line has.
void WriteStart(JsonLine& json, const WorkerContext& worker,
                const server::ConnectionFacts& connection, int status) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(
                          worker.reactor->wall_now().time_since_epoch())
                          .count();
  json.Name("msec");
  json.Raw(fmt::format("{}.{:03}", millis / 1000, millis % 1000));
  json.Text("log_ver", "elb_01");
  json.Text("remote_addr", connection.peer.address.ToString());
  json.Number("remote_port", connection.peer.port);
  json.Number("status", static_cast<std::uint64_t>(status));
}

void WriteListener(JsonLine& json, const contract::ListenerConfig& listener,
                   const server::ConnectionFacts& connection) {
  json.Text("lb_name", "loadbalancer_" + listener.load_balancer.id.value());
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
  if (connection.tls == nullptr) {
    return;
  }
  const tls::Facts& facts = connection.tls->facts();
  json.Text("certificate_id", facts.certificate_id);
  json.Text("ssl_protocol", facts.version);
  json.Text("ssl_cipher", facts.cipher);
  json.Text("sni_domain_name", facts.sni);
}

}  // namespace

void AccessLog::Write(const WorkerContext& worker, const ExchangeRecord& record) {
  const contract::ListenerConfig& listener = *record.listener->config;
  const server::ConnectionFacts& connection = record.stream->connection();
  JsonLine json(line_);
  WriteStart(json, worker, connection, record.outcome->status);
  WriteRequest(json, record);
  json.Number("request_length", record.stream->bytes_received());
  json.Number("bytes_sent", record.stream->bytes_sent());
  json.Number("body_bytes_sent", record.stream->content_bytes_sent());
  json.Seconds("request_time", worker.reactor->now() - record.stream->started());
  WriteAttempts(json, record);
  json.Text("pool_id", record.outcome->pool_name);
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
  WriteStart(json, worker, connection, refused.status);
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
