#include "http/field_name.h"

#include <array>
#include <cstddef>
#include <utility>

namespace elb::http {
namespace {

using Entry = std::pair<FieldName, std::string_view>;

constexpr std::array kNames = {
    Entry{FieldName::kHost, "Host"},
    Entry{FieldName::kContentLength, "Content-Length"},
    Entry{FieldName::kTransferEncoding, "Transfer-Encoding"},
    Entry{FieldName::kConnection, "Connection"},
    Entry{FieldName::kKeepAlive, "Keep-Alive"},
    Entry{FieldName::kProxyConnection, "Proxy-Connection"},
    Entry{FieldName::kProxy, "Proxy"},
    Entry{FieldName::kUpgrade, "Upgrade"},
    Entry{FieldName::kTe, "TE"},
    Entry{FieldName::kTrailer, "Trailer"},
    Entry{FieldName::kHttp2Settings, "HTTP2-Settings"},
    Entry{FieldName::kExpect, "Expect"},
    Entry{FieldName::kCookie, "Cookie"},
    Entry{FieldName::kSetCookie, "Set-Cookie"},
    Entry{FieldName::kAuthorization, "Authorization"},
    Entry{FieldName::kDate, "Date"},
    Entry{FieldName::kServer, "Server"},
    Entry{FieldName::kLocation, "Location"},
    Entry{FieldName::kContentType, "Content-Type"},
    Entry{FieldName::kContentEncoding, "Content-Encoding"},
    Entry{FieldName::kCacheControl, "Cache-Control"},
    Entry{FieldName::kAccept, "Accept"},
    Entry{FieldName::kAcceptEncoding, "Accept-Encoding"},
    Entry{FieldName::kUserAgent, "User-Agent"},
    Entry{FieldName::kReferer, "Referer"},
    Entry{FieldName::kOrigin, "Origin"},
    Entry{FieldName::kAltSvc, "Alt-Svc"},
    Entry{FieldName::kXRouterCode, "x-router-code"},
    Entry{FieldName::kXForwardedFor, "X-Forwarded-For"},
    Entry{FieldName::kXForwardedElbIp, "X-Forwarded-ELB-IP"},
    Entry{FieldName::kXForwardedPort, "X-Forwarded-Port"},
    Entry{FieldName::kXForwardedForPort, "X-Forwarded-For-Port"},
    Entry{FieldName::kXForwardedHost, "X-Forwarded-Host"},
    Entry{FieldName::kXForwardedProto, "X-Forwarded-Proto"},
    Entry{FieldName::kXRealIp, "X-Real-IP"},
    Entry{FieldName::kXForwardedElbId, "X-Forwarded-ELB-ID"},
    Entry{FieldName::kXForwardedTlsCertificateId, "X-Forwarded-TLS-Certificate-ID"},
    Entry{FieldName::kXForwardedTlsProtocol, "X-Forwarded-TLS-Protocol"},
    Entry{FieldName::kXForwardedTlsCipher, "X-Forwarded-TLS-Cipher"},
    Entry{FieldName::kXForwardedTlsAlpnProtocol, "X-Forwarded-Tls-Alpn-Protocol"},
    Entry{FieldName::kXForwardedTlsSni, "X-Forwarded-Tls-Sni"},
    Entry{FieldName::kXForwardedTlsJa3, "X-Forwarded-Tls-Ja3"},
    Entry{FieldName::kXForwardedTlsJa4, "X-Forwarded-Tls-Ja4"},
    Entry{FieldName::kXForwardedClientcert, "X-Forwarded-Clientcert"},
    Entry{FieldName::kXForwardedClientcertSubjectdn, "X-Forwarded-Clientcert-subjectdn"},
    Entry{FieldName::kXForwardedClientcertIssuerdn, "X-Forwarded-Clientcert-issuerdn"},
    Entry{FieldName::kXForwardedClientcertFingerprint, "X-Forwarded-Clientcert-fingerprint"},
    Entry{FieldName::kXForwardedClientcertClientverify, "X-Forwarded-Clientcert-clientverify"},
    Entry{FieldName::kXForwardedClientcertSerialnumber, "X-Forwarded-Clientcert-serialnumber"},
    Entry{FieldName::kXForwardedClientcertCiphers, "X-Forwarded-Clientcert-ciphers"},
    Entry{FieldName::kXForwardedClientcertEnd, "X-Forwarded-Clientcert-end"},
    Entry{FieldName::kXRequestId, "X-Request-Id"},
};

constexpr char Lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

constexpr std::size_t kBuckets = 256;

/// Cheap hash over length, first, middle and last character, `_` read as given.
constexpr std::size_t Hash(std::string_view name) {
  const auto at = [&](std::size_t index) {
    return static_cast<std::size_t>(static_cast<unsigned char>(Lower(name[index])));
  };
  const std::size_t size = name.size();
  return (size * 37 + at(0) * 5 + at(size - 1) * 17 + at(size / 2) * 11 + at(size * 3 / 4) * 3) %
         kBuckets;
}

/// Open addressing over the names; 0 is an empty bucket, otherwise index + 1.
constexpr std::array<std::uint8_t, kBuckets> MakeTable() {
  std::array<std::uint8_t, kBuckets> table{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::size_t bucket = Hash(kNames[i].second);
    while (table[bucket] != 0) {
      bucket = (bucket + 1) % kBuckets;
    }
    table[bucket] = static_cast<std::uint8_t>(i + 1);
  }
  return table;
}

constexpr auto kTable = MakeTable();

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

FieldName InternFieldName(std::string_view name) {
  if (name.empty()) {
    return FieldName::kOther;
  }
  for (std::size_t bucket = Hash(name); kTable[bucket] != 0; bucket = (bucket + 1) % kBuckets) {
    const Entry& entry = kNames[kTable[bucket] - 1U];
    if (entry.second.size() == name.size() && EqualIgnoringCase(entry.second, name)) {
      return entry.first;
    }
  }
  return FieldName::kOther;
}

bool IsDisguisedManagedName(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  if (name.size() > kLongest || name.find('_') == std::string_view::npos) {
    return false;
  }
  std::array<char, kLongest> plain{};
  for (std::size_t i = 0; i < name.size(); ++i) {
    plain[i] = name[i] == '_' ? '-' : name[i];
  }
  const FieldName known = InternFieldName({plain.data(), name.size()});
  return known == FieldName::kContentLength || known == FieldName::kTransferEncoding ||
         known == FieldName::kHost || known == FieldName::kConnection ||
         known == FieldName::kProxy || known == FieldName::kProxyConnection ||
         known == FieldName::kKeepAlive || known == FieldName::kUpgrade ||
         known == FieldName::kTe ||
         (known >= FieldName::kXForwardedFor && known <= FieldName::kXForwardedClientcertEnd);
}

std::string_view FieldNameText(FieldName name) {
  for (const Entry& entry : kNames) {
    if (entry.first == name) {
      return entry.second;
    }
  }
  return {};
}

}  // namespace elb::http
