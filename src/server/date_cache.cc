#include "server/date_cache.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace elb::server {
namespace {

struct CachedDate {
  std::int64_t second = -1;
  std::array<char, 32> text{};
  std::size_t size = 0;
};

thread_local CachedDate cached_date;

}  // namespace

std::string_view DateText(WallTime now) {
  const std::int64_t second =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  CachedDate& cached = cached_date;
  if (cached.second != second) {
    const std::time_t time = second;
    std::tm parts{};
    gmtime_r(&time, &parts);
    cached.size =
        std::strftime(cached.text.data(), cached.text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    cached.second = second;
  }
  return {cached.text.data(), cached.size};
}

}  // namespace elb::server
