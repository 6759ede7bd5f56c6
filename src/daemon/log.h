#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;  // NOLINT(readability-identifier-naming): the library's name.
}  // namespace spdlog

namespace elb::daemon {

enum class LogFormat : std::uint8_t { kText, kJson };

/// The daemon's own log on standard error: one line per event, a time, a level, the event's name
/// and its fields. Thread-safe. Requests are not its business; they have the access log.
class Log {
 public:
  struct Field {
    std::string_view name;
    std::string value;
  };
  using Fields = std::initializer_list<Field>;

  explicit Log(LogFormat format);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;

  void Info(std::string_view event, Fields fields = {});
  void Warn(std::string_view event, Fields fields = {});
  void Error(std::string_view event, Fields fields = {});

 private:
  [[nodiscard]] std::string Line(std::string_view level, std::string_view event,
                                 Fields fields) const;
  LogFormat format_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace elb::daemon
