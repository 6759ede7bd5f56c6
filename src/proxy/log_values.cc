#include "proxy/log_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>

#include "http/h1/fields.h"

namespace elb::proxy {
namespace {

constexpr MonotonicTime kNever{};

void AppendTime(std::string& out, const AttemptRecord& attempt, MonotonicTime at) {
  if (at == kNever) {
    out += '-';
  } else {
    AppendSeconds(out, at - attempt.started);
  }
}

void AppendAttempt(std::string& out, const AttemptRecord& attempt, AttemptValue value) {
  switch (value) {
    case AttemptValue::kStatus:
      if (attempt.status == 0) {
        out += '-';
      } else {
        AppendNumber(out, static_cast<std::uint64_t>(attempt.status));
      }
      break;
    case AttemptValue::kConnectTime:
      if (attempt.reused) {
        out += "0.000";
      } else {
        AppendTime(out, attempt, attempt.connected);
      }
      break;
    case AttemptValue::kHeaderTime:
      AppendTime(out, attempt, attempt.head);
      break;
    case AttemptValue::kResponseTime:
      AppendTime(out, attempt, attempt.ended);
      break;
    case AttemptValue::kAddress:
      out += attempt.endpoint.ToString();
      break;
    case AttemptValue::kMember:
      out += attempt.member->id.value();
      break;
  }
}

std::string_view CachedLocalTime(std::int64_t unix_s) {
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

}  // namespace

void AppendAttempts(std::string& out, std::span<const AttemptRecord> attempts, AttemptValue value) {
  if (attempts.empty()) {
    out += '-';
  }
  for (const AttemptRecord& attempt : attempts) {
    if (&attempt != attempts.data()) {
      out += ", ";
    }
    AppendAttempt(out, attempt, value);
  }
}

void AppendSeconds(std::string& out, MonotonicTime::duration value) {
  AppendMillis(out, std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}

void AppendMillis(std::string& out, std::int64_t millis) {
  AppendNumber(out, static_cast<std::uint64_t>(millis / 1000));
  const auto rest = static_cast<std::uint64_t>(millis % 1000);
  out += '.';
  out += rest < 100 ? "0" : "";
  out += rest < 10 ? "0" : "";
  AppendNumber(out, rest);
}

void AppendNumber(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

std::int64_t UnixMillis(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

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

std::string LoggedHost(const contract::ListenerConfig& listener, std::string_view authority) {
  if (authority.empty()) {
    return listener.load_balancer.vip ? listener.load_balancer.vip->ToString() : std::string();
  }
  return std::string(authority.ends_with(']') ? authority
                                              : authority.substr(0, authority.rfind(':')));
}

Endpoint PublicEndpoint(const contract::ListenerConfig& listener,
                        const server::ConnectionFacts& connection) {
  return {.address = listener.load_balancer.eip.value_or(connection.local().address),
          .port = listener.port};
}

std::string_view Scheme(const server::ConnectionFacts& connection) {
  return connection.tls != nullptr ? "https" : "http";
}

const tls::Facts& TlsFactsOf(const server::ConnectionFacts& connection) {
  static const tls::Facts none;
  return connection.tls != nullptr ? connection.tls->facts() : none;
}

std::string_view LocalTime(std::int64_t unix_s) { return CachedLocalTime(unix_s); }

std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find_first_of(" \r\n"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::string_view PolicyId(const ExchangeRecord& record) {
  const RouteDecision& route = record.outcome->route;
  return route.reason == RouteReason::kFirstMatch
             ? std::string_view(record.listener->config->policies[route.policy].id.value())
             : std::string_view();
}

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

std::string CustomHeaders(const contract::ListenerConfig& listener,
                          const http::RequestHead& request) {
  std::string text;
  if (listener.log_headers.empty()) {
    return text;
  }
  for (const http::Field& field : request.fields) {
    const bool named = std::ranges::any_of(listener.log_headers, [&](const std::string& name) {
      return http::h1::EqualsIgnoringCase(name, field.name);
    });
    if (named != listener.log_headers_exclude) {
      fmt::format_to(std::back_inserter(text), "{}{}: {}", text.empty() ? "" : "; ", field.name,
                     field.value);
    }
  }
  return text;
}

}  // namespace elb::proxy
