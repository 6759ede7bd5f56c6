#include "server/own_answer.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/assert.h"
#include "http/h1/fields.h"
#include "http/h1/serialize.h"

namespace elb::server {
namespace {

/// Takes the part up to `separator` off the front of `text`.
std::string_view TakeToken(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view token = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return http::h1::TrimSpace(token);
}

/// Weight in thousandths, 1000 when absent or unreadable.
int Quality(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = TakeToken(parameters, ';');
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) {
      continue;
    }
    parameter.remove_prefix(2);
    double value = 1;
    const auto [end, error] =
        std::from_chars(parameter.data(), parameter.data() + parameter.size(), value);
    if (error == std::errc{} && end != parameter.data() && value >= 0 && value <= 1) {
      return static_cast<int>(value * 1000);
    }
  }
  return 1000;
}

/// Weights of what the client named, -1 where it named nothing.
struct Preference {
  int json = -1;
  int html = -1;
  int text = -1;      ///< text/*
  int anything = -1;  ///< */*

  /// The most specific range counts (RFC 9110 section 12.5.1). JSON that was named is preferred to
  /// HTML that was not, at equal weight.
  [[nodiscard]] bool IsJson() const {
    const int named = html >= 0 ? html : text;
    return json > 0 && (named >= 0 ? json > named : json >= anything);
  }
};

void Weigh(std::string_view value, Preference& preference) {
  using http::h1::EqualsIgnoringCase;
  while (!value.empty()) {
    std::string_view range = TakeToken(value, ',');
    const std::string_view type = TakeToken(range, ';');
    if (EqualsIgnoringCase(type, "application/json")) {
      preference.json = Quality(range);
    } else if (EqualsIgnoringCase(type, "text/html")) {
      preference.html = Quality(range);
    } else if (EqualsIgnoringCase(type, "text/*")) {
      preference.text = Quality(range);
    } else if (type == "*/*") {
      preference.anything = Quality(range);
    }
  }
}

}  // namespace

AnswerForm PreferredForm(const http::FieldList& fields) {
  Preference preference;
  for (const http::Field& field : fields) {
    if (field.known == http::FieldName::kAccept) {
      Weigh(field.value, preference);
    }
  }
  return preference.IsJson() ? AnswerForm::kJson : AnswerForm::kHtml;
}

OwnAnswer::OwnAnswer(int status, std::string_view reason, AnswerForm form) : status_(status) {
  AddField("Server", "elb");
  const std::string_view phrase = http::h1::ReasonPhrase(status);
  if (form == AnswerForm::kJson) {
    AddField("Content-Type", "application/json");
    content_ = fmt::format(R"({{"status":{},"error":"{}"}})", status, reason);
  } else {
    AddField("Content-Type", "text/html; charset=utf-8");
    content_ = fmt::format(
        "<!DOCTYPE html>\n<html><head><title>{0} {1}</title></head>"
        "<body><h1>{0} {1}</h1></body></html>\n",
        status, phrase);
  }
}

void OwnAnswer::AddField(std::string_view name, std::string_view value) {
  ELB_ASSERT(count_ < fields_.size());
  fields_[count_++] = {.name = name, .value = value, .known = http::FieldName::kOther};
}

}  // namespace elb::server
