#include "model/health_monitor.h"

#include <gtest/gtest.h>

#include <string>

#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;

std::string Created(const std::string& fields, HealthMonitor& monitor) {
  return CreateProblem(
      HealthMonitorSchema(),
      R"({"pool_id":"p","type":"HTTP","delay":1,"timeout":30,"max_retries":1)" + fields + "}",
      &monitor);
}

std::string Created(const std::string& fields) {
  HealthMonitor monitor;
  return Created(fields, monitor);
}

TEST(HealthMonitorTest, NeedsItsSchedule) {
  HealthMonitor monitor;
  EXPECT_EQ(CreateProblem(HealthMonitorSchema(),
                          R"({"type":"TCP","delay":1,"timeout":1,"max_retries":1})", &monitor),
            "healthmonitor.pool_id");
  for (const char* field : {"type", "delay", "timeout", "max_retries"}) {
    EXPECT_EQ(Created(std::string(",\"") + field + "\":null"),
              std::string("healthmonitor.") + field);
  }
}

TEST(HealthMonitorTest, MayWaitLongerThanItsInterval) { EXPECT_EQ(Created(""), ""); }

TEST(HealthMonitorTest, HoldsNumbersToTheirRange) {
  EXPECT_EQ(Created(R"(,"delay":51)"), "healthmonitor.delay");
  EXPECT_EQ(Created(R"(,"delay":0)"), "healthmonitor.delay");
  EXPECT_EQ(Created(R"(,"timeout":51)"), "healthmonitor.timeout");
  EXPECT_EQ(Created(R"(,"max_retries":11)"), "healthmonitor.max_retries");
  EXPECT_EQ(Created(R"(,"max_retries_down":0)"), "healthmonitor.max_retries_down");
  EXPECT_EQ(Created(R"(,"monitor_port":0)"), "healthmonitor.monitor_port");
}

TEST(HealthMonitorTest, KnowsPathsByTheirCharacters) {
  EXPECT_EQ(Created(R"-(,"url_path":"/a-b/c.d%e&f_~';@$*+,=!:()")-"), "");
  for (const char* bad : {"", "a", "/a?b", "/a#b", "/a b", "/[a]"}) {
    EXPECT_EQ(Created(std::string(",\"url_path\":\"") + bad + "\""), "healthmonitor.url_path")
        << bad;
  }
  EXPECT_EQ(Created(",\"url_path\":\"/" + std::string(79, 'a') + "\""), "");
  EXPECT_EQ(Created(",\"url_path\":\"/" + std::string(80, 'a') + "\""), "healthmonitor.url_path");
}

TEST(HealthMonitorTest, ReadsListsOfCodes) {
  const auto problem = [](const char* codes) {
    HealthMonitor monitor;
    std::string path = Created(std::string(",\"expected_codes\":\"") + codes + "\"", monitor);
    return path.empty() ? PathOf(CheckHealthMonitor(monitor)) : path;
  };
  for (const char* good : {"200", "200,202", "200, 202", "200-204", "200-204,301,500-599"}) {
    EXPECT_EQ(problem(good), "") << good;
  }
  for (const char* bad : {"", "199", "600", "200,", "200-", "204-200", "200;201", "2xx"}) {
    EXPECT_EQ(problem(bad), "healthmonitor.expected_codes") << bad;
  }
}

TEST(HealthMonitorTest, ClearsPortAndHostOnNullButNotOnEmptyText) {
  HealthMonitor monitor{.monitor_port = 80, .domain_name = "a"};
  EXPECT_EQ(
      UpdateProblem(HealthMonitorSchema(),
                    R"({"monitor_port":null,"domain_name":null,"http_version":null})", &monitor),
      "");
  EXPECT_EQ(monitor.monitor_port, std::nullopt);
  EXPECT_EQ(monitor.domain_name, "");
  EXPECT_EQ(UpdateProblem(HealthMonitorSchema(), R"({"domain_name":""})", &monitor),
            "healthmonitor.domain_name");
  EXPECT_EQ(UpdateProblem(HealthMonitorSchema(), R"({"url_path":null})", &monitor),
            "healthmonitor.url_path");
}

TEST(HealthMonitorTest, KeepsHttpFieldsOfOtherTypes) {
  HealthMonitor monitor;
  EXPECT_EQ(Created(R"(,"type":"TCP","domain_name":"a.b","http_method":"PATCH")", monitor), "");
  EXPECT_EQ(monitor.domain_name, "a.b");
}

TEST(HealthMonitorTest, ChangesItsTypeButNotItsPool) {
  HealthMonitor monitor{.pool_id = "p", .type = "TCP"};
  EXPECT_EQ(UpdateProblem(HealthMonitorSchema(), R"({"type":"HTTP"})", &monitor), "");
  EXPECT_EQ(UpdateProblem(HealthMonitorSchema(), R"({"pool_id":"q"})", &monitor),
            "healthmonitor.pool_id");
}

TEST(HealthMonitorTest, NamesFieldsOfAWrongTypeOrWord) {
  EXPECT_EQ(Created(R"(,"type":"PING")"), "healthmonitor.type");
  EXPECT_EQ(Created(R"(,"http_method":"get")"), "healthmonitor.http_method");
  EXPECT_EQ(Created(R"(,"delay":"1")"), "healthmonitor.delay");
  EXPECT_EQ(Created(R"(,"content_format":"BINARY")"), "healthmonitor.content_format");
}

}  // namespace
}  // namespace elb::model
