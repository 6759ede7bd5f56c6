#pragma once

#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"

namespace elb::proxy {

/// Builds one JSON object by appending. Values come from peers: they are escaped.
class JsonLine {
 public:
  explicit JsonLine(std::string& line) : line_(line) {
    line_.clear();
    line_ += '{';
  }

  /// An empty value is `-`, as everywhere in the log.
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    line_ += '"';
    AppendEscaped(value.empty() ? "-" : value);
    line_ += '"';
  }
  void Number(std::string_view name, std::uint64_t value) {
    Name(name);
    fmt::format_to(std::back_inserter(line_), "{}", value);
  }
  void Seconds(std::string_view name, MonotonicTime::duration value) {
    Name(name);
    AppendSeconds(value);
  }
  void AppendSeconds(MonotonicTime::duration value) {
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
    fmt::format_to(std::back_inserter(line_), "{}.{:03}", millis / 1000, millis % 1000);
  }
  void Name(std::string_view name) {
    if (line_.size() > 1) {
      line_ += ',';
    }
    line_ += '"';
    line_ += name;
    line_ += "\":";
  }
  void Raw(std::string_view text) { line_ += text; }
  void End() { line_ += "}\n"; }

 private:
  void AppendEscaped(std::string_view value) {
    for (const char letter : value) {
      const auto byte = static_cast<unsigned char>(letter);
      if (letter == '"' || letter == '\\') {
        line_ += '\\';
        line_ += letter;
      } else if (byte < 0x20 || byte >= 0x7f) {
        fmt::format_to(std::back_inserter(line_), "\\u{:04x}", byte);
      } else {
        line_ += letter;
      }
    }
  }

  std::string& line_;
};

}  // namespace elb::proxy
