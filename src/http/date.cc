#include "http/date.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "http/h1/fields.h"

namespace elb::http {
namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

struct DateParts {
  int year = 0;
  unsigned month = 0;  ///< 1 to 12.
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

std::optional<sys_seconds> TimeOf(const DateParts& parts) {
  const std::chrono::year_month_day date{
      std::chrono::year{parts.year}, std::chrono::month{parts.month}, std::chrono::day{parts.day}};
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days{date} + std::chrono::hours{parts.hour} +
         std::chrono::minutes{parts.minute} + std::chrono::seconds{parts.second};
}

bool IsDigit(char letter) { return letter >= '0' && letter <= '9'; }

/// Reads a text from its front; one failure makes all that follows fail.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  bool Literal(std::string_view literal) {
    if (!rest_.starts_with(literal)) {
      return false;
    }
    rest_.remove_prefix(literal.size());
    return true;
  }

  bool Number(std::size_t digits, unsigned& value) {
    if (rest_.size() < digits || !std::ranges::all_of(rest_.substr(0, digits), IsDigit)) {
      return false;
    }
    value = 0;
    for (const char digit : rest_.substr(0, digits)) {
      value = value * 10 + static_cast<unsigned>(digit - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }

  template <std::size_t kCount>
  bool OneOf(const std::array<std::string_view, kCount>& names, unsigned& index) {
    for (index = 0; index < kCount; ++index) {
      if (Literal(names[index])) {
        return true;
      }
    }
    return false;
  }

  bool Month(unsigned& month) {
    unsigned index = 0;
    const bool found = OneOf(kMonths, index);
    month = index + 1;
    return found;
  }

  bool Time(DateParts& parts) {
    return Number(2, parts.hour) && Literal(":") && Number(2, parts.minute) && Literal(":") &&
           Number(2, parts.second);
  }

  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<sys_seconds> ParseFixdate(std::string_view text) {
  DateReader reader(text);
  DateParts parts;
  unsigned weekday = 0;
  unsigned year = 0;
  if (!reader.OneOf(kDays, weekday) || !reader.Literal(", ") || !reader.Number(2, parts.day) ||
      !reader.Literal(" ") || !reader.Month(parts.month) || !reader.Literal(" ") ||
      !reader.Number(4, year) || !reader.Literal(" ") || !reader.Time(parts) ||
      !reader.Literal(" GMT") || !reader.AtEnd()) {
    return std::nullopt;
  }
  parts.year = static_cast<int>(year);
  return TimeOf(parts);
}

std::optional<sys_seconds> ParseAsctime(std::string_view text) {
  DateReader reader(text);
  DateParts parts;
  unsigned weekday = 0;
  unsigned year = 0;
  if (!reader.OneOf(kDays, weekday) || !reader.Literal(" ") || !reader.Month(parts.month) ||
      !reader.Literal(" ") ||
      !(reader.Literal(" ") ? reader.Number(1, parts.day) : reader.Number(2, parts.day)) ||
      !reader.Literal(" ") || !reader.Time(parts) || !reader.Literal(" ") ||
      !reader.Number(4, year) || !reader.AtEnd()) {
    return std::nullopt;
  }
  parts.year = static_cast<int>(year);
  return TimeOf(parts);
}

std::optional<sys_seconds> ParseRfc850(std::string_view text, sys_seconds now) {
  DateReader reader(text);
  DateParts parts;
  unsigned weekday = 0;
  unsigned year = 0;
  if (!reader.OneOf(kLongDays, weekday) || !reader.Literal(", ") || !reader.Number(2, parts.day) ||
      !reader.Literal("-") || !reader.Month(parts.month) || !reader.Literal("-") ||
      !reader.Number(2, year) || !reader.Literal(" ") || !reader.Time(parts) ||
      !reader.Literal(" GMT") || !reader.AtEnd()) {
    return std::nullopt;
  }
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year = static_cast<int>(today.year());
  parts.year = this_year / 100 * 100 + static_cast<int>(year);
  if (parts.year > this_year + 50) {
    parts.year -= 100;
  }
  return TimeOf(parts);
}

/// RFC 6265 section 5.1.1, `delimiter`.
bool IsCookieDateDelimiter(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
         (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

/// Collects the parts of a cookie date from its tokens; each part is taken once.
class CookieDate {
 public:
  void Take(std::string_view token) {
    if (!has_time_ && TakeTime(token)) {
      has_time_ = true;
    } else if (!has_day_ && TakeNumber(token, 1, 2, parts_.day)) {
      has_day_ = true;
    } else if (parts_.month == 0 && TakeMonth(token)) {
      return;
    } else if (!has_year_ && TakeNumber(token, 2, 4, year_)) {
      has_year_ = true;
    }
  }

  [[nodiscard]] std::optional<sys_seconds> Finish() {
    if (!has_time_ || !has_day_ || parts_.month == 0 || !has_year_) {
      return std::nullopt;
    }
    parts_.year = static_cast<int>(year_);
    if (year_ < 100) {  // RFC 6265 section 5.1.1.
      parts_.year += year_ < 70 ? 2000 : 1900;
    }
    return parts_.year < 1601 || parts_.second > 59 ? std::nullopt : TimeOf(parts_);
  }

 private:
  /// A number of so many digits at the front; behind it no further digit.
  static bool TakeNumber(std::string_view token, std::size_t digits_min, std::size_t digits_max,
                         unsigned& value) {
    const auto* const behind = std::ranges::find_if_not(token, IsDigit);
    const auto digits = static_cast<std::size_t>(behind - token.begin());
    return digits >= digits_min && digits <= digits_max && DateReader(token).Number(digits, value);
  }

  bool TakeTime(std::string_view token) {
    const std::array<unsigned*, 3> values = {&parts_.hour, &parts_.minute, &parts_.second};
    for (unsigned* const value : values) {
      const bool last = value == &parts_.second;
      const std::size_t colon = token.find(':');
      if (!TakeNumber(last ? token : token.substr(0, colon), 1, 2, *value) ||
          (!last && colon > 2)) {
        return false;
      }
      token.remove_prefix(last ? 0 : colon + 1);
    }
    return true;
  }

  bool TakeMonth(std::string_view token) {
    for (unsigned i = 0; i < kMonths.size(); ++i) {
      const std::array<char, 3> lower = {static_cast<char>(kMonths[i][0] | 0x20), kMonths[i][1],
                                         kMonths[i][2]};
      if (h1::EqualsIgnoringCase(token.substr(0, 3), {lower.data(), lower.size()})) {
        parts_.month = i + 1;
        return true;
      }
    }
    return false;
  }

  DateParts parts_;
  unsigned year_ = 0;
  bool has_time_ = false;
  bool has_day_ = false;
  bool has_year_ = false;
};

void Put(char* place, unsigned value, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i) {
    place[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::string_view FormatHttpDate(sys_seconds time, std::span<char, kHttpDateSize> space) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::ranges::copy(std::string_view("Day, 00 Mon 0000 00:00:00 GMT"), space.begin());
  std::ranges::copy(kDays[std::chrono::weekday{day}.c_encoding()], space.begin());
  Put(&space[5], static_cast<unsigned>(date.day()), 2);
  std::ranges::copy(kMonths[static_cast<unsigned>(date.month()) - 1], &space[8]);
  Put(&space[12], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  Put(&space[17], static_cast<unsigned>(clock.hours().count()), 2);
  Put(&space[20], static_cast<unsigned>(clock.minutes().count()), 2);
  Put(&space[23], static_cast<unsigned>(clock.seconds().count()), 2);
  return {space.data(), space.size()};
}

std::optional<sys_seconds> ParseHttpDate(std::string_view text, sys_seconds now) {
  if (const auto time = ParseFixdate(text)) {
    return time;
  }
  if (const auto time = ParseRfc850(text, now)) {
    return time;
  }
  return ParseAsctime(text);
}

std::optional<sys_seconds> ParseCookieDate(std::string_view text) {
  CookieDate date;
  while (!text.empty()) {
    const auto* const start = std::ranges::find_if_not(text, IsCookieDateDelimiter);
    const auto* const end = std::find_if(start, text.end(), IsCookieDateDelimiter);
    if (start != end) {
      date.Take({start, end});
    }
    text = {end, text.end()};
  }
  return date.Finish();
}

}  // namespace elb::http
