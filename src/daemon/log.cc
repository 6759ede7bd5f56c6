#include "daemon/log.h"

#include <fmt/chrono.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <nlohmann/json.hpp>

namespace elb::daemon {
namespace {

/// `2026-11-25T10:00:00.123Z`
std::string Timestamp() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto millis = now.time_since_epoch().count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(now), millis);
}

/// A value as it stands in a text line: quoted when it has spaces or quotes.
std::string TextValue(const std::string& value) {
  if (!value.empty() && value.find_first_of(" \"\n\t=") == std::string::npos) {
    return value;
  }
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Log::Log(LogFormat format)
    : format_(format),
      logger_(std::make_unique<spdlog::logger>("elbd",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_pattern("%v");
}

Log::~Log() = default;

std::string Log::Line(std::string_view level, std::string_view event, Fields fields) const {
  if (format_ == LogFormat::kJson) {
    nlohmann::ordered_json line{{"time", Timestamp()}, {"level", level}, {"event", event}};
    for (const Field& field : fields) {
      line[std::string(field.name)] = field.value;
    }
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  std::string line = fmt::format("{} {:<5} {}", Timestamp(), level, event);
  for (const Field& field : fields) {
    line += fmt::format(" {}={}", field.name, TextValue(field.value));
  }
  return line;
}

void Log::Info(std::string_view event, Fields fields) {
  logger_->info(Line("info", event, fields));
}
void Log::Warn(std::string_view event, Fields fields) {
  logger_->warn(Line("warn", event, fields));
}
void Log::Error(std::string_view event, Fields fields) {
  logger_->error(Line("error", event, fields));
  logger_->flush();
}

}  // namespace elb::daemon
