#include "model/health_monitor.h"

#include "model/common_fields.h"

namespace elb::model {
namespace {

/// Characters of a payload.
constexpr std::int64_t kContentMax = 65536;

std::vector<FieldSpec> ScheduleFields() {
  using T = HealthMonitor;
  return {
      Field("pool_id", &T::pool_id)
          .Label("Backend Server Group")
          .Required()
          .Lives(Life::kHidden)
          .Set(Access::kCreate)
          .Doc("Backend server group whose servers are checked; shown as pools."),
      NameField(&T::name, "health check"),
      Field("type", &T::type)
          .Label("Protocol")
          .OneOf({"TCP", "UDP_CONNECT", "HTTP", "HTTPS"})
          .Required()
          .Set(Access::kCreateAndUpdate)
          .Doc("Protocol of the check; must fit the group's."),
      Field("delay", &T::delay)
          .Label("Interval (s)")
          .Range(1, 50)
          .Required()
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds between the end of one check and the start of the next."),
      Field("timeout", &T::timeout)
          .Label("Timeout (s)")
          .Range(1, 50)
          .Required()
          .Set(Access::kCreateAndUpdate)
          .Doc("Seconds to wait for the answer to a check."),
      Field("max_retries", &T::max_retries)
          .Label("Maximum Retries")
          .Range(1, 10)
          .Required()
          .Set(Access::kCreateAndUpdate)
          .Doc("Successes in a row that bring a server back."),
      Field("max_retries_down", &T::max_retries_down)
          .Label("Failures")
          .Range(1, 10)
          .Set(Access::kCreateAndUpdate)
          .Doc("Failures in a row that take a server out."),
      Field("monitor_port", &T::monitor_port)
          .Label("Port")
          .Range(1, 65535)
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate)
          .Doc("Port of the check; null: the server's own."),
      Field("admin_state_up", &T::admin_state_up)
          .Label("Health Check")
          .Set(Access::kCreateAndUpdate)
          .Doc("False switches the check off."),
  };
}

std::vector<FieldSpec> HttpFields() {
  using T = HealthMonitor;
  return {
      Field("domain_name", &T::domain_name)
          .Label("Domain Name")
          .Range(1, 100)
          .Pattern("[0-9A-Za-z][0-9A-Za-z.-]*")
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Host of the check; null: the load balancer's address."),
      Field("url_path", &T::url_path)
          .Label("Check Path")
          .Range(1, 80)
          .Pattern(R"(/[A-Za-z0-9\-/.%&_~';@$*+,=!:()]*)")
          .Set(Access::kCreateAndUpdate)
          .Doc("Path of the check, without a query."),
      Field("http_method", &T::http_method)
          .Label("Method")
          .OneOf({"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"})
          .Set(Access::kCreateAndUpdate)
          .Doc("Method of the check."),
      Field("expected_codes", &T::expected_codes)
          .Label("Status Code")
          .Range(1, 64)
          .Pattern(R"([2-5]\d\d(-[2-5]\d\d)?(, *[2-5]\d\d(-[2-5]\d\d)?)*)")
          .Set(Access::kCreateAndUpdate)
          .Doc("Codes that count as healthy: 200, 200,202, 200-204, or a mixture."),
      Field("http_version", &T::http_version)
          .Label("HTTP Version")
          .OneOf({"HTTP/1.0", "HTTP/1.1"})
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("HTTP version of the check; stored only."),
      Field("content_check_enable", &T::content_check_enable)
          .Label("Content Check")
          .Set(Access::kCreateAndUpdate)
          .Doc("Of the payload check; stored only."),
      Field("send_content", &T::send_content)
          .Label("Content to Send")
          .Range(0, kContentMax)
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Of the payload check; stored only."),
      Field("receive_content", &T::receive_content)
          .Label("Content Expected")
          .Range(0, kContentMax)
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Of the payload check; stored only."),
      Field("content_format", &T::content_format)
          .Label("Content Format")
          .OneOf({"TEXT", "HEX"})
          .Set(Access::kCreateAndUpdate)
          .Doc("Of the payload check; stored only."),
  };
}

std::vector<FieldSpec> DerivedFields() {
  return {
      Field::Derived("pools", ValueType::kObjectList, &ReferenceSchema())
          .Label("Backend Server Group")
          .Doc("The backend server group of the check."),
      Field::Derived("sni_enable", ValueType::kFlag).Label("SNI").Doc("Always false."),
      ExtensionsField(),
  };
}

}  // namespace

const Schema& HealthMonitorSchema() {
  static const Schema schema{
      "healthmonitor", Concat({IdentityFields(), ScheduleFields(), HttpFields(), DerivedFields()})};
  return schema;
}

Result<void> CheckHealthMonitor(const HealthMonitor& monitor) {
  const std::string& codes = monitor.expected_codes;
  for (std::size_t dash = codes.find('-'); dash != std::string::npos;
       dash = codes.find('-', dash + 1)) {
    if (codes.compare(dash - 3, 3, codes, dash + 1, 3) > 0) {
      return Invalid("healthmonitor.expected_codes", "a range of expected_codes is upside down");
    }
  }
  return {};
}

}  // namespace elb::model
