#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"
#include "proxy/log_values.h"

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
    AppendSeconds(line_, value);
  }
  void Millis(std::string_view name, std::int64_t value) {
    Name(name);
    AppendMillis(line_, value);
  }
  /// What `append` adds, which needs no escaping.
  template <typename Append>
  void Quoted(const Append& append) {
    line_ += '"';
    append(line_);
    line_ += '"';
  }
  void Name(std::string_view name) {
    if (line_.size() > 1) {
      line_ += ',';
    }
    line_ += '"';
    line_ += name;
    line_ += "\":";
  }
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
