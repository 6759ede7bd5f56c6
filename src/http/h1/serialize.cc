#include "http/h1/serialize.h"

#include <algorithm>
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
  if (text.empty()) {
    return;  // An empty view may have no address, which memcpy must not see.
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
      Entry{100, "Continue"},
      Entry{101, "Switching Protocols"},
      Entry{102, "Processing"},
      Entry{103, "Early Hints"},
      Entry{200, "OK"},
      Entry{201, "Created"},
      Entry{202, "Accepted"},
      Entry{203, "Non-Authoritative Information"},
      Entry{204, "No Content"},
      Entry{205, "Reset Content"},
      Entry{206, "Partial Content"},
      Entry{207, "Multi-Status"},
      Entry{208, "Already Reported"},
      Entry{226, "IM Used"},
      Entry{300, "Multiple Choices"},
      Entry{301, "Moved Permanently"},
      Entry{302, "Found"},
      Entry{303, "See Other"},
      Entry{304, "Not Modified"},
      Entry{305, "Use Proxy"},
      Entry{307, "Temporary Redirect"},
      Entry{308, "Permanent Redirect"},
      Entry{400, "Bad Request"},
      Entry{401, "Unauthorized"},
      Entry{402, "Payment Required"},
      Entry{403, "Forbidden"},
      Entry{404, "Not Found"},
      Entry{405, "Method Not Allowed"},
      Entry{406, "Not Acceptable"},
      Entry{407, "Proxy Authentication Required"},
      Entry{408, "Request Timeout"},
      Entry{409, "Conflict"},
      Entry{410, "Gone"},
      Entry{411, "Length Required"},
      Entry{412, "Precondition Failed"},
      Entry{413, "Content Too Large"},
      Entry{414, "URI Too Long"},
      Entry{415, "Unsupported Media Type"},
      Entry{416, "Range Not Satisfiable"},
      Entry{417, "Expectation Failed"},
      Entry{421, "Misdirected Request"},
      Entry{422, "Unprocessable Content"},
      Entry{423, "Locked"},
      Entry{424, "Failed Dependency"},
      Entry{425, "Too Early"},
      Entry{426, "Upgrade Required"},
      Entry{428, "Precondition Required"},
      Entry{429, "Too Many Requests"},
      Entry{431, "Request Header Fields Too Large"},
      Entry{451, "Unavailable For Legal Reasons"},
      Entry{500, "Internal Server Error"},
      Entry{501, "Not Implemented"},
      Entry{502, "Bad Gateway"},
      Entry{503, "Service Unavailable"},
      Entry{504, "Gateway Timeout"},
      Entry{505, "HTTP Version Not Supported"},
      Entry{506, "Variant Also Negotiates"},
      Entry{507, "Insufficient Storage"},
      Entry{508, "Loop Detected"},
      Entry{511, "Network Authentication Required"},
  };
  const auto* const place = std::ranges::lower_bound(kPhrases, status, {}, &Entry::first);
  return place != kPhrases.end() && place->first == status ? place->second : std::string_view{};
}

std::string_view ChunkHeader(std::uint64_t bytes, std::span<char> space) {
  const auto [end, error] = std::to_chars(space.data(), space.data() + space.size() - 2, bytes, 16);
  end[0] = '\r';
  end[1] = '\n';
  return {space.data(), static_cast<std::size_t>(end + 2 - space.data())};
}

}  // namespace elb::http::h1
