#pragma once

#include <map>
#include <string>
#include <string_view>

namespace elb::proxy {

/// A page in the Prometheus text format 0.0.4: samples grouped by metric, since the format wants
/// each metric's samples together. Every name gets the prefix `elb_`.
class PrometheusText {
 public:
  struct Metric {
    std::string_view name;
    std::string_view type;
    std::string_view help;
  };
  /// Type and help are those of the metric's first sample. `suffix` is `_sum` and the like.
  void Add(const Metric& metric, const std::string& labels, double value,
           std::string_view suffix = {});
  [[nodiscard]] std::string Text() const;

 private:
  struct Family {
    std::string help;
    std::string type;
    std::string samples;
  };
  std::map<std::string, Family> families_;
};

}  // namespace elb::proxy
