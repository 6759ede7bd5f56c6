#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "contract/config_snapshot.h"
#include "http/h1/serialize.h"
#include "http/message.h"
#include "server/server_stream.h"

namespace elb::proxy {

/// How the request's content goes to the member.
enum class UpstreamFraming : std::uint8_t { kNone, kLength, kChunked };

/// What the head of an upstream request is made of.
struct RequestHeadInput {
  const http::RequestHead* request = nullptr;
  const contract::ListenerConfig* listener = nullptr;
  const server::ConnectionFacts* connection = nullptr;
  const IpAddress* client = nullptr;  ///< Whom the request comes from, for X-Real-IP.
  std::string_view request_id;        ///< Empty: the listener sends none.
  UpstreamFraming framing = UpstreamFraming::kNone;
  /// Names of the load balancer's own, sorted (data-plane.md 7.2).
  std::span<const std::string_view> hidden_cookies;
  bool upgrade = false;  ///< Relay the WebSocket upgrade.
};

/// How a request's content is framed towards a member (data-plane.md 4.3, 4.4): a known length is
/// kept, anything else goes chunked. `Content-Length: 0` of the client is kept; HTTP/2 has no need
/// of it, so a request without content gets it where a member of HTTP/1.1 expects it.
[[nodiscard]] UpstreamFraming ChooseUpstreamFraming(const http::RequestHead& request);

/// Writes the HTTP/1.1 head for a member: request line, the client's fields in order without
/// hop-by-hop, spoofable and framing ones, then the fields of the listener's toggles, then framing
/// (data-plane.md 4.7). Pure.
void WriteRequestHead(const RequestHeadInput& input, http::h1::HeadWriter& writer);

/// Keeps the end-to-end fields of a member's response (data-plane.md 4.8): without Connection and
/// what it nominates, Keep-Alive, Proxy-Connection, Upgrade, and framing.
void FilterResponseFields(const http::ResponseHead& response, http::FieldList& fields);

}  // namespace elb::proxy
