#include "http/field_name.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

constexpr bool InOrderOfTheEnum() {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (static_cast<std::size_t>(kNames[i].first) != i + 1) {
      return false;
    }
  }
  return kNames.size() + 1 == static_cast<std::size_t>(FieldName::kCount);
}
static_assert(InOrderOfTheEnum(), "FieldNameText indexes the names by their number");

constexpr std::size_t kLongest = 40;  ///< A multiple of 8, for reads of whole words.
constexpr std::size_t kBuckets = 256;

/// The names in lower case, padded with zeros.
constexpr auto MakeLowerNames() {
  std::array<std::array<char, kLongest>, kNames.size()> lower{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    for (std::size_t j = 0; j < kNames[i].second.size(); ++j) {
      const char letter = kNames[i].second[j];
      lower[i][j] = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
    }
  }
  return lower;
}

constexpr auto kLowerNames = MakeLowerNames();

/// Length and four characters; the factors were searched so that no two names share a bucket.
constexpr std::size_t Hash(std::string_view name) {
  const auto at = [name](std::size_t index) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[index])) | 0x20U;
  };
  const std::size_t size = name.size();
  return (size * 84 + at(0) * 89 + at(size - 1) * 57 + at(size / 2) * 88 + at(size * 3 / 4) * 37) %
         kBuckets;
}

/// Index + 1 of the one name that may be in a bucket; 0 if none.
constexpr std::array<std::uint8_t, kBuckets> MakeTable() {
  std::array<std::uint8_t, kBuckets> table{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    auto& bucket = table[Hash(kNames[i].second)];
    bucket = bucket == 0 ? static_cast<std::uint8_t>(i + 1) : std::uint8_t{255};
  }
  return table;
}

constexpr auto kTable = MakeTable();
static_assert(std::ranges::count(kTable, std::uint8_t{255}) == 0, "two names share a bucket");

/// Eight bytes as one word, with letters made lower case. Only bytes from 0x40 to 0x7F change, so
/// no other byte can become a letter, digit or hyphen.
std::uint64_t LowerWord(const char* text, std::size_t size) {
  constexpr std::uint64_t kBit40 = 0x4040404040404040;
  std::uint64_t word = 0;
  std::memcpy(&word, text, size);
  return word | (word & kBit40) >> 1;
}

bool EqualsLower(std::string_view name, const std::array<char, kLongest>& lower) {
  std::size_t at = 0;
  for (; at + 8 <= name.size(); at += 8) {
    if (LowerWord(name.data() + at, 8) != LowerWord(lower.data() + at, 8)) {
      return false;
    }
  }
  const std::size_t left = name.size() - at;
  return LowerWord(name.data() + at, left) == LowerWord(lower.data() + at, left);
}

}  // namespace

FieldName InternFieldName(std::string_view name) {
  if (name.empty()) {
    return FieldName::kOther;
  }
  const std::size_t number = kTable[Hash(name)];
  if (number == 0 || kNames[number - 1].second.size() != name.size() ||
      !EqualsLower(name, kLowerNames[number - 1])) {
    return FieldName::kOther;
  }
  return kNames[number - 1].first;
}

bool IsDisguisedManagedName(std::string_view name) {
  if (name.size() > kLongest || !name.contains('_')) {
    return false;
  }
  std::array<char, kLongest> plain{};
  std::ranges::replace_copy(name, plain.begin(), '_', '-');
  switch (const FieldName known = InternFieldName({plain.data(), name.size()}); known) {
    case FieldName::kContentLength:
    case FieldName::kTransferEncoding:
    case FieldName::kKeepAlive:
    case FieldName::kProxyConnection:
    case FieldName::kHttp2Settings:
      return true;
    default:
      return known >= FieldName::kXForwardedFor && known <= FieldName::kXForwardedClientcertEnd;
  }
}

std::string_view FieldNameText(FieldName name) {
  const auto number = static_cast<std::size_t>(name);
  return number == 0 || number > kNames.size() ? std::string_view{} : kNames[number - 1].second;
}

}  // namespace elb::http
