#pragma once

#include <cstdint>
#include <string_view>

namespace elb::http {

/// Names the load balancer cares about, interned at parse time.
enum class FieldName : std::uint8_t {
  kOther,
  kHost,
  kContentLength,
  kTransferEncoding,
  kConnection,
  kKeepAlive,
  kProxyConnection,
  kProxy,
  kUpgrade,
  kTe,
  kTrailer,
  kHttp2Settings,
  kExpect,
  kCookie,
  kSetCookie,
  kAuthorization,
  kDate,
  kServer,
  kLocation,
  kContentType,
  kContentEncoding,
  kCacheControl,
  kAccept,
  kAcceptEncoding,
  kUserAgent,
  kReferer,
  kOrigin,
  kAltSvc,
  kXRouterCode,
  kXForwardedFor,
  kXForwardedElbIp,
  kXForwardedPort,
  kXForwardedForPort,
  kXForwardedHost,
  kXForwardedProto,
  kXRealIp,
  kXForwardedElbId,
  kXForwardedTlsCertificateId,
  kXForwardedTlsProtocol,
  kXForwardedTlsCipher,
  kXForwardedTlsAlpnProtocol,
  kXForwardedTlsSni,
  kXForwardedTlsJa3,
  kXForwardedTlsJa4,
  kXForwardedClientcert,
  kXForwardedClientcertSubjectdn,
  kXForwardedClientcertIssuerdn,
  kXForwardedClientcertFingerprint,
  kXForwardedClientcertClientverify,
  kXForwardedClientcertSerialnumber,
  kXForwardedClientcertCiphers,
  kXForwardedClientcertEnd,
  kXRequestId,
  kCount,
};

/// Looks a name up, any case. `kOther` when it is none of the above.
[[nodiscard]] FieldName InternFieldName(std::string_view name);

/// True when `name` contains `_` and, with `_` read as `-`, is a name the load balancer manages or
/// a framing field (data-plane.md 4.3, last rows): such a field is dropped.
[[nodiscard]] bool IsDisguisedManagedName(std::string_view name);

/// Canonical spelling, for example `X-Forwarded-For`; empty for kOther.
[[nodiscard]] std::string_view FieldNameText(FieldName name);

}  // namespace elb::http
