#include "tls/client_hello.h"

#include <openssl/ssl.h>

#include <algorithm>

#include "tls/byte_reader.h"

namespace elb::tls {
namespace {

constexpr std::size_t kRecordHeaderBytes = 5;
constexpr std::byte kMajorVersion{3};

std::byte ByteOf(int value) { return static_cast<std::byte>(value); }

bool IsUpper(std::byte byte) { return byte >= std::byte{'A'} && byte <= std::byte{'Z'}; }

/// The first bytes of an HTTP request: a method in upper case, perhaps with its space already.
bool LooksLikeHttp(ByteView bytes) {
  constexpr std::size_t kMethodBytesMax = 16;
  for (const std::byte byte : bytes.first(std::min(bytes.size(), kMethodBytesMax))) {
    if (byte == std::byte{' '}) {
      return true;
    }
    if (!IsUpper(byte) && byte != std::byte{'-'}) {
      return false;
    }
  }
  return true;
}

}  // namespace

HelloGate::Verdict HelloGate::InspectFirstByte(ByteView bytes) {
  const std::byte first = bytes.front();
  if (IsUpper(first)) {
    return LooksLikeHttp(bytes) ? Verdict::kPlainHttp : Verdict::kGarbage;
  }
  if (first == ByteOf(SSL3_RT_HANDSHAKE)) {
    return Verdict::kMore;
  }
  const bool tls_record =
      first >= ByteOf(SSL3_RT_CHANGE_CIPHER_SPEC) && first <= ByteOf(SSL3_RT_APPLICATION_DATA);
  if (tls_record) {
    // An alert is never answered by an alert.
    return first == ByteOf(SSL3_RT_ALERT) ? Verdict::kGarbage : Verdict::kUnexpected;
  }
  // SSL 2 sets the highest bit of a record's length.
  return (first & std::byte{0x80}) != std::byte{} ? Verdict::kVersion : Verdict::kGarbage;
}

HelloGate::Verdict HelloGate::Inspect(ByteView bytes) {
  if (bytes.empty()) {
    return Verdict::kMore;
  }
  if (next_record_ == 0) {
    if (const Verdict verdict = InspectFirstByte(bytes); verdict != Verdict::kMore) {
      return verdict;
    }
  }
  while (bytes.size() - next_record_ >= kRecordHeaderBytes) {
    const ByteView rest = bytes.subspan(next_record_);
    if (rest[0] != ByteOf(SSL3_RT_HANDSHAKE)) {
      return Verdict::kUnexpected;
    }
    if (rest[1] != kMajorVersion) {
      return Verdict::kVersion;
    }
    ByteReader reader(rest.subspan(3));
    const std::size_t length = reader.U16();
    if (length == 0) {
      return Verdict::kUnexpected;
    }
    if (length > SSL3_RT_MAX_PLAIN_LENGTH) {
      return Verdict::kTooLarge;
    }
    const ByteView content = reader.Take(length);
    if (!reader.ok()) {
      return Verdict::kMore;
    }
    if (received_ < header_.size()) {
      const std::size_t count = std::min(header_.size() - received_, content.size());
      std::ranges::copy(content.first(count), header_.begin() + static_cast<int>(received_));
    }
    received_ += length;
    next_record_ += kRecordHeaderBytes + length;
    if (const Verdict verdict = InspectMessage(); verdict != Verdict::kMore) {
      return verdict;
    }
  }
  return Verdict::kMore;
}

HelloGate::Verdict HelloGate::InspectMessage() {
  if (header_[0] != ByteOf(SSL3_MT_CLIENT_HELLO)) {
    return Verdict::kUnexpected;
  }
  if (received_ < header_.size()) {
    return Verdict::kMore;
  }
  ByteReader reader(std::span(header_).subspan(1));
  size_ = header_.size() + reader.U24();
  if (size_ > kHelloBytesMax) {
    return Verdict::kTooLarge;
  }
  return received_ >= size_ ? Verdict::kComplete : Verdict::kMore;
}

std::string HelloGate::Message(ByteView bytes) const {
  std::string message;
  message.reserve(size_);
  ByteReader records(bytes);
  while (message.size() < size_ && records.ok()) {
    static_cast<void>(records.Take(3));
    const ByteView content = records.Vector16();
    const std::size_t count = std::min(content.size(), size_ - message.size());
    message.append(reinterpret_cast<const char*>(content.data()), count);
  }
  return message;
}

std::optional<ByteView> ClientHello::Find(std::uint16_t type) const {
  const auto found = std::ranges::find(extensions, type, &Extension::type);
  return found == extensions.end() ? std::nullopt : std::optional(found->content);
}

std::optional<ClientHello> ParseClientHello(ByteView message) {
  constexpr std::size_t kRandomBytes = 32;
  ByteReader reader(message);
  static_cast<void>(reader.U8());
  reader = ByteReader(reader.Take(reader.U24()));
  ClientHello hello;
  hello.legacy_version = reader.U16();
  static_cast<void>(reader.Take(kRandomBytes));
  static_cast<void>(reader.Vector8());  // Session id.
  ByteReader ciphers(reader.Vector16());
  while (!ciphers.empty()) {
    hello.ciphers.push_back(ciphers.U16());
  }
  static_cast<void>(reader.Vector8());  // Compression methods.
  if (!reader.ok() || !ciphers.ok()) {
    return std::nullopt;
  }
  if (reader.empty()) {
    return hello;  // Before TLS 1.2 there may be no extensions.
  }
  ByteReader extensions(reader.Vector16());
  while (!extensions.empty()) {
    const std::uint16_t type = extensions.U16();
    hello.extensions.push_back({.type = type, .content = extensions.Vector16()});
  }
  return reader.ok() && reader.empty() && extensions.ok() ? std::optional(hello) : std::nullopt;
}

std::string_view ServerNameOf(const ClientHello& hello) {
  const std::optional<ByteView> content = hello.Find(TLSEXT_TYPE_server_name);
  if (!content) {
    return {};
  }
  ByteReader extension(*content);
  ByteReader list(extension.Vector16());
  const bool is_host_name = list.U8() == TLSEXT_NAMETYPE_host_name;
  const ByteView name = list.Vector16();
  if (!is_host_name || !list.ok() || !list.empty() || !extension.ok() || !extension.empty()) {
    return {};
  }
  return {reinterpret_cast<const char*>(name.data()), name.size()};
}

bool IsGrease(std::uint16_t value) {
  return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

}  // namespace elb::tls
