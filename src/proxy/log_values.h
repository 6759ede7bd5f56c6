#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ip.h"
#include "contract/config_snapshot.h"
#include "http/message.h"
#include "proxy/attempt.h"
#include "proxy/exchange_metrics.h"
#include "server/server_stream.h"
#include "tls/server_stream.h"

namespace elb::proxy {

// What the fields of the access log hold (data-plane.md 11.1), whatever the form of its lines.

/// Per-attempt fields.
enum class AttemptValue : std::uint8_t {
  kStatus,
  kConnectTime,
  kHeaderTime,
  kResponseTime,
  kAddress,
  kMember,
};
/// Values joined by `, `; `-` without attempts and where a point was not reached.
void AppendAttempts(std::string& out, std::span<const AttemptRecord> attempts, AttemptValue value);

/// `1.005`
void AppendSeconds(std::string& out, MonotonicTime::duration value);
void AppendNumber(std::string& out, std::uint64_t value);
void AppendMillis(std::string& out, std::int64_t millis);
[[nodiscard]] std::int64_t UnixMillis(WallTime time);

/// The first field of that name, as received; empty: none.
[[nodiscard]] std::string_view FieldValue(const http::RequestHead& request, http::FieldName name);
[[nodiscard]] std::string_view VersionText(http::Version version);
/// Without port; the VIP when the request names none.
[[nodiscard]] std::string LoggedHost(const contract::ListenerConfig& listener,
                                     std::string_view authority);
/// The EIP, or where the client connected to, with the listener's port.
[[nodiscard]] Endpoint PublicEndpoint(const contract::ListenerConfig& listener,
                                      const server::ConnectionFacts& connection);
[[nodiscard]] std::string_view Scheme(const server::ConnectionFacts& connection);
/// All empty without TLS.
[[nodiscard]] const tls::Facts& TlsFactsOf(const server::ConnectionFacts& connection);
/// `2026-11-25T10:00:00+01:00`; made anew once per second and thread.
[[nodiscard]] std::string_view LocalTime(std::int64_t unix_s);
/// The next word of a request line that may be anything.
[[nodiscard]] std::string_view TakeWord(std::string_view& line);
/// Of the forwarding policy that decided; empty: none.
[[nodiscard]] std::string_view PolicyId(const ExchangeRecord& record);
/// `pool_<id>`, and with it the load balancer where the pool serves several.
[[nodiscard]] std::string PoolName(const ExchangeRecord& record,
                                   const contract::ListenerConfig& listener);
/// The request fields that the listener's log names, or all but those: `name: value; name: value`.
[[nodiscard]] std::string CustomHeaders(const contract::ListenerConfig& listener,
                                        const http::RequestHead& request);

}  // namespace elb::proxy
