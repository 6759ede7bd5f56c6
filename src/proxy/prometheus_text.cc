#include "proxy/prometheus_text.h"

#include <fmt/format.h>

#include <iterator>

namespace elb::proxy {

void PrometheusText::Add(const Metric& metric, const std::string& labels, double value,
                         std::string_view suffix) {
  Family& family = families_[std::string(metric.name)];
  if (family.help.empty()) {
    family.help = metric.help;
    family.type = metric.type;
  }
  fmt::format_to(std::back_inserter(family.samples), "elb_{}{}{{{}}} {}\n", metric.name, suffix,
                 labels, value);
}

std::string PrometheusText::Text() const {
  std::string text;
  for (const auto& [name, family] : families_) {
    fmt::format_to(std::back_inserter(text), "# HELP elb_{} {}\n# TYPE elb_{} {}\n{}", name,
                   family.help, name, family.type, family.samples);
  }
  return text;
}

}  // namespace elb::proxy
