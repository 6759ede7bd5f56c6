#include "proxy/vendor_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "proxy/log_values.h"

namespace elb::proxy {
namespace {

/// Appends fields with single spaces between them.
class VendorLine {
 public:
  explicit VendorLine(std::string& line) : line_(line) { line_.clear(); }

  void Plain(std::string_view value) {
    Begin();
    AppendEscaped(value.empty() ? "-" : value);
  }
  void Number(std::uint64_t value) {
    Begin();
    fmt::format_to(std::back_inserter(line_), "{}", value);
  }
  void Seconds(MonotonicTime::duration value) {
    Begin();
    AppendSeconds(line_, value);
  }
  void Millis(std::int64_t value) {
    Begin();
    AppendMillis(line_, value);
  }
  void Quoted(std::string_view value) {
    Begin();
    line_ += '"';
    AppendEscaped(value.empty() ? "-" : value);
    line_ += '"';
  }
  void Attempts(std::span<const AttemptRecord> attempts, AttemptValue value) {
    Begin();
    line_ += '"';
    AppendAttempts(line_, attempts, value);
    line_ += '"';
  }
  void Missing(int count) {
    for (int i = 0; i < count; ++i) {
      Plain({});
    }
  }
  void MissingQuoted(int count) {
    for (int i = 0; i < count; ++i) {
      Quoted({});
    }
  }
  void End() { line_ += '\n'; }

 private:
  void Begin() {
    if (!line_.empty()) {
      line_ += ' ';
    }
  }
  void AppendEscaped(std::string_view value) {
    for (const char letter : value) {
      const auto byte = static_cast<unsigned char>(letter);
      if (letter == '"' || letter == '\\' || byte < 0x20 || byte >= 0x7f) {
        fmt::format_to(std::back_inserter(line_), "\\x{:02X}", byte);
      } else {
        line_ += letter;
      }
    }
  }

  std::string& line_;
};

std::string WithoutDashes(std::string_view id) {
  std::string text;
  std::ranges::copy_if(id, std::back_inserter(text), [](char letter) { return letter != '-'; });
  return text;
}

void WriteStart(VendorLine& line, const WorkerContext& worker,
                const contract::ListenerConfig& listener, const Endpoint& client, int status) {
  const std::int64_t millis = UnixMillis(worker.reactor->wall_now());
  line.Millis(millis);
  line.Plain(listener.load_balancer.log_topic_id);
  line.Plain(fmt::format("[{}]", LocalTime(millis / 1000)));
  line.Plain("elb_01");
  line.Plain(client.ToString());
  line.Number(static_cast<std::uint64_t>(status));
}

void WriteNames(VendorLine& line, const contract::ListenerConfig& listener) {
  line.Plain("loadbalancer_" + listener.load_balancer.id.value());
  line.Plain("listener_" + listener.id.value());
  line.Plain(WithoutDashes(listener.id.value()));
}

void WriteTls(VendorLine& line, const server::ConnectionFacts& connection) {
  const tls::Facts& facts = TlsFactsOf(connection);
  line.Plain(facts.certificate_id);
  line.Plain(facts.version);
  line.Plain(facts.cipher);
  line.Plain(facts.sni);
}

void WriteRequest(VendorLine& line, const ExchangeRecord& record) {
  const http::RequestHead& request = record.stream->request();
  const ExchangeOutcome& outcome = *record.outcome;
  line.Quoted(fmt::format("{} {}://{}{} {}", request.method_text,
                          Scheme(record.stream->connection()),
                          LoggedHost(*record.listener->config, request.authority), request.target,
                          VersionText(request.version)));
  line.Number(record.stream->bytes_received() + outcome.tunnel_received);
  line.Number(record.stream->bytes_sent() + outcome.tunnel_sent);
  line.Number(record.stream->content_bytes_sent() + outcome.tunnel_sent);
}

void WriteUpstream(VendorLine& line, const ExchangeRecord& record) {
  for (const AttemptValue value :
       {AttemptValue::kStatus, AttemptValue::kConnectTime, AttemptValue::kHeaderTime,
        AttemptValue::kResponseTime, AttemptValue::kAddress}) {
    line.Attempts(record.attempts, value);
  }
}

}  // namespace

void WriteVendorLine(std::string& text, const WorkerContext& worker, const ExchangeRecord& record) {
  const contract::ListenerConfig& listener = *record.listener->config;
  const server::ConnectionFacts& connection = record.stream->connection();
  const http::RequestHead& request = record.stream->request();
  VendorLine line(text);
  WriteStart(line, worker, listener, *record.client, record.outcome->status);
  WriteRequest(line, record);
  line.Seconds(worker.reactor->now() - record.stream->started());
  WriteUpstream(line, record);
  line.Quoted(FieldValue(request, http::FieldName::kUserAgent));
  line.Quoted(FieldValue(request, http::FieldName::kReferer));
  line.Quoted(FieldValue(request, http::FieldName::kXForwardedFor));
  WriteNames(line, listener);
  line.Plain(PoolName(record, listener));
  line.Attempts(record.attempts, AttemptValue::kMember);
  line.Plain(listener.load_balancer.project.value());
  line.Plain(PublicEndpoint(listener, connection).ToString());
  line.Attempts(record.attempts, AttemptValue::kAddress);
  WriteTls(line, connection);
  line.Number(connection.stream->RoundTripMicros());
  const std::string headers = CustomHeaders(listener, request);
  if (headers.empty()) {
    line.Missing(1);
  } else {
    line.Quoted(headers);
  }
  line.Number(request.head_bytes);
  line.Missing(1);  // actions_executed
  line.Plain(record.outcome->reason);
  line.Quoted(record.pool != nullptr ? std::string_view(record.pool->config->name)
                                     : std::string_view());
  line.End();
}

void WriteVendorLine(std::string& text, const WorkerContext& worker, const RefusedRecord& record) {
  const auto& [listener, connection, refused] = record;
  VendorLine line(text);
  WriteStart(line, worker, listener, connection.client, refused.status);
  std::string_view bytes = refused.bytes;
  const std::string_view method = TakeWord(bytes);
  const std::string_view target = TakeWord(bytes);
  line.Quoted(fmt::format("{} {}://{}{} -", method.empty() ? "-" : method, Scheme(connection),
                          LoggedHost(listener, {}), target));
  line.Missing(1);  // request_length
  line.Number(refused.bytes_sent);
  line.Missing(2);        // body_bytes_sent, request_time
  line.MissingQuoted(8);  // upstream_*, user agent, referer, X-Forwarded-For
  WriteNames(line, listener);
  line.Missing(1);        // pool_name
  line.MissingQuoted(1);  // member_name
  line.Plain(listener.load_balancer.project.value());
  line.Plain(PublicEndpoint(listener, connection).ToString());
  line.MissingQuoted(1);  // upstream_addr_priv
  WriteTls(line, connection);
  line.Number(connection.stream->RoundTripMicros());
  line.Missing(3);  // self_defined_header, request_header_length, actions_executed
  line.Plain(refused.reason);
  line.MissingQuoted(1);  // pool_usr_name
  line.End();
}

}  // namespace elb::proxy
