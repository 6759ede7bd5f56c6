#include "crypto/pem.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/encoding.h"

namespace elb::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kLabelMax = 64;
constexpr std::size_t kLineCharacters = 64;

bool IsSpace(char character) {
  return character == ' ' || (character >= '\t' && character <= '\r');
}

bool IsLabel(std::string_view text) {
  return text.size() <= kLabelMax && std::ranges::all_of(text, [](char character) {
           return character >= ' ' && character <= '~' && character != '-';
         });
}

std::unexpected<Error> Malformed(std::string message) { return Invalid("", std::move(message)); }

Result<PemBlock> ReadBlock(std::string_view label, std::string_view body) {
  PemBlock block{.label = std::string(label), .bytes = {}, .encrypted = false};
  if (body.find("Proc-Type:") != std::string_view::npos ||
      body.find("DEK-Info:") != std::string_view::npos) {
    block.encrypted = true;
    return block;
  }
  std::string digits;
  digits.reserve(body.size());
  std::ranges::copy_if(body, std::back_inserter(digits),
                       [](char character) { return !IsSpace(character); });
  std::optional<std::string> bytes = Base64Decode(digits);
  if (!bytes || bytes->empty()) {
    return Malformed(fmt::format("the {} block is not base64", label));
  }
  block.bytes = *std::move(bytes);
  return block;
}

}  // namespace

Result<std::vector<PemBlock>> ReadPem(std::string_view text) {
  std::vector<PemBlock> blocks;
  std::size_t begin = text.find(kBegin);
  while (begin != std::string_view::npos) {
    const std::size_t label_at = begin + kBegin.size();
    const std::size_t label_end = text.find(kDashes, label_at);
    if (label_end == std::string_view::npos ||
        !IsLabel(text.substr(label_at, label_end - label_at))) {
      return Malformed("a BEGIN line is malformed");
    }
    const std::string_view label = text.substr(label_at, label_end - label_at);
    const std::size_t body_at = label_end + kDashes.size();
    const std::string end_line = fmt::format("-----END {}-----", label);
    const std::size_t body_end = text.find(kDashes, body_at);
    if (body_end == std::string_view::npos || !text.substr(body_end).starts_with(end_line)) {
      return Malformed(fmt::format("the {} block has no END line", label));
    }
    ELB_ASSIGN_OR_RETURN(PemBlock block,
                         ReadBlock(label, text.substr(body_at, body_end - body_at)));
    blocks.push_back(std::move(block));
    begin = text.find(kBegin, body_end + end_line.size());
  }
  return blocks;
}

std::string WritePem(std::string_view label, std::string_view bytes) {
  const std::string digits = Base64Encode(bytes);
  std::string text = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t at = 0; at < digits.size(); at += kLineCharacters) {
    text.append(digits, at, kLineCharacters);
    text.push_back('\n');
  }
  fmt::format_to(std::back_inserter(text), "-----END {}-----\n", label);
  return text;
}

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; }));
}

}  // namespace elb::crypto
