#include "proxy/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "proxy/limits.h"

namespace elb::proxy {
namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

Result<std::unique_ptr<const re2::RE2>> CompileRegex(std::string_view expression,
                                                     re2::RE2::Options options) {
  options.set_log_errors(false);
  options.set_max_mem(kRegexBytesMax);
  auto regex = std::make_unique<const re2::RE2>(Piece(expression), options);
  if (!regex->ok()) {
    return Invalid(
        "", fmt::format("'{}' is no usable regular expression: {}", expression, regex->error()));
  }
  return regex;
}

bool FullMatch(std::string_view text, const re2::RE2& regex) {
  return regex.Match(Piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

/// Letters that stand for themselves wherever they are outside of brackets and braces.
bool IsPlain(char letter) {
  const char lower = static_cast<char>(letter | 0x20);
  return (lower >= 'a' && lower <= 'z') || (letter >= '0' && letter <= '9') || letter == '/' ||
         letter == '-' || letter == '_';
}

/// What every match of `expression` starts with, as far as plain letters tell; may be empty.
std::string LiteralPrefix(std::string_view expression) {
  if (expression.contains('|')) {
    return {};
  }
  if (expression.starts_with('^')) {
    expression.remove_prefix(1);
  }
  const auto* const end = std::ranges::find_if_not(expression, IsPlain);
  std::string prefix(expression.begin(), end);
  const bool repeated =
      end != expression.end() && std::string_view("*+?{").contains(*end) && !prefix.empty();
  if (repeated) {
    prefix.pop_back();  // The last letter may be absent.
  }
  return prefix;
}

bool Contains(std::string_view text, std::string_view part) {
  // memmem takes linear time, which std::string_view::find does not promise.
  return part.empty() || (part.size() <= text.size() &&
                          ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr);
}

std::string RegexOfWildcard(std::string_view text) {
  std::string expression = "(?s)";
  for (const char letter : text) {
    if (letter == '*') {
      expression += ".*";
    } else if (letter == '?') {
      expression += '.';
    } else {
      expression += re2::RE2::QuoteMeta(re2::StringPiece(&letter, 1));
    }
  }
  return expression;
}

}  // namespace

WholeRegex::WholeRegex(std::string prefix, std::unique_ptr<const re2::RE2> regex)
    : prefix_(std::move(prefix)), regex_(std::move(regex)) {}
WholeRegex::WholeRegex(WholeRegex&&) noexcept = default;
WholeRegex& WholeRegex::operator=(WholeRegex&&) noexcept = default;
WholeRegex::~WholeRegex() = default;

Result<WholeRegex> WholeRegex::Create(std::string_view expression) {
  ELB_ASSIGN_OR_RETURN(auto regex, CompileRegex(expression, re2::RE2::DefaultOptions));
  return WholeRegex(LiteralPrefix(expression), std::move(regex));
}

bool WholeRegex::Matches(std::string_view text) const {
  return text.starts_with(prefix_) && FullMatch(text, *regex_);
}

Wildcard::Wildcard(Shape shape, std::string_view literal, std::unique_ptr<const re2::RE2> regex)
    : shape_(shape), literal_(literal), regex_(std::move(regex)) {}
Wildcard::Wildcard(Wildcard&&) noexcept = default;
Wildcard& Wildcard::operator=(Wildcard&&) noexcept = default;
Wildcard::~Wildcard() = default;

Result<Wildcard> Wildcard::Create(std::string_view text) {
  std::string_view inner = text;
  const bool open_start = inner.starts_with('*');
  if (open_start) {
    inner.remove_prefix(1);
  }
  const bool open_end = inner.ends_with('*');
  if (open_end) {
    inner.remove_suffix(1);
  }
  if (inner.find_first_of("*?") != std::string_view::npos) {
    ELB_ASSIGN_OR_RETURN(auto regex, CompileRegex(RegexOfWildcard(text), re2::RE2::Latin1));
    return Wildcard(Shape::kMixed, {}, std::move(regex));
  }
  if (open_start) {
    return Wildcard(open_end ? Shape::kContains : Shape::kSuffix, inner, nullptr);
  }
  return Wildcard(open_end ? Shape::kPrefix : Shape::kExact, inner, nullptr);
}

bool Wildcard::Matches(std::string_view value) const {
  switch (shape_) {
    case Shape::kExact:
      return value == literal_;
    case Shape::kPrefix:
      return value.starts_with(literal_);
    case Shape::kSuffix:
      return value.ends_with(literal_);
    case Shape::kContains:
      return Contains(value, literal_);
    case Shape::kMixed:
      return FullMatch(value, *regex_);
  }
  return false;
}

}  // namespace elb::proxy
