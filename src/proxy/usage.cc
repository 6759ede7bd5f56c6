#include "proxy/usage.h"

#include <chrono>
#include <utility>

namespace elb::proxy {
namespace {

constexpr std::chrono::seconds kPeriod{60};
constexpr double kKilobit = 1000;

double Percent(double part, std::int64_t whole) {
  return whole > 0 ? 100 * part / static_cast<double>(whole) : 0;
}

/// Growth per second; totals fall when a listener is deleted.
double Rate(std::uint64_t now, std::uint64_t before, double seconds) {
  return seconds > 0 && now > before ? static_cast<double>(now - before) / seconds : 0;
}

Usage UsageOf(const LoadBalancerTotals& now, const LoadBalancerTotals& before, double seconds) {
  const contract::FlavorLimits& limits = now.limits;
  const auto kilobits = [seconds](std::uint64_t later, std::uint64_t earlier) {
    return 8 * Rate(later, earlier, seconds) / kKilobit;
  };
  return {.connections = Percent(static_cast<double>(now.connections), limits.connections),
          .opened = Percent(Rate(now.opened, before.opened, seconds), limits.connections_per_s),
          .requests = Percent(Rate(now.requests, before.requests, seconds), limits.requests_per_s),
          .bytes_in = Percent(kilobits(now.bytes_in, before.bytes_in), limits.kilobits_per_s),
          .bytes_out = Percent(kilobits(now.bytes_out, before.bytes_out), limits.kilobits_per_s)};
}

}  // namespace

absl::flat_hash_map<LoadBalancerId, Usage> UsageWindow::Update(MonotonicTime now,
                                                               TotalsByLoadBalancer totals) {
  if (!std::exchange(started_, true)) {
    older_ = newer_ = {.at = now, .totals = totals};
  }
  const double seconds = std::chrono::duration<double>(now - older_.at).count();
  absl::flat_hash_map<LoadBalancerId, Usage> usages;
  for (const auto& [id, current] : totals) {
    const auto before = older_.totals.find(id);
    usages[id] = UsageOf(
        current, before == older_.totals.end() ? LoadBalancerTotals{} : before->second, seconds);
  }
  if (now - newer_.at >= kPeriod) {
    older_ = std::exchange(newer_, {.at = now, .totals = std::move(totals)});
  }
  return usages;
}

}  // namespace elb::proxy
