#pragma once

#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "proxy/data_plane.h"
#include "proxy/usage.h"

namespace elb::proxy {

/// Metrics of everything in force, with the ids of data-plane.md 11.2 (`elb_<id>`) and labels equal
/// to the vendor's dimensions, in the Prometheus text format. A sample carries one dimension's
/// labels: the load balancer's and its listener's, the pool's alone, or, where several listeners'
/// numbers do not add up, the load balancer's alone.
class MetricsPage {
 public:
  /// Both outlive the page.
  MetricsPage(const ProxyDataPlane& data_plane, const Clock& clock)
      : data_plane_(&data_plane), clock_(&clock) {}

  /// The page as of now. Any thread.
  [[nodiscard]] std::string Text() ELB_EXCLUDES(mutex_);

 private:
  const ProxyDataPlane* data_plane_;
  const Clock* clock_;
  Mutex mutex_;
  UsageWindow usage_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::proxy
