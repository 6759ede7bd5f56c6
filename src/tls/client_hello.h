#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace elb::tls {

using ByteView = std::span<const std::byte>;

/// Looks at the first bytes of a connection until the ClientHello is there, before anything is
/// allocated for it (data-plane.md 2.10). Pure; the bytes always start at the connection's first.
class HelloGate {
 public:
  static constexpr std::size_t kHelloBytesMax = 16 * 1024;

  enum class Verdict : std::uint8_t {
    kMore,        ///< Not complete.
    kComplete,    ///< Complete.
    kPlainHttp,   ///< Looks like the start of an HTTP request.
    kTooLarge,    ///< Claims more than `kHelloBytesMax`.
    kUnexpected,  ///< A record or message that cannot come first; alert unexpected_message.
    kVersion,     ///< Not TLS: SSL 2, or another major version; alert protocol_version.
    kGarbage,     ///< Anything else.
  };

  [[nodiscard]] Verdict Inspect(ByteView bytes);
  /// After kComplete: the message with its four-byte header, joined from its records.
  [[nodiscard]] std::string Message(ByteView bytes) const;

 private:
  [[nodiscard]] Verdict InspectMessage();
  [[nodiscard]] static Verdict InspectFirstByte(ByteView bytes);

  std::size_t next_record_ = 0;  ///< Offset of the first record not yet counted.
  std::size_t received_ = 0;     ///< Bytes of the message in the records before.
  std::size_t size_ = 0;         ///< Bytes of the whole message; 0: not known.
  std::array<std::byte, 4> header_{};
};

/// What a ClientHello says (RFC 8446 section 4.1.2), as far as the load balancer looks at it. Views
/// into the message it was parsed from.
struct ClientHello {
  struct Extension {
    std::uint16_t type = 0;
    ByteView content;
  };
  std::uint16_t legacy_version = 0;
  std::vector<std::uint16_t> ciphers;
  std::vector<Extension> extensions;

  /// Content of the first extension of that type.
  [[nodiscard]] std::optional<ByteView> Find(std::uint16_t type) const;
};

/// Nothing when the message is malformed; OpenSSL tells the client so.
[[nodiscard]] std::optional<ClientHello> ParseClientHello(ByteView message);
/// The one host_name of the server_name extension (RFC 6066 section 3), as sent; empty if there is
/// none or the extension is malformed.
[[nodiscard]] std::string_view ServerNameOf(const ClientHello& hello);
/// RFC 8701 section 3.1: values that mean nothing.
[[nodiscard]] bool IsGrease(std::uint16_t value);

/// JA3: MD5 in hex of version, suites, extensions, groups and point formats, GREASE left out.
[[nodiscard]] std::string Ja3(const ClientHello& hello);
/// JA4 (FoxIO, BSD licence part): `t13d1516h2_8daaf6152771_e5627efa2ab1`.
[[nodiscard]] std::string Ja4(const ClientHello& hello);
/// Suites in the client's order, OpenSSL names, unknown ones as `0xHHHH`, GREASE left out,
/// separated by colons.
[[nodiscard]] std::string CipherNames(const ClientHello& hello);

}  // namespace elb::tls
