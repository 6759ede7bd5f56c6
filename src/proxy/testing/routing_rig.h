#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "contract/config_snapshot.h"
#include "http/h1/parser.h"
#include "proxy/routing.h"

namespace elb::proxy::testing {

using contract::L7PolicyConfig;
using contract::L7RuleConfig;
using contract::RuleCompare;
using contract::RuleType;

inline L7RuleConfig Host(std::vector<std::string> values) {
  return {.type = RuleType::kHostName, .values = std::move(values)};
}
inline L7RuleConfig Path(RuleCompare compare, std::string value) {
  return {.type = RuleType::kPath, .compare = compare, .values = {std::move(value)}};
}
inline L7RuleConfig Exact(std::string value) {
  return Path(RuleCompare::kEqualTo, std::move(value));
}
inline L7RuleConfig Prefix(std::string value) {
  return Path(RuleCompare::kStartsWith, std::move(value));
}
inline L7RuleConfig Regex(std::string value) { return Path(RuleCompare::kRegex, std::move(value)); }
inline L7RuleConfig Method(std::vector<std::string> values) {
  return {.type = RuleType::kMethod, .values = std::move(values)};
}
inline L7RuleConfig Header(std::string key, std::vector<std::string> values) {
  return {.type = RuleType::kHeader, .key = std::move(key), .values = std::move(values)};
}
inline L7RuleConfig Query(std::string key, std::vector<std::string> values) {
  return {.type = RuleType::kQueryString, .key = std::move(key), .values = std::move(values)};
}
inline L7RuleConfig Source(std::vector<std::string> values) {
  return {.type = RuleType::kSourceIp, .values = std::move(values)};
}
inline L7RuleConfig Not(L7RuleConfig rule) {
  rule.invert = true;
  return rule;
}

/// A listener's policies and the requests they are asked about. Policies are known by their ids.
struct RoutingRig {
  /// Behind those that are there.
  L7PolicyConfig& Add(std::string id, std::vector<L7RuleConfig> rules) {
    listener.policies.push_back({.id = L7PolicyId(std::move(id)), .rules = std::move(rules)});
    router = nullptr;
    return listener.policies.back();
  }

  /// Asks with a whole HTTP/1 request; the id of the policy that matched, `default` or `none`.
  std::string Ask(const std::string& request) {
    const http::h1::Limits limits;
    http::h1::RequestParser parser(limits);
    http::RequestHead head;
    EXPECT_EQ(parser.Parse(request, head), http::h1::ParseStatus::kDone) << request;
    return Decide(head);
  }
  std::string Get(const std::string& target, const std::string& host = "a.test") {
    return Ask("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
  std::string Decide(const http::RequestHead& head) {
    if (router == nullptr) {
      router = Router::Compile(listener).value();
    }
    decision = router->Decide({.head = &head, .client = &client}, scratch);
    switch (decision.reason) {
      case RouteReason::kNone:
        return "none";
      case RouteReason::kDefault:
        return "default";
      case RouteReason::kFirstMatch:
        break;
    }
    return listener.policies[decision.policy].id.value();
  }

  contract::ListenerConfig listener;
  std::shared_ptr<const Router> router;
  RoutingScratch scratch;
  RouteDecision decision;
  IpAddress client = *IpAddress::Parse("192.0.2.7");
};

}  // namespace elb::proxy::testing
