#pragma once

#include <string>

#include "proxy/data_plane.h"

namespace elb::proxy {

/// Metrics of every listener, pool and member in force, in the Prometheus text format 0.0.4, with
/// the ids of data-plane.md 11.2 (`elb_<id>`) and labels equal to the vendor's dimensions. Any
/// thread.
[[nodiscard]] std::string PrometheusText(const ProxyDataPlane& data_plane);

}  // namespace elb::proxy
