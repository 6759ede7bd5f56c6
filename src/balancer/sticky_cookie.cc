#include "balancer/sticky_cookie.h"

#include <algorithm>

#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace elb::balancer {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kSignedSize = 18;  // Version, key id, time, member tag.
constexpr std::size_t kMacSize = 18;
constexpr std::size_t kTimeAt = 2;
constexpr std::size_t kTagAt = 10;

void AppendBigEndian(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

std::uint64_t ReadBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(0, 8)) {
    value = (value << 8) | static_cast<unsigned char>(byte);
  }
  return value;
}

/// The MAC is over the cookie's own bytes and the pool, so that no other pool accepts it.
std::string Mac(const StickyKey& key, std::string_view signed_bytes, const PoolId& pool) {
  std::string message(signed_bytes);
  message += pool.value();
  const crypto::Digest digest = crypto::HmacSha256(crypto::AsText(key.secret), message);
  return std::string(crypto::AsText(digest).substr(0, kMacSize));
}

}  // namespace

MemberTag TagOf(const PoolId& pool, const MemberId& member) {
  const crypto::Digest digest = crypto::HmacSha256(pool.value(), member.value());
  return ReadBigEndian(crypto::AsText(digest));
}

std::string StickyCookieName(const PoolId& pool) {
  return "ELBSTICKY_" + crypto::Sha256Hex(pool.value()).substr(0, 8);
}

std::string WriteStickyCookie(const StickyCookieContext& context, MemberTag member) {
  const StickyKey& key = context.keys->newest();
  std::string bytes;
  bytes.reserve(kSignedSize + kMacSize);
  bytes.push_back(kVersion);
  bytes.push_back(static_cast<char>(key.id));
  AppendBigEndian(bytes, static_cast<std::uint64_t>(context.now.time_since_epoch().count()));
  AppendBigEndian(bytes, member);
  bytes += Mac(key, bytes, *context.pool);
  return crypto::Base64UrlEncode(bytes);
}

std::expected<StickyCookie, StickyCookieFault> ReadStickyCookie(const StickyCookieContext& context,
                                                                std::string_view value) {
  if (value.size() != kStickyCookieSize) {
    return std::unexpected(StickyCookieFault::kForged);
  }
  const auto bytes = crypto::Base64UrlDecode(value);
  if (!bytes || bytes->front() != kVersion) {
    return std::unexpected(StickyCookieFault::kForged);
  }
  const std::string_view text = *bytes;
  const std::string_view signed_bytes = text.substr(0, kSignedSize);
  const StickyKey* key = context.keys->Find(static_cast<std::uint8_t>(text[1]));
  if (key == nullptr || !crypto::ConstantTimeEqual(Mac(*key, signed_bytes, *context.pool),
                                                   text.substr(kSignedSize))) {
    return std::unexpected(StickyCookieFault::kForged);
  }
  const StickyCookie cookie{.member = ReadBigEndian(text.substr(kTagAt)),
                            .issued = std::chrono::sys_seconds(std::chrono::seconds(
                                static_cast<std::int64_t>(ReadBigEndian(text.substr(kTimeAt)))))};
  if (cookie.issued + context.duration < context.now) {
    return std::unexpected(StickyCookieFault::kExpired);
  }
  if (cookie.issued > context.now + kStickyCookieFutureMax) {
    return std::unexpected(StickyCookieFault::kFromTheFuture);
  }
  return cookie;
}

bool NeedsRenewal(const StickyCookieContext& context, const StickyCookie& cookie) {
  const auto slack = std::min(std::chrono::seconds{60}, context.duration / 10);
  return context.now - cookie.issued > slack;
}

std::string StickySetCookie(std::string_view name, std::string_view value,
                            std::chrono::seconds duration, ClientTransport transport) {
  std::string text;
  text.reserve(name.size() + value.size() + 80);
  text += name;
  text += '=';
  text += value;
  text += "; Path=/; Max-Age=";
  text += std::to_string(duration.count());
  text += "; HttpOnly";
  if (transport == ClientTransport::kTls) {
    text += "; Secure; SameSite=None";
  }
  return text;
}

}  // namespace elb::balancer
