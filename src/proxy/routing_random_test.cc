// The router against rules read one by one, on random policies and requests.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "proxy/testing/routing_rig.h"

namespace elb::proxy {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of the tests.

bool NaiveWildcard(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern.front() == '*') {
    return NaiveWildcard(pattern.substr(1), text) ||
           (!text.empty() && NaiveWildcard(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern.front() == '?' || pattern.front() == text.front()) &&
         NaiveWildcard(pattern.substr(1), text.substr(1));
}

/// A request in the parts that random rules look at; all in plain characters.
struct Sample {
  std::string method;
  std::string host;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> fields;

  [[nodiscard]] std::string Text() const {
    std::string text = method + " " + path;
    for (std::size_t i = 0; i < query.size(); ++i) {
      text += (i == 0 ? "?" : "&") + query[i].first + "=" + query[i].second;
    }
    text += " HTTP/1.1\r\nHost: " + host + "\r\n";
    for (const auto& [name, value] : fields) {
      text += name;
      text += ": " + value + "\r\n";
    }
    return text + "\r\n";
  }
};

bool NaivePath(const L7RuleConfig& rule, const std::string& value, const std::string& path) {
  switch (rule.compare) {
    case RuleCompare::kEqualTo:
      return path == value;
    case RuleCompare::kStartsWith:
      return path.substr(0, value.size()) == value;
    case RuleCompare::kRegex:
      break;
  }
  return std::regex_match(path, std::regex(value));
}

bool NaiveKeyed(const L7RuleConfig& rule, const std::string& value,
                const std::vector<std::pair<std::string, std::string>>& given) {
  std::string joined;
  bool any = false;
  for (const auto& [key, text] : given) {
    if (key == rule.key) {
      joined += joined.empty() ? "" : ", ";
      joined += text;
      any = any || NaiveWildcard(value, text);
    }
  }
  return any || (rule.type == RuleType::kHeader && !joined.empty() && NaiveWildcard(value, joined));
}

bool NaiveValue(const L7RuleConfig& rule, const std::string& value, const Sample& sample) {
  switch (rule.type) {
    case RuleType::kHostName:
      return value[0] == '*'
                 ? sample.host.size() > value.size() - 1 && sample.host.ends_with(value.substr(1))
                 : sample.host == value;
    case RuleType::kPath:
      return NaivePath(rule, value, sample.path);
    case RuleType::kMethod:
      return sample.method == value;
    case RuleType::kHeader:
      return NaiveKeyed(rule, value, sample.fields);
    case RuleType::kQueryString:
      return NaiveKeyed(rule, value, sample.query);
    case RuleType::kSourceIp:
      break;
  }
  return IpPrefix::Parse(value)->Contains(*IpAddress::Parse("192.0.2.7"));
}

/// First match by a loop over policies, rules and values.
std::string Naive(const std::vector<L7PolicyConfig>& policies, const Sample& sample) {
  for (const L7PolicyConfig& policy : policies) {
    const auto holds = [&](const L7RuleConfig& rule) {
      const bool any = std::ranges::any_of(
          rule.values, [&](const std::string& value) { return NaiveValue(rule, value, sample); });
      return any != rule.invert;
    };
    if (std::ranges::all_of(policy.rules, holds)) {
      return policy.id.value();
    }
  }
  return policies.empty() ? "none" : "default";
}

/// Draws from few words, so that much matches.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t Roll(std::size_t sides) {
    return std::uniform_int_distribution<std::size_t>(0, sides - 1)(engine_);
  }
  std::string From(const std::vector<std::string>& words) { return words[Roll(words.size())]; }
  std::vector<std::string> Several(const std::vector<std::string>& words) {
    std::vector<std::string> chosen(1 + Roll(3));
    std::ranges::generate(chosen, [&] { return From(words); });
    return chosen;
  }

 private:
  std::mt19937_64 engine_;
};

const std::vector<std::string> kMethods{"GET", "PUT", "POST", "DELETE"};
const std::vector<std::string> kPaths{"/", "/a", "/ab", "/a/b", "/a/b/c", "/b", "//a", "/abc"};
const std::vector<std::string> kKeys{"x", "y", "z"};
const std::vector<std::string> kWords{"", "a", "b", "ab", "aab", "abab", "ba"};

L7RuleConfig RandomRule(Dice& dice) {
  const std::vector<std::string> patterns{"a", "*", "a*", "*b", "*a*", "a?*", "?b", "*a*b", "ab"};
  switch (dice.Roll(8)) {
    case 0:
      return Host(dice.Several({"a.test", "b.test", "*.test", "*.a.test", "*test"}));
    case 1:
      return Exact(dice.From(kPaths));
    case 2:
      return Prefix(dice.From(kPaths));
    case 3:
      return Regex(dice.From({"/a.*", "/ab?", "/ab*c?", "/[ab]+", "/a|/b", ".*b", "/a/b/.*"}));
    case 4:
      return Method(dice.Several(kMethods));
    case 5:
      return Header(dice.From(kKeys), dice.Several(patterns));
    case 6:
      return Query(dice.From(kKeys), dice.Several(patterns));
    default:
      return Source(dice.Several({"192.0.2.0/24", "192.0.2.0/30", "0.0.0.0/0", "::/0"}));
  }
}

Sample RandomSample(Dice& dice) {
  Sample sample{.method = dice.From(kMethods),
                .host = dice.From({"a.test", "b.test", "x.a.test", "test", "other"}),
                .path = dice.From(kPaths),
                .query = {},
                .fields = {}};
  for (std::size_t i = dice.Roll(4); i > 0; --i) {
    sample.query.emplace_back(dice.From(kKeys), dice.From(kWords));
  }
  for (std::size_t i = dice.Roll(4); i > 0; --i) {
    sample.fields.emplace_back(dice.From(kKeys), dice.From({"a", "b", "ab", "aab", "abab", "ba"}));
  }
  return sample;
}

TEST(RoutingRandomTest, DecidesAsRulesReadOneByOneDo) {
  Dice dice(20'240'607);
  int matched = 0;
  for (int round = 0; round < 100; ++round) {
    RoutingRig rig;
    const std::size_t policies = dice.Roll(12);
    for (std::size_t i = 0; i < policies; ++i) {
      std::vector<L7RuleConfig> rules(1 + dice.Roll(4));
      std::ranges::generate(rules, [&] { return RandomRule(dice); });
      for (L7RuleConfig& rule : rules) {
        rule.invert = dice.Roll(5) == 0;
      }
      rig.Add(std::to_string(i), std::move(rules));
    }
    for (int request = 0; request < 40; ++request) {
      const Sample sample = RandomSample(dice);
      const std::string expected = Naive(rig.listener.policies, sample);
      ASSERT_EQ(rig.Ask(sample.Text()), expected) << "round " << round << "\n" << sample.Text();
      matched += expected != "default" && expected != "none" ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 500);
}

}  // namespace
}  // namespace elb::proxy
