#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace elb::server {

/// Fields as nghttp2 takes them, with names in lower case. Values are views: they must live until
/// the block was submitted.
class FieldBlock {
 public:
  explicit FieldBlock(std::size_t expected) {
    fields_.reserve(expected + kOwnFields);
    names_.reserve(expected + kOwnFields);
  }
  void Add(std::string_view name, std::string_view value) {
    std::string& lower = names_.emplace_back(name);
    for (char& letter : lower) {
      if (letter >= 'A' && letter <= 'Z') {
        letter = static_cast<char>(letter + ('a' - 'A'));
      }
    }
    fields_.push_back({.name = reinterpret_cast<std::uint8_t*>(lower.data()),
                       .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                       .namelen = lower.size(),
                       .valuelen = value.size(),
                       .flags = NGHTTP2_NV_FLAG_NONE});
  }
  [[nodiscard]] const nghttp2_nv* data() const { return fields_.data(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  static constexpr std::size_t kOwnFields = 4;  ///< Status, date, length.
  std::vector<nghttp2_nv> fields_;
  std::vector<std::string> names_;  // Reserved: views into it must not move.
};

/// A number as decimal text.
class NumberText {
 public:
  explicit NumberText(std::uint64_t value)
      : size_(static_cast<std::size_t>(
            std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr -
            digits_.data())) {}
  [[nodiscard]] std::string_view view() const { return {digits_.data(), size_}; }

 private:
  std::array<char, 20> digits_{};
  std::size_t size_;
};

}  // namespace elb::server
