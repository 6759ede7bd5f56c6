#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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
    AppendNumber(line_, value);
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
  /// How much of `value` needs no escaping. Eight bytes at a time: nearly all of it.
  static std::size_t PlainPrefix(std::string_view value) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighs = 0x8080808080808080;
    const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHighs; };
    std::size_t length = 0;
    for (; length + 8 <= value.size(); length += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, value.data() + length, sizeof(word));
      const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
      if ((below_space | (word & kHighs) | has_zero(word ^ (kOnes * '"')) |
           has_zero(word ^ (kOnes * '\\')) | has_zero(word ^ (kOnes * 0x7f))) != 0) {
        break;
      }
    }
    while (length < value.size() && IsPlain(value[length])) {
      ++length;
    }
    return length;
  }
  static bool IsPlain(char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return letter != '"' && letter != '\\' && byte >= 0x20 && byte < 0x7f;
  }
  void AppendEscaped(std::string_view value) {
    while (true) {
      const std::size_t plain = PlainPrefix(value);
      line_ += value.substr(0, plain);
      if (plain == value.size()) {
        return;
      }
      const char letter = value[plain];
      if (letter == '"' || letter == '\\') {
        line_ += '\\';
        line_ += letter;
      } else {
        fmt::format_to(std::back_inserter(line_), "\\u{:04x}", static_cast<unsigned char>(letter));
      }
      value.remove_prefix(plain + 1);
    }
  }

  std::string& line_;
};

}  // namespace elb::proxy
