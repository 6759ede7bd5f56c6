#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace elb::crypto {

/// 256 bits of SHA-256 or HMAC-SHA-256.
using Digest = std::array<std::byte, 32>;

/// FIPS 180-4.
[[nodiscard]] Digest Sha256(std::string_view bytes);
/// As 64 lower-case hex digits: how tokens and request bodies are compared.
[[nodiscard]] std::string Sha256Hex(std::string_view bytes);

/// RFC 2104 with SHA-256. The digest can be a key again (chained keys of request signing).
[[nodiscard]] Digest HmacSha256(std::string_view key, std::string_view message);

/// Equal length and content, in a time that depends on the length alone.
[[nodiscard]] bool ConstantTimeEqual(std::string_view a, std::string_view b);

/// 128-bit key of `SipHash24`.
struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  /// Little endian, as the reference implementation reads it.
  [[nodiscard]] static SipKey FromBytes(std::span<const std::byte, 16> bytes);
};

/// SipHash-2-4 with a 64-bit result: a keyed hash for tables whose keys clients choose. A few ns
/// for an address.
[[nodiscard]] std::uint64_t SipHash24(const SipKey& key, std::span<const std::byte> bytes);

}  // namespace elb::crypto
