#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace elb::proxy {

/// A regular expression that a whole text must match (RE2 syntax, case-sensitive). Matching takes
/// linear time and bounded memory. Immutable, thread-safe.
class WholeRegex {
 public:
  /// kInvalid with an empty path: does not compile, or needs too much memory.
  [[nodiscard]] static Result<WholeRegex> Create(std::string_view expression);
  WholeRegex(WholeRegex&&) noexcept;
  WholeRegex& operator=(WholeRegex&&) noexcept;
  WholeRegex(const WholeRegex&) = delete;
  WholeRegex& operator=(const WholeRegex&) = delete;
  ~WholeRegex();

  [[nodiscard]] bool Matches(std::string_view text) const;

 private:
  WholeRegex(std::string prefix, std::unique_ptr<const re2::RE2> regex);
  std::string prefix_;  ///< Every match starts with it: most texts need no automaton.
  std::unique_ptr<const re2::RE2> regex_;
};

/// A text with `*` (any run of bytes, also an empty one) and `?` (exactly one byte); everything
/// else stands for itself. Case-sensitive: whoever ignores case lowers both sides. Linear time.
/// Immutable, thread-safe.
class Wildcard {
 public:
  /// kInvalid with an empty path: needs too much memory.
  [[nodiscard]] static Result<Wildcard> Create(std::string_view text);
  Wildcard(Wildcard&&) noexcept;
  Wildcard& operator=(Wildcard&&) noexcept;
  Wildcard(const Wildcard&) = delete;
  Wildcard& operator=(const Wildcard&) = delete;
  ~Wildcard();

  [[nodiscard]] bool Matches(std::string_view value) const;
  /// True when a match needs an automaton, so costs more than comparing.
  [[nodiscard]] bool costly() const { return shape_ == Shape::kMixed; }

 private:
  enum class Shape : std::uint8_t { kExact, kPrefix, kSuffix, kContains, kMixed };
  Wildcard(Shape shape, std::string_view literal, std::unique_ptr<const re2::RE2> regex);

  Shape shape_;
  std::string literal_;
  std::unique_ptr<const re2::RE2> regex_;  ///< kMixed only.
};

}  // namespace elb::proxy
