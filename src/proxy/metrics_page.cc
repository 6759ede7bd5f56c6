#include "proxy/metrics_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "proxy/prometheus_text.h"

namespace elb::proxy {
namespace {

constexpr double kBits = 8;  ///< Per byte.

/// A counter as the page shows it.
template <typename Name>
struct CounterMetric {
  std::string_view name;
  Name counter;
  std::string_view help;
  double scale = 1;
};

constexpr auto kListenerMetrics = std::to_array<CounterMetric<ListenerCounter>>({
    {"m4_ncps", ListenerCounter::kConnectionsOpened, "New client connections."},
    {"m7_in_Bps", ListenerCounter::kBytesIn, "Bytes from clients, TLS included."},
    {"m8_out_Bps", ListenerCounter::kBytesOut, "Bytes to clients, TLS included."},
    {"m22_in_bandwidth", ListenerCounter::kBytesIn, "Bits from clients, TLS included.", kBits},
    {"m23_out_bandwidth", ListenerCounter::kBytesOut, "Bits to clients, TLS included.", kBits},
    {"m5_in_pps", ListenerCounter::kPacketsIn, "Packets from clients."},
    {"m6_out_pps", ListenerCounter::kPacketsOut, "Packets to clients."},
    {"mb_l7_qps", ListenerCounter::kRequests, "Requests answered."},
    {"mc_l7_http_2xx", ListenerCounter::kStatus2xx, "Statuses sent, 2xx."},
    {"md_l7_http_3xx", ListenerCounter::kStatus3xx, "Statuses sent, 3xx."},
    {"me_l7_http_4xx", ListenerCounter::kStatus4xx, "Statuses sent, 4xx (499 included)."},
    {"mf_l7_http_5xx", ListenerCounter::kStatus5xx, "Statuses sent, 5xx."},
    {"m10_l7_http_other_status", ListenerCounter::kStatus1xx, "Statuses sent, other classes."},
    {"m11_l7_http_404", ListenerCounter::kStatus404, "Statuses sent, 404."},
    {"m12_l7_http_499", ListenerCounter::kStatus499, "Requests whose client left first."},
    {"m13_l7_http_502", ListenerCounter::kStatus502, "Statuses sent, 502."},
    {"elb_http_2xx", ListenerCounter::kOwn2xx, "Answers made by the load balancer, 2xx."},
    {"elb_http_3xx", ListenerCounter::kOwn3xx, "Answers made by the load balancer, 3xx."},
    {"elb_http_4xx", ListenerCounter::kOwn4xx, "Answers made by the load balancer, 4xx."},
    {"elb_http_5xx", ListenerCounter::kOwn5xx, "Answers made by the load balancer, 5xx."},
    {"elb_http_400", ListenerCounter::kOwn400, "Answers made by the load balancer, 400."},
    {"elb_http_404", ListenerCounter::kOwn404, "Answers made by the load balancer, 404."},
    {"elb_http_408", ListenerCounter::kOwn408, "Answers made by the load balancer, 408."},
    {"elb_http_499", ListenerCounter::kOwn499, "Requests ended by their client."},
    {"elb_http_502", ListenerCounter::kOwn502, "Answers made by the load balancer, 502."},
    {"elb_http_503", ListenerCounter::kOwn503, "Answers made by the load balancer, 503."},
    {"elb_http_504", ListenerCounter::kOwn504, "Answers made by the load balancer, 504."},
    {"dropped_connections", ListenerCounter::kDroppedConnections, "Connections refused by limits."},
    {"ipgroup_blocked_connections", ListenerCounter::kBlockedConnections,
     "Connections refused by access control."},
    {"ipgroup_blocked_packets", ListenerCounter::kBlockedPackets,
     "Packets of connections refused by access control."},
    {"ipgroup_blocked_traffic", ListenerCounter::kBlockedBytes,
     "Bits of payload in connections refused by access control.", kBits},
    {"client_tls_negotiation_error", ListenerCounter::kHandshakeErrors,
     "Failed handshakes with clients."},
    {"access_log_dropped", ListenerCounter::kAccessLogDropped, "Access log lines dropped."},
});

constexpr auto kUpstreamMetrics = std::to_array<CounterMetric<UpstreamCounter>>({
    {"m18_l7_upstream_2xx", UpstreamCounter::kStatus2xx, "Statuses from members, 2xx."},
    {"m19_l7_upstream_3xx", UpstreamCounter::kStatus3xx, "Statuses from members, 3xx."},
    {"m15_l7_upstream_4xx", UpstreamCounter::kStatus4xx, "Statuses from members, 4xx."},
    {"m16_l7_upstream_5xx", UpstreamCounter::kStatus5xx, "Statuses from members, 5xx."},
    {"l7_upstream_101", UpstreamCounter::kStatus101, "Statuses from members, 101."},
    {"l7_upstream_400", UpstreamCounter::kStatus400, "Statuses from members, 400."},
    {"l7_upstream_403", UpstreamCounter::kStatus403, "Statuses from members, 403."},
    {"l7_upstream_404", UpstreamCounter::kStatus404, "Statuses from members, 404."},
    {"l7_upstream_500", UpstreamCounter::kStatus500, "Statuses from members, 500."},
    {"l7_upstream_501", UpstreamCounter::kStatus501, "Statuses from members, 501."},
    {"l7_upstream_502", UpstreamCounter::kStatus502, "Statuses from members, 502."},
    {"l7_upstream_503", UpstreamCounter::kStatus503, "Statuses from members, 503."},
    {"l7_upstream_504", UpstreamCounter::kStatus504, "Statuses from members, 504."},
    {"l7_upstream_other_status", UpstreamCounter::kStatusOther,
     "Statuses from members, codes that have no metric of their own."},
    {"m24_l7_req_Bps", UpstreamCounter::kBytesOut, "Bits to members.", kBits},
    {"m25_l7_resp_Bps", UpstreamCounter::kBytesIn, "Bits from members.", kBits},
    {"retries", UpstreamCounter::kRetries, "Attempts after the first."},
});

// Samples of a pool carry its label alone: a pool may serve several listeners, and sums over the
// samples of one metric by load balancer or listener must not count a request twice.
constexpr auto kPoolMetrics = std::to_array<CounterMetric<PoolCounter>>({
    {"mb_l7_qps", PoolCounter::kRequests, "Requests answered."},
    {"sticky_hits", PoolCounter::kStickyHits, "Attempts at the member of a session."},
    {"sticky_rebinds", PoolCounter::kStickyRebinds, "Sessions that another member took over."},
    {"upstream_tls_negotiation_error", PoolCounter::kHandshakeErrors,
     "Failed handshakes with members."},
});

constexpr auto kMemberMetrics = std::to_array<CounterMetric<MemberCounter>>({
    {"member_requests", MemberCounter::kRequests, "Attempts at the member."},
    {"member_upstream_2xx", MemberCounter::kStatus2xx, "Statuses from the member, 2xx."},
    {"member_upstream_3xx", MemberCounter::kStatus3xx, "Statuses from the member, 3xx."},
    {"member_upstream_4xx", MemberCounter::kStatus4xx, "Statuses from the member, 4xx."},
    {"member_upstream_5xx", MemberCounter::kStatus5xx, "Statuses from the member, 5xx."},
    {"member_connects", MemberCounter::kConnects, "Connections opened to the member."},
    {"member_connect_failures", MemberCounter::kConnectFailures, "Connections that failed."},
    {"member_timeouts", MemberCounter::kTimeouts, "Attempts without an answer in time."},
    {"member_resets", MemberCounter::kResets, "Attempts ended by the member before an answer."},
});

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

template <typename Name, std::size_t size>
void AddCounters(PrometheusText& page, const std::array<CounterMetric<Name>, size>& metrics,
                 const std::string& labels, const CounterSet<Name>& counters) {
  for (const CounterMetric<Name>& metric : metrics) {
    page.Add({.name = metric.name, .type = kCounter, .help = metric.help}, labels,
             metric.scale * static_cast<double>(counters.Sum(metric.counter)));
  }
}

void AddHistogram(PrometheusText& page, std::string_view name, std::string_view help,
                  const std::string& labels, const LatencyHistogram& histogram) {
  const LatencyHistogram::Totals totals = histogram.Sum();
  std::uint64_t below = 0;
  for (std::size_t i = 0; i <= LatencyHistogram::kBuckets; ++i) {
    below += totals.counts[i];
    const std::string bound =
        i == LatencyHistogram::kBuckets
            ? std::string("+Inf")
            : fmt::format("{}", static_cast<double>(LatencyHistogram::UpperMicros(i)) / 1e6);
    page.Add({.name = name, .type = "histogram", .help = help},
             fmt::format("{},le=\"{}\"", labels, bound), static_cast<double>(below), "_bucket");
  }
  page.Add({.name = name, .type = "histogram", .help = help}, labels,
           static_cast<double>(totals.sum_micros) / 1e6, "_sum");
  page.Add({.name = name, .type = "histogram", .help = help}, labels, static_cast<double>(below),
           "_count");
}

/// Names and helps of a least and a greatest latency.
struct ExtremeNames {
  std::string_view least;
  std::string_view most;
  std::string_view what;
};

void AddExtremes(PrometheusText& page, const ExtremeNames& names, const std::string& labels,
                 const LatencyExtremes::Bounds& bounds) {
  const auto milliseconds = [](std::uint64_t micros) { return static_cast<double>(micros) / 1e3; };
  page.Add(
      {.name = names.most,
       .type = kGauge,
       .help = fmt::format("Longest {} of this and the last minute, in milliseconds.", names.what)},
      labels, milliseconds(bounds.most_micros));
  page.Add({.name = names.least,
            .type = kGauge,
            .help = fmt::format("Shortest {} of this and the last minute, in milliseconds.",
                                names.what)},
           labels, milliseconds(bounds.least_micros));
}

std::string LabelsOf(const LoadBalancerId& id) {
  return fmt::format("lbaas_instance_id=\"{}\"", id.value());
}

void AddListener(PrometheusText& page, const CompiledListener& listener, std::int64_t minute) {
  const std::string labels =
      fmt::format("{},lbaas_listener_id=\"{}\"", LabelsOf(listener.config->load_balancer.id),
                  listener.config->id.value());
  const ListenerRuntime& runtime = *listener.runtime;
  page.Add({.name = "m1_cps", .type = kGauge, .help = "Open client connections."}, labels,
           static_cast<double>(runtime.connections.load(std::memory_order_relaxed)));
  AddCounters(page, kListenerMetrics, labels, runtime.counters);
  AddCounters(page, kUpstreamMetrics, labels, runtime.upstream);
  AddHistogram(page, "m14_l7_rt", "Seconds from first request byte to last response byte.", labels,
               runtime.latency);
  AddExtremes(page, {.least = "m1d_l7_rt_min", .most = "m1c_l7_rt_max", .what = "request"}, labels,
              runtime.extremes.Between(minute));
}

void AddMember(PrometheusText& page, const std::string& pool_labels, const MemberRuntime& member) {
  const std::string labels = fmt::format("{},member_id=\"{}\"", pool_labels, member.id.value());
  const contract::MemberCell& cell = *member.cell;
  page.Add({.name = "member_up", .type = kGauge, .help = "1 while the member may take requests."},
           labels, cell.status.load() == contract::MemberStatus::kOffline ? 0 : 1);
  page.Add({.name = "member_active", .type = kGauge, .help = "Requests in flight at the member."},
           labels, static_cast<double>(cell.active.load(std::memory_order_relaxed)));
  constexpr std::string_view kProbes = "Milliseconds that health checks of the member took.";
  page.Add({.name = "healthcheck_duration_ms", .type = "summary", .help = kProbes}, labels,
           static_cast<double>(cell.probe_micros.load(std::memory_order_relaxed)) / 1e3, "_sum");
  page.Add({.name = "healthcheck_duration_ms", .type = "summary", .help = kProbes}, labels,
           static_cast<double>(cell.probes.load(std::memory_order_relaxed)), "_count");
  AddCounters(page, kMemberMetrics, labels, member.counters);
}

/// Members and their connections, of one pool or of several.
struct MemberGauges {
  std::int64_t connecting = 0;
  std::int64_t established = 0;
  std::int64_t offline = 0;
  std::int64_t others = 0;

  void Count(const CompiledPool& pool) {
    for (const auto& member : pool.members) {
      connecting += member->connecting.load(std::memory_order_relaxed);
      established += member->established.load(std::memory_order_relaxed);
      const bool off = member->cell->status.load() == contract::MemberStatus::kOffline;
      ++(off ? offline : others);
    }
  }

  void AddTo(PrometheusText& page, const std::string& labels) const {
    const auto add = [&](std::string_view name, std::string_view help, std::int64_t value) {
      page.Add({.name = name, .type = kGauge, .help = help}, labels, static_cast<double>(value));
    };
    add("m2_act_conn", "Connections to members that are open.", established);
    add("m3_inact_conn", "Connections to members that are being opened.", connecting);
    add("m9_abnormal_servers", "Members that are OFFLINE.", offline);
    add("ma_normal_servers", "Members that are not OFFLINE.", others);
  }
};

void AddPool(PrometheusText& page, const CompiledPool& pool, std::int64_t minute) {
  const std::string labels = fmt::format("lbaas_pool_id=\"{}\"", pool.config->id.value());
  AddCounters(page, kPoolMetrics, labels, pool.runtime->counters);
  AddCounters(page, kUpstreamMetrics, labels, pool.runtime->upstream);
  AddHistogram(page, "m17_l7_upstream_rt", "Seconds of attempts that were answered.", labels,
               pool.runtime->latency);
  AddExtremes(
      page,
      {.least = "m1b_l7_upstream_rt_min", .most = "m1a_l7_upstream_rt_max", .what = "attempt"},
      labels, pool.runtime->extremes.Between(minute));
  page.Add(
      {.name = "slow_start_members", .type = kGauge, .help = "Members whose share still grows."},
      labels, static_cast<double>(std::ranges::count_if(pool.members, [](const auto& member) {
        return member->cell->slow_start_ns.load(std::memory_order_relaxed) > 0;
      })));
  MemberGauges gauges;
  gauges.Count(pool);
  gauges.AddTo(page, labels);
  for (const auto& member : pool.members) {
    AddMember(page, labels, *member);
  }
}

/// What the listeners of one load balancer make together.
struct LoadBalancerView {
  LoadBalancerTotals totals;
  absl::flat_hash_set<const CompiledPool*> pools;

  void Count(const CompiledListener& listener) {
    const ListenerRuntime& runtime = *listener.runtime;
    totals.limits = listener.config->load_balancer.flavor;
    totals.connections += runtime.connections.load(std::memory_order_relaxed);
    totals.opened += runtime.counters.Sum(ListenerCounter::kConnectionsOpened);
    totals.requests += runtime.counters.Sum(ListenerCounter::kRequests);
    totals.bytes_in += runtime.counters.Sum(ListenerCounter::kBytesIn);
    totals.bytes_out += runtime.counters.Sum(ListenerCounter::kBytesOut);
    pools.insert(listener.default_pool.get());
    for (const PolicyTarget& target : listener.targets) {
      for (const auto& pool : target.pools) {
        pools.insert(pool.get());
      }
    }
    pools.erase(nullptr);
  }
};

void AddUsage(PrometheusText& page, const LoadBalancerId& id, const Usage& usage) {
  const std::string labels = LabelsOf(id);
  const auto add = [&](std::string_view name, std::string_view what, double value) {
    page.Add({.name = name,
              .type = kGauge,
              .help = fmt::format("Percent of the specification: {}.", what)},
             labels, value);
  };
  add("l7_con_usage", "connections", usage.connections);
  add("l7_ncps_usage", "new connections", usage.opened);
  add("l7_qps_usage", "requests", usage.requests);
  add("l7_in_bps_usage", "bandwidth in", usage.bytes_in);
  add("l7_out_bps_usage", "bandwidth out", usage.bytes_out);
}

void AddCertificates(PrometheusText& page, const Generation& generation, WallTime wall) {
  const auto now = std::chrono::floor<std::chrono::seconds>(wall);
  for (const auto& [id, certificate] : generation.certificates) {
    page.Add({.name = "cert_expiry_seconds",
              .type = kGauge,
              .help = "Seconds until the certificate expires."},
             fmt::format("certificate_id=\"{}\"", id.value()),
             static_cast<double>((certificate.chain->leaf().not_after - now).count()));
  }
}

}  // namespace

std::string MetricsPage::Text() {
  PrometheusText page;
  const auto generation = data_plane_->current();
  if (generation == nullptr) {
    return {};
  }
  const MonotonicTime now = clock_->Now();
  const std::int64_t minute = MinuteOf(now);
  page.Add({.name = "config_generation",
            .type = kGauge,
            .help = "Generation of the configuration in force."},
           "", static_cast<double>(generation->snapshot->generation));
  absl::flat_hash_map<LoadBalancerId, LoadBalancerView> balancers;
  for (const auto& [id, listener] : generation->listeners) {
    AddListener(page, *listener, minute);
    balancers[listener->config->load_balancer.id].Count(*listener);
  }
  for (const auto& [id, pool] : generation->pools) {
    AddPool(page, *pool, minute);
  }
  TotalsByLoadBalancer totals;
  for (const auto& [id, view] : balancers) {
    totals[id] = view.totals;
    MemberGauges gauges;
    for (const CompiledPool* pool : view.pools) {
      gauges.Count(*pool);
    }
    gauges.AddTo(page, LabelsOf(id));
  }
  const MutexLock lock(mutex_);
  for (const auto& [id, usage] : usage_.Update(now, std::move(totals))) {
    AddUsage(page, id, usage);
  }
  AddCertificates(page, *generation, clock_->WallNow());
  return page.Text();
}

}  // namespace elb::proxy
