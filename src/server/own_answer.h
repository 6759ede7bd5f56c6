#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace elb::server {

/// Form of the content of an answer made here.
enum class AnswerForm : std::uint8_t { kHtml, kJson };

/// JSON when the request's Accept prefers application/json over text/html (RFC 9110
/// section 12.5.1), else HTML.
[[nodiscard]] AnswerForm PreferredForm(const http::FieldList& fields);

/// An answer that the load balancer makes itself (data-plane.md 4.8, 12.1): `Server: elb`,
/// Content-Type, and what the status asks for. The stream adds Date and framing.
class OwnAnswer {
 public:
  /// `reason` is the token of data-plane.md 12.2 that JSON content shows.
  OwnAnswer(int status, std::string_view reason, AnswerForm form);

  /// Adds a field; at most `kFieldsMax` in all. `name` and `value` must outlive the answer.
  void AddField(std::string_view name, std::string_view value);
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::span<const http::Field> fields() const { return {fields_.data(), count_}; }
  [[nodiscard]] std::string_view content() const { return content_; }

  static constexpr std::size_t kFieldsMax = 8;

 private:
  int status_;
  std::array<http::Field, kFieldsMax> fields_{};
  std::size_t count_ = 0;
  std::string content_;
};

}  // namespace elb::server
