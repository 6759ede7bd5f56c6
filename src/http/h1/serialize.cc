#include "http/h1/serialize.h"

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace elb::http::h1 {

void HeadWriter::Append(std::string_view text) {
  if (text.size() > space_.size() - size_) {
    overflowed_ = true;
    return;
  }
  std::memcpy(space_.data() + size_, text.data(), text.size());
  size_ += text.size();
}

void HeadWriter::AppendDecimal(std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  Append({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void HeadWriter::AppendField(std::string_view name, std::string_view value) {
  Append(name);
  Append(": ");
  Append(value);
  Append("\r\n");
}

void HeadWriter::AppendField(std::string_view name, std::uint64_t value) {
  Append(name);
  Append(": ");
  AppendDecimal(value);
  Append("\r\n");
}

void HeadWriter::AppendStatusLine(int status, std::string_view reason) {
  Append("HTTP/1.1 ");
  AppendDecimal(static_cast<std::uint64_t>(status));
  Append(" ");
  Append(reason.empty() ? ReasonPhrase(status) : reason);
  Append("\r\n");
}

void HeadWriter::AppendRequestLine(std::string_view method, std::string_view target) {
  Append(method);
  Append(" ");
  Append(target);
  Append(" HTTP/1.1\r\n");
}

std::string_view ReasonPhrase(int status) {
  using Entry = std::pair<int, std::string_view>;
  static constexpr std::array kPhrases = {
      Entry{200, "OK"},
      Entry{100, "Continue"},
      Entry{101, "Switching Protocols"},
      Entry{103, "Early Hints"},
      Entry{201, "Created"},
      Entry{202, "Accepted"},
      Entry{204, "No Content"},
      Entry{205, "Reset Content"},
      Entry{206, "Partial Content"},
      Entry{301, "Moved Permanently"},
      Entry{302, "Found"},
      Entry{303, "See Other"},
      Entry{304, "Not Modified"},
      Entry{307, "Temporary Redirect"},
      Entry{308, "Permanent Redirect"},
      Entry{400, "Bad Request"},
      Entry{401, "Unauthorized"},
      Entry{403, "Forbidden"},
      Entry{404, "Not Found"},
      Entry{405, "Method Not Allowed"},
      Entry{406, "Not Acceptable"},
      Entry{408, "Request Timeout"},
      Entry{409, "Conflict"},
      Entry{410, "Gone"},
      Entry{411, "Length Required"},
      Entry{412, "Precondition Failed"},
      Entry{413, "Content Too Large"},
      Entry{414, "URI Too Long"},
      Entry{415, "Unsupported Media Type"},
      Entry{417, "Expectation Failed"},
      Entry{421, "Misdirected Request"},
      Entry{422, "Unprocessable Content"},
      Entry{425, "Too Early"},
      Entry{429, "Too Many Requests"},
      Entry{500, "Internal Server Error"},
      Entry{501, "Not Implemented"},
      Entry{502, "Bad Gateway"},
      Entry{503, "Service Unavailable"},
      Entry{504, "Gateway Timeout"},
      Entry{505, "HTTP Version Not Supported"},
  };
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) {
      return phrase;
    }
  }
  return {};
}

std::string_view ChunkHeader(std::uint64_t bytes, std::span<char> space) {
  const auto [end, error] = std::to_chars(space.data(), space.data() + space.size() - 2, bytes, 16);
  end[0] = '\r';
  end[1] = '\n';
  return {space.data(), static_cast<std::size_t>(end + 2 - space.data())};
}

}  // namespace elb::http::h1
