#include "proxy/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "proxy/limits.h"

namespace elb::proxy {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);

/// Longest header of version 1, with its line end.
constexpr std::size_t kLineBytesMax = 107;

constexpr ProxyHeader kNeedMore{.status = Status::kNeedMore, .bytes = 0, .client = {}};
constexpr ProxyHeader kRefused{.status = Status::kRefused, .bytes = 0, .client = {}};

ProxyHeader Done(std::size_t bytes, std::optional<Endpoint> client) {
  return {.status = Status::kDone, .bytes = bytes, .client = client};
}

/// Whether `bytes` begin with `signature`, as far as they go.
bool BeginsLike(std::string_view bytes, std::string_view signature) {
  return bytes.substr(0, signature.size()) == signature.substr(0, bytes.size());
}

/// The next word of a line whose words stand one space apart.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

/// A decimal number without sign and leading zeros.
std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool padded = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || padded) {
    return std::nullopt;
  }
  return port;
}

/// An address in the notation of its family.
std::optional<IpAddress> ParseAddress(std::string_view text, IpFamily notation) {
  return text.contains(':') == (notation == IpFamily::kV6) ? IpAddress::Parse(text) : std::nullopt;
}

/// `TCP4 <source> <destination> <source port> <destination port>`, or `UNKNOWN` and anything.
ProxyHeader ParseLine(std::string_view line, std::size_t bytes) {
  const std::string_view protocol = TakeWord(line);
  if (protocol == "UNKNOWN") {
    return Done(bytes, std::nullopt);
  }
  if (protocol != "TCP4" && protocol != "TCP6") {
    return kRefused;
  }
  const IpFamily family = protocol == "TCP4" ? IpFamily::kV4 : IpFamily::kV6;
  const auto source = ParseAddress(TakeWord(line), family);
  const auto destination = ParseAddress(TakeWord(line), family);
  const auto source_port = ParsePort(TakeWord(line));
  const auto destination_port = ParsePort(line);  // The rest: nothing may follow.
  if (!source || !destination || !source_port || !destination_port) {
    return kRefused;
  }
  return Done(bytes, Endpoint{.address = *source, .port = *source_port});
}

ProxyHeader ParseVersion1(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kLineBytesMax).find("\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() < kLineBytesMax ? kNeedMore : kRefused;
  }
  if (end < kSignature1.size()) {
    return kRefused;
  }
  return ParseLine(bytes.substr(kSignature1.size(), end - kSignature1.size()), end + 2);
}

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t NumberAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(ByteAt(bytes, at) << 8 | ByteAt(bytes, at + 1));
}

template <std::size_t size>
std::array<std::uint8_t, size> Octets(std::string_view bytes) {
  std::array<std::uint8_t, size> octets{};
  std::copy_n(bytes.begin(), size, octets.begin());
  return octets;
}

/// Source address, destination address, source port, destination port.
ProxyHeader ParseAddresses(std::string_view block, IpFamily family, std::size_t bytes) {
  const std::size_t address = family == IpFamily::kV4 ? 4 : 16;
  if (block.size() < 2 * address + 4) {
    return kRefused;
  }
  return Done(bytes, Endpoint{.address = family == IpFamily::kV4 ? IpAddress::V4(Octets<4>(block))
                                                                 : IpAddress::V6(Octets<16>(block)),
                              .port = NumberAt(block, 2 * address)});
}

/// Of the block behind the fixed part only the addresses count; extensions (TLVs) do not.
ProxyHeader ParseVersion2(std::string_view bytes) {
  constexpr std::size_t kFixedBytes = 16;
  constexpr std::uint8_t kLocal = 0x20;
  constexpr std::uint8_t kProxy = 0x21;
  enum Family : std::uint8_t { kUnspecified, kInet, kInet6, kUnix };
  constexpr std::uint8_t kDatagram = 2;
  if (bytes.size() < kFixedBytes) {
    return kNeedMore;
  }
  const std::uint8_t command = ByteAt(bytes, 12);
  const auto family = static_cast<Family>(ByteAt(bytes, 13) >> 4);
  const std::uint8_t transport = ByteAt(bytes, 13) & 0x0F;
  const std::size_t size = kFixedBytes + NumberAt(bytes, 14);
  if ((command != kLocal && command != kProxy) || size > kProxyHeaderBytesMax) {
    return kRefused;
  }
  if (bytes.size() < size) {
    return kNeedMore;
  }
  if (command == kLocal) {
    return Done(size, std::nullopt);
  }
  if (family > kUnix || transport > kDatagram) {
    return kRefused;
  }
  if (family == kUnspecified || family == kUnix || transport == 0) {
    return Done(size, std::nullopt);
  }
  return ParseAddresses(bytes.substr(kFixedBytes, size - kFixedBytes),
                        family == kInet ? IpFamily::kV4 : IpFamily::kV6, size);
}

}  // namespace

ProxyHeader ParseProxyHeader(std::string_view bytes) {
  if (BeginsLike(bytes, kSignature2)) {
    return ParseVersion2(bytes);
  }
  return BeginsLike(bytes, kSignature1) ? ParseVersion1(bytes) : kRefused;
}

}  // namespace elb::proxy
