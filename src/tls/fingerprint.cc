// JA3, JA4 and the list of suites of a ClientHello.

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "tls/byte_reader.h"
#include "tls/client_hello.h"
#include "tls/openssl_handles.h"

namespace elb::tls {
namespace {

constexpr std::uint16_t kServerName = TLSEXT_TYPE_server_name;
constexpr std::uint16_t kGroups = TLSEXT_TYPE_supported_groups;
constexpr std::uint16_t kPointFormats = TLSEXT_TYPE_ec_point_formats;
constexpr std::uint16_t kSignatureAlgorithms = TLSEXT_TYPE_signature_algorithms;
constexpr std::uint16_t kAlpn = TLSEXT_TYPE_application_layer_protocol_negotiation;
constexpr std::uint16_t kVersions = TLSEXT_TYPE_supported_versions;

using Numbers = std::vector<std::uint16_t>;

Numbers WithoutGrease(Numbers numbers) {
  std::erase_if(numbers, &IsGrease);
  return numbers;
}

/// The 16-bit numbers of a vector; empty if it is malformed.
Numbers NumbersOf(ByteView content) {
  Numbers numbers;
  ByteReader reader(content);
  while (!reader.empty()) {
    numbers.push_back(reader.U16());
  }
  return reader.ok() ? WithoutGrease(std::move(numbers)) : Numbers{};
}

/// The list in an extension that holds one list of 16-bit numbers.
Numbers ListOf(const ClientHello& hello, std::uint16_t type) {
  const auto content = hello.Find(type);
  return content ? NumbersOf(ByteReader(*content).Vector16()) : Numbers{};
}

Numbers ExtensionTypes(const ClientHello& hello) {
  Numbers types;
  std::ranges::transform(hello.extensions, std::back_inserter(types),
                         &ClientHello::Extension::type);
  return WithoutGrease(std::move(types));
}

std::string HexDigest(const EVP_MD* algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr);
  return fmt::format("{:02x}", fmt::join(digest.data(), digest.data() + size, ""));
}

/// First 12 digits of the SHA-256 of `text`; zeros for nothing.
std::string ShortHash(std::string_view text) {
  constexpr std::size_t kDigits = 12;
  return text.empty() ? std::string(kDigits, '0')
                      : HexDigest(EVP_sha256(), text).substr(0, kDigits);
}

std::string SortedHex(Numbers numbers) {
  std::ranges::sort(numbers);
  return fmt::format("{:04x}", fmt::join(numbers, ","));
}

std::string_view VersionText(const ClientHello& hello) {
  std::uint16_t version = hello.legacy_version;
  if (const auto content = hello.Find(kVersions)) {
    const Numbers versions = NumbersOf(ByteReader(*content).Vector8());
    version = versions.empty() ? version : *std::ranges::max_element(versions);
  }
  switch (version) {
    case TLS1_3_VERSION:
      return "13";
    case TLS1_2_VERSION:
      return "12";
    case TLS1_1_VERSION:
      return "11";
    case TLS1_VERSION:
      return "10";
    case SSL3_VERSION:
      return "s3";
    default:
      return "00";
  }
}

bool IsAlphanumeric(std::byte byte) {
  const auto lower = byte | std::byte{0x20};
  return (byte >= std::byte{'0'} && byte <= std::byte{'9'}) ||
         (lower >= std::byte{'a'} && lower <= std::byte{'z'});
}

/// First and last character of the first protocol offered.
std::string AlpnText(const ClientHello& hello) {
  const auto content = hello.Find(kAlpn);
  const ByteView first =
      content ? ByteReader(ByteReader(*content).Vector16()).Vector8() : ByteView{};
  if (first.empty()) {
    return "00";
  }
  if (IsAlphanumeric(first.front()) && IsAlphanumeric(first.back())) {
    return {static_cast<char>(first.front()), static_cast<char>(first.back())};
  }
  return {fmt::format("{:02x}", first.front()).front(), fmt::format("{:02x}", first.back()).back()};
}

}  // namespace

std::string Ja3(const ClientHello& hello) {
  std::vector<unsigned> formats;
  if (const auto content = hello.Find(kPointFormats)) {
    std::ranges::transform(ByteReader(*content).Vector8(), std::back_inserter(formats),
                           &std::to_integer<unsigned>);
  }
  const std::string text = fmt::format(
      "{},{},{},{},{}", hello.legacy_version, fmt::join(WithoutGrease(hello.ciphers), "-"),
      fmt::join(ExtensionTypes(hello), "-"), fmt::join(ListOf(hello, kGroups), "-"),
      fmt::join(formats, "-"));
  return HexDigest(EVP_md5(), text);
}

std::string Ja4(const ClientHello& hello) {
  constexpr std::size_t kCountMax = 99;
  const Numbers ciphers = WithoutGrease(hello.ciphers);
  Numbers extensions = ExtensionTypes(hello);
  const std::size_t extension_count = extensions.size();
  std::erase_if(extensions,
                [](std::uint16_t type) { return type == kServerName || type == kAlpn; });
  std::string tail = SortedHex(std::move(extensions));
  if (const Numbers algorithms = ListOf(hello, kSignatureAlgorithms); !algorithms.empty()) {
    tail += fmt::format("_{:04x}", fmt::join(algorithms, ","));
  }
  return fmt::format("t{}{}{:02}{:02}{}_{}_{}", VersionText(hello),
                     hello.Find(kServerName) ? 'd' : 'i', std::min(ciphers.size(), kCountMax),
                     std::min(extension_count, kCountMax), AlpnText(hello),
                     ShortHash(SortedHex(ciphers)), ShortHash(tail));
}

std::string CipherNames(const ClientHello& hello) {
  // OpenSSL looks numbers up through a connection only; any will do.
  static const SslContextPointer context(SSL_CTX_new(TLS_server_method()));
  const SslPointer ssl(SSL_new(context.get()));
  std::string names;
  for (const std::uint16_t number : WithoutGrease(hello.ciphers)) {
    const std::array<unsigned char, 2> bytes{static_cast<unsigned char>(number >> 8),
                                             static_cast<unsigned char>(number & 0xff)};
    const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl.get(), bytes.data());
    names += names.empty() ? "" : ":";
    names += cipher == nullptr ? fmt::format("0x{:04X}", number) : SSL_CIPHER_get_name(cipher);
  }
  return names;
}

}  // namespace elb::tls
