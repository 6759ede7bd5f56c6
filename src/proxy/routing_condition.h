#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "contract/config_snapshot.h"
#include "proxy/access.h"
#include "proxy/pattern.h"
#include "proxy/routing_subject.h"

namespace elb::proxy {

/// One forwarding rule made ready (data-plane.md 10.3): any of its values, perhaps inverted.
/// Immutable, thread-safe.
class RoutingCondition {
 public:
  /// Enters its key into `keys`. kInvalid with path `rule.value`: a regular expression that does
  /// not compile, an address that is none.
  [[nodiscard]] static Result<RoutingCondition> Compile(const contract::L7RuleConfig& rule,
                                                        KeyTables& keys);

  [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  /// Conditions of one policy are asked in ascending order of cost.
  [[nodiscard]] int cost() const { return cost_; }

 private:
  struct Host {
    std::vector<std::string> names;     ///< Lower case.
    std::vector<std::string> suffixes;  ///< Behind a leading `*`.
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct ExactPath {
    std::vector<std::string> paths;
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct PathPrefix {
    std::vector<std::string> prefixes;
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct PathRegex {
    std::vector<WholeRegex> expressions;
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct Method {
    std::uint32_t methods = 0;  ///< Bits by `http::Method`.
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct Header {
    KeySlot slot = 0;
    std::vector<Wildcard> values;
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct Query {
    KeySlot slot = 0;
    std::vector<Wildcard> values;
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  struct Source {
    AddressSet addresses;
    [[nodiscard]] bool Matches(RoutingSubject& subject) const;
  };
  using Matcher =
      std::variant<Host, ExactPath, PathPrefix, PathRegex, Method, Header, Query, Source>;

  RoutingCondition(Matcher matcher, bool invert, int cost);
  [[nodiscard]] static Result<Matcher> Make(const contract::L7RuleConfig& rule, KeyTables& keys);
  [[nodiscard]] static Method MakeMethod(const contract::L7RuleConfig& rule);
  [[nodiscard]] static Host MakeHost(const contract::L7RuleConfig& rule);
  [[nodiscard]] static Result<Matcher> MakePath(const contract::L7RuleConfig& rule);
  [[nodiscard]] static Result<Matcher> MakeSource(const contract::L7RuleConfig& rule);
  [[nodiscard]] static int CostOf(const Matcher& matcher);

  Matcher matcher_;
  bool invert_;
  int cost_;
};

}  // namespace elb::proxy
