#include "proxy/routing_condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace elb::proxy {
namespace {

using contract::L7RuleConfig;
using contract::RuleCompare;
using contract::RuleType;

constexpr const char* kValuePath = "rule.value";

/// Host of a rule as `http::MatchHost` gives that of a request.
std::string RuleHost(std::string_view value) {
  if (value.starts_with('[') && value.ends_with(']')) {
    value = value.substr(1, value.size() - 2);
  }
  if (value.ends_with('.')) {
    value.remove_suffix(1);
  }
  return LowerCase(value);
}

Result<std::vector<Wildcard>> Wildcards(const std::vector<std::string>& values) {
  std::vector<Wildcard> compiled;
  for (const std::string& value : values) {
    auto wildcard = Wildcard::Create(value);
    if (!wildcard) {
      return Invalid(kValuePath, std::move(wildcard).error().message);
    }
    compiled.push_back(*std::move(wildcard));
  }
  return compiled;
}

bool AnyMatches(const std::vector<Wildcard>& values, const KeyedValues& given, KeySlot slot) {
  return given.Any(slot, [&](std::string_view text) {
    return std::ranges::any_of(values, [&](const Wildcard& value) { return value.Matches(text); });
  });
}

bool AnyCostly(const std::vector<Wildcard>& values) {
  return std::ranges::any_of(values, &Wildcard::costly);
}

}  // namespace

bool RoutingCondition::Host::Matches(RoutingSubject& subject) const {
  const std::string_view host = subject.host();
  return std::ranges::find(names, host) != names.end() ||
         std::ranges::any_of(suffixes, [&](const std::string& suffix) {
           return host.size() > suffix.size() && host.ends_with(suffix);
         });
}

bool RoutingCondition::ExactPath::Matches(RoutingSubject& subject) const {
  return std::ranges::find(paths, subject.path()) != paths.end();
}

bool RoutingCondition::PathPrefix::Matches(RoutingSubject& subject) const {
  const std::string_view path = subject.path();
  return std::ranges::any_of(prefixes,
                             [&](const std::string& prefix) { return path.starts_with(prefix); });
}

bool RoutingCondition::PathRegex::Matches(RoutingSubject& subject) const {
  const std::string_view path = subject.path();
  return std::ranges::any_of(expressions,
                             [&](const WholeRegex& regex) { return regex.Matches(path); });
}

bool RoutingCondition::Method::Matches(RoutingSubject& subject) const {
  return (methods >> static_cast<unsigned>(subject.method()) & 1U) != 0;
}

bool RoutingCondition::Header::Matches(RoutingSubject& subject) const {
  return AnyMatches(values, subject.headers(), slot);
}

bool RoutingCondition::Query::Matches(RoutingSubject& subject) const {
  return AnyMatches(values, subject.query(), slot);
}

bool RoutingCondition::Source::Matches(RoutingSubject& subject) const {
  return addresses.Contains(subject.client());
}

RoutingCondition::RoutingCondition(Matcher matcher, bool invert, int cost)
    : matcher_(std::move(matcher)), invert_(invert), cost_(cost) {}

Result<RoutingCondition> RoutingCondition::Compile(const L7RuleConfig& rule, KeyTables& keys) {
  ELB_ASSIGN_OR_RETURN(Matcher matcher, Make(rule, keys));
  const int cost = CostOf(matcher);
  return RoutingCondition(std::move(matcher), rule.invert, cost);
}

bool RoutingCondition::Matches(RoutingSubject& subject) const {
  return std::visit([&](const auto& matcher) { return matcher.Matches(subject); }, matcher_) !=
         invert_;
}

Result<RoutingCondition::Matcher> RoutingCondition::Make(const L7RuleConfig& rule,
                                                         KeyTables& keys) {
  switch (rule.type) {
    case RuleType::kHostName:
      return MakeHost(rule);
    case RuleType::kPath:
      return MakePath(rule);
    case RuleType::kMethod:
      return MakeMethod(rule);
    case RuleType::kHeader: {
      std::vector<std::string> lower(rule.values.size());
      std::ranges::transform(rule.values, lower.begin(), &LowerCase);
      Header header{.slot = keys.headers.Add(LowerCase(rule.key)), .values = {}};
      ELB_ASSIGN_OR_RETURN(header.values, Wildcards(lower));
      return header;
    }
    case RuleType::kQueryString: {
      Query query{.slot = keys.query.Add(rule.key), .values = {}};
      ELB_ASSIGN_OR_RETURN(query.values, Wildcards(rule.values));
      return query;
    }
    case RuleType::kSourceIp:
      break;
  }
  return MakeSource(rule);
}

RoutingCondition::Method RoutingCondition::MakeMethod(const L7RuleConfig& rule) {
  Method method;
  for (const std::string& value : rule.values) {
    const http::Method named = http::MethodOf(value);
    if (named != http::Method::kOther) {  // Else every unknown method would match.
      method.methods |= 1U << static_cast<unsigned>(named);
    }
  }
  return method;
}

RoutingCondition::Host RoutingCondition::MakeHost(const L7RuleConfig& rule) {
  Host host;
  for (const std::string& value : rule.values) {
    if (value.starts_with('*')) {
      host.suffixes.push_back(RuleHost(std::string_view(value).substr(1)));
    } else {
      host.names.push_back(RuleHost(value));
    }
  }
  return host;
}

Result<RoutingCondition::Matcher> RoutingCondition::MakePath(const L7RuleConfig& rule) {
  if (rule.compare == RuleCompare::kEqualTo) {
    return ExactPath{.paths = rule.values};
  }
  if (rule.compare == RuleCompare::kStartsWith) {
    return PathPrefix{.prefixes = rule.values};
  }
  PathRegex path;
  for (const std::string& value : rule.values) {
    auto regex = WholeRegex::Create(value);
    if (!regex) {
      return Invalid(kValuePath, std::move(regex).error().message);
    }
    path.expressions.push_back(*std::move(regex));
  }
  return path;
}

Result<RoutingCondition::Matcher> RoutingCondition::MakeSource(const L7RuleConfig& rule) {
  std::vector<IpPrefix> prefixes;
  for (const std::string& value : rule.values) {
    const auto prefix = IpPrefix::Parse(value);
    if (!prefix) {
      return Invalid(kValuePath, fmt::format("'{}' is no address block", value));
    }
    prefixes.push_back(*prefix);
  }
  return Source{.addresses = AddressSet(prefixes)};
}

int RoutingCondition::CostOf(const Matcher& matcher) {
  constexpr int kAutomaton = 10;
  if (const auto* header = std::get_if<Header>(&matcher)) {
    return AnyCostly(header->values) ? kAutomaton + 1 : 5;
  }
  if (const auto* query = std::get_if<Query>(&matcher)) {
    return AnyCostly(query->values) ? kAutomaton + 2 : 6;
  }
  if (std::holds_alternative<PathRegex>(matcher)) {
    return kAutomaton;
  }
  return static_cast<int>(matcher.index());
}

}  // namespace elb::proxy
