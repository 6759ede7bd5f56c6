#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace elb {

enum class IpFamily : std::uint8_t { kV4, kV6 };

/// An IPv4 or IPv6 address in network byte order. An IPv4-mapped IPv6 address is the IPv4 one.
class IpAddress {
 public:
  IpAddress() = default;
  [[nodiscard]] static IpAddress V4(std::array<std::uint8_t, 4> octets);
  [[nodiscard]] static IpAddress V6(std::array<std::uint8_t, 16> octets);
  /// Text forms of RFC 4291 section 2.2 and dotted decimal; no brackets, zone or port.
  [[nodiscard]] static std::optional<IpAddress> Parse(std::string_view text);

  [[nodiscard]] IpFamily family() const { return family_; }
  /// 4 or 16 significant bytes at the front.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return family_ == IpFamily::kV4 ? 4 : 16; }
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend std::strong_ordering operator<=>(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const IpAddress& address) {
    return H::combine(std::move(state), address.family_, address.bytes_);
  }

 private:
  IpFamily family_ = IpFamily::kV4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// Address and port; text form `1.2.3.4:80` or `[::1]:80`.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  [[nodiscard]] std::string ToString() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend std::strong_ordering operator<=>(const Endpoint&, const Endpoint&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Endpoint& endpoint) {
    return H::combine(std::move(state), endpoint.address, endpoint.port);
  }
};

/// A network: the address is masked, `length` is at most 32 or 128.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;

  /// `addr` or `addr/len`; host bits are masked. An IPv4-mapped prefix of 96 bits or more is the
  /// IPv4 one (data-plane.md 3.2).
  [[nodiscard]] static std::optional<IpPrefix> Parse(std::string_view text);
  [[nodiscard]] bool Contains(const IpAddress& candidate) const;
  [[nodiscard]] std::string ToString() const;
  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend std::strong_ordering operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

}  // namespace elb
