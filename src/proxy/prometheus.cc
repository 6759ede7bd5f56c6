#include "proxy/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <vector>

namespace elb::proxy {
namespace {

/// Samples grouped by metric, since the format wants each metric's samples together.
class Families {
 public:
  void Add(std::string_view name, std::string_view type, std::string_view help,
           const std::string& labels, double value, std::string_view suffix = {}) {
    Family& family = families_[std::string(name)];
    if (family.help.empty()) {
      family.help = help;
      family.type = type;
    }
    fmt::format_to(std::back_inserter(family.samples), "elb_{}{}{{{}}} {}\n", name, suffix, labels,
                   value);
  }
  [[nodiscard]] std::string Text() const {
    std::string text;
    for (const auto& [name, family] : families_) {
      fmt::format_to(std::back_inserter(text), "# HELP elb_{} {}\n# TYPE elb_{} {}\n{}", name,
                     family.help, name, family.type, family.samples);
    }
    return text;
  }

 private:
  struct Family {
    std::string help;
    std::string type;
    std::string samples;
  };
  std::map<std::string, Family> families_;
};

struct ListenerMetric {
  std::string_view name;
  ListenerCounter counter;
  std::string_view help;
};

constexpr ListenerMetric kListenerMetrics[] = {
    {"m4_ncps", ListenerCounter::kConnectionsOpened, "New client connections."},
    {"m7_in_Bps", ListenerCounter::kBytesIn, "Request bytes from clients."},
    {"m8_out_Bps", ListenerCounter::kBytesOut, "Response bytes to clients."},
    {"mb_l7_qps", ListenerCounter::kRequests, "Requests answered."},
    {"mc_l7_http_2xx", ListenerCounter::kStatus2xx, "Statuses sent, 2xx."},
    {"md_l7_http_3xx", ListenerCounter::kStatus3xx, "Statuses sent, 3xx."},
    {"me_l7_http_4xx", ListenerCounter::kStatus4xx, "Statuses sent, 4xx (499 included)."},
    {"mf_l7_http_5xx", ListenerCounter::kStatus5xx, "Statuses sent, 5xx."},
    {"m10_l7_http_other_status", ListenerCounter::kStatus1xx, "Statuses sent, other classes."},
    {"m11_l7_http_404", ListenerCounter::kStatus404, "Statuses sent, 404."},
    {"m12_l7_http_499", ListenerCounter::kStatus499, "Requests whose client left first."},
    {"m13_l7_http_502", ListenerCounter::kStatus502, "Statuses sent, 502."},
    {"m15_l7_upstream_4xx", ListenerCounter::kUpstreamStatus4xx, "Statuses from members, 4xx."},
    {"m16_l7_upstream_5xx", ListenerCounter::kUpstreamStatus5xx, "Statuses from members, 5xx."},
    {"m18_l7_upstream_2xx", ListenerCounter::kUpstreamStatus2xx, "Statuses from members, 2xx."},
    {"m19_l7_upstream_3xx", ListenerCounter::kUpstreamStatus3xx, "Statuses from members, 3xx."},
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
    {"client_tls_negotiation_error", ListenerCounter::kHandshakeErrors,
     "Failed handshakes with clients."},
    {"retries", ListenerCounter::kRetries, "Attempts after the first."},
    {"access_log_dropped", ListenerCounter::kAccessLogDropped, "Access log lines dropped."},
};

struct PoolMetric {
  std::string_view name;
  PoolCounter counter;
  std::string_view help;
};

// Samples of a pool carry its label alone: a pool may serve several listeners, and sums over the
// samples of one metric by load balancer or listener must not count a request twice.
constexpr PoolMetric kPoolMetrics[] = {
    {"mb_l7_qps", PoolCounter::kRequests, "Requests answered."},
    {"m18_l7_upstream_2xx", PoolCounter::kStatus2xx, "Statuses from members, 2xx."},
    {"m19_l7_upstream_3xx", PoolCounter::kStatus3xx, "Statuses from members, 3xx."},
    {"m15_l7_upstream_4xx", PoolCounter::kStatus4xx, "Statuses from members, 4xx."},
    {"m16_l7_upstream_5xx", PoolCounter::kStatus5xx, "Statuses from members, 5xx."},
    {"retries", PoolCounter::kRetries, "Attempts after the first."},
    {"sticky_hits", PoolCounter::kStickyHits, "Attempts at the member of a session."},
    {"sticky_rebinds", PoolCounter::kStickyRebinds, "Sessions that another member took over."},
    {"upstream_tls_negotiation_error", PoolCounter::kHandshakeErrors,
     "Failed handshakes with members."},
};

struct MemberMetric {
  std::string_view name;
  MemberCounter counter;
  std::string_view help;
};

constexpr MemberMetric kMemberMetrics[] = {
    {"member_requests", MemberCounter::kRequests, "Attempts at the member."},
    {"member_upstream_2xx", MemberCounter::kStatus2xx, "Statuses from the member, 2xx."},
    {"member_upstream_3xx", MemberCounter::kStatus3xx, "Statuses from the member, 3xx."},
    {"member_upstream_4xx", MemberCounter::kStatus4xx, "Statuses from the member, 4xx."},
    {"member_upstream_5xx", MemberCounter::kStatus5xx, "Statuses from the member, 5xx."},
    {"member_connects", MemberCounter::kConnects, "Connections opened to the member."},
    {"member_connect_failures", MemberCounter::kConnectFailures, "Connections that failed."},
    {"member_timeouts", MemberCounter::kTimeouts, "Attempts without an answer in time."},
    {"member_resets", MemberCounter::kResets, "Attempts ended by the member before an answer."},
};

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

void AddHistogram(Families& families, std::string_view name, std::string_view help,
                  const std::string& labels, const LatencyHistogram& histogram) {
  const LatencyHistogram::Totals totals = histogram.Sum();
  std::uint64_t below = 0;
  for (std::size_t i = 0; i <= LatencyHistogram::kBuckets; ++i) {
    below += totals.counts[i];
    const std::string bound =
        i == LatencyHistogram::kBuckets
            ? std::string("+Inf")
            : fmt::format("{}", static_cast<double>(LatencyHistogram::UpperMicros(i)) / 1e6);
    families.Add(name, "histogram", help, fmt::format("{},le=\"{}\"", labels, bound),
                 static_cast<double>(below), "_bucket");
  }
  families.Add(name, "histogram", help, labels, static_cast<double>(totals.sum_micros) / 1e6,
               "_sum");
  families.Add(name, "histogram", help, labels, static_cast<double>(below), "_count");
}

void AddListener(Families& families, const CompiledListener& listener) {
  const std::string labels =
      fmt::format("lbaas_instance_id=\"{}\",lbaas_listener_id=\"{}\"",
                  listener.config->load_balancer.id.value(), listener.config->id.value());
  const ListenerRuntime& runtime = *listener.runtime;
  families.Add("m1_cps", kGauge, "Open client connections.", labels,
               static_cast<double>(runtime.connections.load(std::memory_order_relaxed)));
  for (const ListenerMetric& metric : kListenerMetrics) {
    families.Add(metric.name, kCounter, metric.help, labels,
                 static_cast<double>(runtime.counters.Sum(metric.counter)));
  }
  AddHistogram(families, "m14_l7_rt", "Seconds from first request byte to last response byte.",
               labels, runtime.latency);
}

void AddPool(Families& families, const CompiledPool& pool) {
  const std::string labels = fmt::format("lbaas_pool_id=\"{}\"", pool.config->id.value());
  for (const PoolMetric& metric : kPoolMetrics) {
    families.Add(metric.name, kCounter, metric.help, labels,
                 static_cast<double>(pool.runtime->counters.Sum(metric.counter)));
  }
  AddHistogram(families, "m17_l7_upstream_rt", "Seconds of attempts that were answered.", labels,
               pool.runtime->latency);
  families.Add("slow_start_members", kGauge, "Members whose share still grows.", labels,
               static_cast<double>(std::ranges::count_if(pool.members, [](const auto& member) {
                 return member->cell->slow_start_ns.load(std::memory_order_relaxed) > 0;
               })));
  for (const auto& member : pool.members) {
    const std::string member_labels =
        fmt::format("{},member_id=\"{}\"", labels, member->id.value());
    const bool offline = member->cell->status.load() == contract::MemberStatus::kOffline;
    families.Add("member_up", kGauge, "1 while the member may take requests.", member_labels,
                 offline ? 0 : 1);
    families.Add("member_active", kGauge, "Requests in flight at the member.", member_labels,
                 static_cast<double>(member->cell->active.load(std::memory_order_relaxed)));
    for (const MemberMetric& metric : kMemberMetrics) {
      families.Add(metric.name, kCounter, metric.help, member_labels,
                   static_cast<double>(member->counters.Sum(metric.counter)));
    }
  }
}

}  // namespace

std::string PrometheusText(const ProxyDataPlane& data_plane) {
  Families families;
  const auto generation = data_plane.current();
  if (generation == nullptr) {
    return {};
  }
  families.Add("config_generation", kGauge, "Generation of the configuration in force.", "",
               static_cast<double>(generation->snapshot->generation));
  for (const auto& [id, listener] : generation->listeners) {
    AddListener(families, *listener);
  }
  for (const auto& [id, pool] : generation->pools) {
    AddPool(families, *pool);
  }
  return families.Text();
}

}  // namespace elb::proxy
