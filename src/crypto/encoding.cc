#include "crypto/encoding.h"

#include <array>
#include <cstdint>

namespace elb::crypto {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kBad = 0xff;
using Values = std::array<std::uint8_t, 256>;

consteval Values ValuesOf(std::string_view alphabet) {
  Values values{};
  values.fill(kBad);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr Values kBase64Values = ValuesOf(kBase64);
constexpr Values kBase64UrlValues = ValuesOf(kBase64Url);

std::uint8_t HexValue(char digit) {
  if (digit >= '0' && digit <= '9') {
    return static_cast<std::uint8_t>(digit - '0');
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<std::uint8_t>(lower - 'a' + 10) : kBad;
}

std::string Encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3 + 2);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    pending = (pending << 8) | static_cast<std::uint8_t>(byte);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text.push_back(alphabet[(pending >> bits) & 0x3f]);
    }
  }
  if (bits > 0) {
    text.push_back(alphabet[(pending << (6 - bits)) & 0x3f]);
  }
  return text;
}

std::optional<std::string> Decode(std::string_view text, const Values& values) {
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char digit : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(digit)];
    if (value == kBad) {
      return std::nullopt;
    }
    pending = (pending << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>((pending >> bits) & 0xff));
    }
  }
  const std::uint32_t unused = pending & ((1U << bits) - 1);
  return unused == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace

std::string HexEncode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text.push_back(kHexDigits[static_cast<std::uint8_t>(byte) >> 4]);
    text.push_back(kHexDigits[static_cast<std::uint8_t>(byte) & 0x0f]);
  }
  return text;
}

std::optional<std::string> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = HexValue(text[i]);
    const std::uint8_t low = HexValue(text[i + 1]);
    if (high == kBad || low == kBad) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string Base64Encode(std::string_view bytes) {
  std::string text = Encode(bytes, kBase64);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
    text.remove_suffix(1);
  }
  return Decode(text, kBase64Values);
}

std::string Base64UrlEncode(std::string_view bytes) { return Encode(bytes, kBase64Url); }

std::optional<std::string> Base64UrlDecode(std::string_view text) {
  return Decode(text, kBase64UrlValues);
}

}  // namespace elb::crypto
