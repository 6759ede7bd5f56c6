#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/accounts.h"

namespace elb::rest {

/// A request of the management API, as values: it crosses threads.
struct Request {
  std::string method;
  std::string path;   ///< Raw, without query.
  std::string query;  ///< Raw, without `?`.
  std::string host;   ///< As the client named us.
  std::string body;
  std::string peer;                                         ///< Address of the caller.
  std::map<std::string, std::string, std::less<>> headers;  ///< Lower-case names; first value.
  /// Of the password in the body, when it was checked before (`Api::CheckFor`).
  std::optional<control::PasswordVerdict> verdict;

  [[nodiscard]] std::string Header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Query parameters in order, decoded (`+` is a space).
class Query {
 public:
  explicit Query(std::string_view raw);
  /// All values of `name`.
  [[nodiscard]] std::vector<std::string> All(std::string_view name) const;
  /// The first value of `name`.
  [[nodiscard]] std::optional<std::string> First(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

/// Percent-decoding of a path segment; malformed escapes stay as they are.
[[nodiscard]] std::string DecodeSegment(std::string_view text);
/// The segments of a path without empty ones at its ends.
[[nodiscard]] std::vector<std::string> SplitPath(std::string_view path);

}  // namespace elb::rest
