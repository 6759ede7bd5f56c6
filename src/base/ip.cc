#include "base/ip.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace elb {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// Text that fits `inet_pton`, which wants a terminated string.
std::optional<std::array<char, 64>> Terminated(std::string_view text) {
  std::array<char, 64> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::memcpy(buffer.data(), text.data(), text.size());
  return buffer;
}

void ClearHostBits(std::array<std::uint8_t, 16>& bytes, std::size_t size, unsigned length) {
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned first_bit = static_cast<unsigned>(i) * 8;
    if (first_bit >= length) {
      bytes[i] = 0;
    } else if (length - first_bit < 8) {
      bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> (length - first_bit)));
    }
  }
}

/// The usual form, without the C library's printf: log lines have several.
char* WriteV4(const std::array<std::uint8_t, 16>& bytes, char* out) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) {
      *out++ = '.';
    }
    out = std::to_chars(out, out + 3, bytes[i]).ptr;
  }
  return out;
}

}  // namespace

IpAddress IpAddress::V4(std::array<std::uint8_t, 4> octets) {
  IpAddress address;
  std::ranges::copy(octets, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::V6(std::array<std::uint8_t, 16> octets) {
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets.begin())) {
    return V4({octets[12], octets[13], octets[14], octets[15]});
  }
  IpAddress address;
  address.family_ = IpFamily::kV6;
  address.bytes_ = octets;
  return address;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const auto buffer = Terminated(text);
  if (!buffer) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, buffer->data(), v4.data()) == 1) {
    return V4(v4);
  }
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, buffer->data(), v6.data()) == 1) {
    return V6(v6);
  }
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (family_ == IpFamily::kV4) {
    return {buffer.data(), WriteV4(bytes_, buffer.data())};
  }
  inet_ntop(AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::string Endpoint::ToString() const {
  if (address.family() != IpFamily::kV4) {
    return fmt::format("[{}]:{}", address.ToString(), port);
  }
  std::string text = address.ToString();
  std::array<char, 6> number{':'};
  text.append(number.data(), std::to_chars(&number[1], number.data() + number.size(), port).ptr);
  return text;
}

std::optional<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const auto address = IpAddress::Parse(address_text);
  if (!address) {
    return std::nullopt;
  }
  const bool mapped =
      address->family() == IpFamily::kV4 && address_text.find(':') != std::string_view::npos;
  const unsigned length_max = address->family() == IpFamily::kV4 && !mapped ? 32 : 128;
  unsigned length = length_max;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (digits.empty() || digits.size() > 3 || error != std::errc{} ||
        end != digits.data() + digits.size() || length > length_max) {
      return std::nullopt;
    }
  }
  if (mapped) {
    if (length < 96) {
      return std::nullopt;
    }
    length -= 96;
  }
  IpPrefix prefix;
  prefix.length = static_cast<std::uint8_t>(length);
  auto bytes = address->bytes();
  ClearHostBits(bytes, address->size(), length);
  prefix.address = address->family() == IpFamily::kV4
                       ? IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]})
                       : IpAddress::V6(bytes);
  return prefix;
}

bool IpPrefix::Contains(const IpAddress& candidate) const {
  if (candidate.family() != address.family()) {
    return false;
  }
  auto bytes = candidate.bytes();
  ClearHostBits(bytes, candidate.size(), length);
  return bytes == address.bytes();
}

std::string IpPrefix::ToString() const { return fmt::format("{}/{}", address.ToString(), length); }

}  // namespace elb
