/// Authorities, paths and queries as rules match them.

#include "http/uri.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "check.h"

namespace elb::fuzz {
namespace {

void MatchesPath(std::string_view text) {
  const std::string path = "/" + std::string(text);
  std::string space;
  const std::string_view matched = http::MatchPath(path, space);
  Require(matched.starts_with('/'), "a path stays one", matched);
  Require(matched.size() <= path.size(), "a path grows no longer", matched);
  const std::string fenced = std::string(matched) + "/";
  Require(!fenced.contains("/./") && !fenced.contains("/../"), "dot segments are resolved",
          matched);
}

void MatchesHost(std::string_view text) {
  std::string space;
  const std::string host(http::MatchHost(text, space));
  Require(host.size() <= text.size(), "a host grows no longer", host);
  Require(std::ranges::none_of(host, [](char letter) { return letter >= 'A' && letter <= 'Z'; }),
          "a host is compared in lower case", host);
  if (const auto parts = http::SplitAuthority(text)) {
    Require(!parts->host.empty(), "an authority has a host");
    static_cast<void>(http::IsIpAddress(parts->host));
  } else {
    Require(host.empty(), "what has no host matches none", host);
  }
}

void ReadsQuery(std::string_view text) {
  std::string_view left = text;
  http::QueryParameter parameter;
  std::size_t total = 0;
  while (http::NextQueryParameter(left, parameter)) {
    total += parameter.key.size() + parameter.value.size();
    Require(total <= text.size(), "parameters are parts of the query");
    for (const std::string_view part : {parameter.key, parameter.value}) {
      std::string space;
      Require(http::DecodeQueryText(part, space).size() <= part.size(), "decoding grows nothing");
    }
  }
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = elb::fuzz::Text(data, size);
  elb::fuzz::MatchesPath(text);
  elb::fuzz::MatchesHost(text);
  elb::fuzz::ReadsQuery(text);
  return 0;
}
