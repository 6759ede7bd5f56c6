// Cost of finding the forwarding policy of a request (data-plane.md T10.11): 100 policies of 10
// conditions each.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "contract/config_snapshot.h"
#include "http/h1/parser.h"
#include "proxy/routing.h"

namespace {

using elb::contract::L7PolicyConfig;
using elb::contract::L7RuleConfig;
using elb::contract::RuleCompare;
using elb::contract::RuleType;

constexpr int kPolicies = 100;
constexpr std::string_view kRequest =
    "GET /policy/some/longer/path/index.html?a=1&region=region01&b=2&session=abcdef HTTP/1.1\r\n"
    "Host: www.example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en-US,en;q=0.9\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nX-One: value one\r\nX-Two: value two\r\n\r\n";

/// Which of a policy's conditions says no.
enum class Fails { kFirst, kLast };

/// Policies whose conditions differ from each other's, so that nothing is asked only once.
L7PolicyConfig Policy(int number, Fails fails) {
  const auto own = [&](std::string_view text) { return fmt::format("{}{}", text, number); };
  const auto keyed = [&](RuleType type, std::string key, std::string value) {
    return L7RuleConfig{.type = type, .key = std::move(key), .values = {own("none"), value}};
  };
  const std::string host = fails == Fails::kFirst ? own("other") : "www.example.test";
  return {.id = elb::L7PolicyId(own("policy")),
          .rules = {{.type = RuleType::kHostName, .values = {own("host"), host}},
                    {.type = RuleType::kPath,
                     .compare = RuleCompare::kRegex,
                     .values = {own("/none") + "[^\\s]*", "/policy/[^\\s]*"}},
                    {.type = RuleType::kMethod, .values = {"GET", "HEAD"}},
                    {.type = RuleType::kSourceIp,
                     .values = {fmt::format("10.{}.0.0/16", number), "192.0.2.0/24"}},
                    keyed(RuleType::kHeader, "Accept-Language", "*en-us*"),
                    keyed(RuleType::kHeader, "X-One", "value*"),
                    keyed(RuleType::kHeader, "X-Two", "*two"),
                    keyed(RuleType::kQueryString, "region", "region01"),
                    keyed(RuleType::kQueryString, "session", "abc*"),
                    {.type = RuleType::kQueryString, .key = "b", .values = {own("3")}}}};
}

/// Decides about one request again and again; `p99_ns` is the time that one of 100 exceeds.
void Decide(benchmark::State& state, Fails fails) {
  elb::contract::ListenerConfig listener;
  for (int i = 0; i < kPolicies; ++i) {
    listener.policies.push_back(Policy(i, fails));
  }
  const auto router = elb::proxy::Router::Compile(listener).value();
  const elb::http::h1::Limits limits;
  elb::http::h1::RequestParser parser(limits);
  elb::http::RequestHead head;
  static_cast<void>(parser.Parse(kRequest, head));
  const elb::IpAddress client = *elb::IpAddress::Parse("192.0.2.7");
  elb::proxy::RoutingScratch scratch;
  std::vector<double> times;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(router->Decide({.head = &head, .client = &client}, scratch));
    times.push_back(
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  const auto p99 = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
  std::ranges::nth_element(times, p99);
  state.counters["p99_ns"] = *p99;
}

BENCHMARK_CAPTURE(Decide, every_policy_fails_at_its_host, Fails::kFirst);
BENCHMARK_CAPTURE(Decide, every_policy_fails_at_its_last_condition, Fails::kLast);

}  // namespace
