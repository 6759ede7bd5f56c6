#include "proxy/redirect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>

#include "http/uri.h"
#include "proxy/limits.h"

namespace elb::proxy {
namespace {

constexpr std::string_view kHttp = "http";
constexpr std::string_view kHttps = "https";
constexpr std::string_view kHttpsPort = "443";
constexpr std::string_view kHttpPort = "80";

std::string Bracketed(const IpAddress& address) {
  return address.family() == IpFamily::kV6 ? fmt::format("[{}]", address.ToString())
                                           : address.ToString();
}

/// The load balancer's address as its client knows it: EIP, else VIP.
std::string OwnAddress(const RedirectRequest& request) {
  return Bracketed(request.listener->load_balancer.eip.value_or(request.local));
}

/// Host of an authority as it is written in one: an IPv6 address keeps its brackets.
std::string_view WrittenHost(std::string_view authority) {
  const std::size_t from = authority.starts_with('[') ? authority.find(']') : 0;
  return authority.substr(0, authority.find(':', std::min(from, authority.size())));
}

/// `*` (OPTIONS) is no part of a URL (RFC 9112 section 3.2.4).
std::string_view UrlPath(std::string_view path) { return path == "*" ? std::string_view{} : path; }

LocationMade Judge(const std::string& location) {
  return location.size() > kLocationBytesMax ? LocationMade::kTooLong : LocationMade::kYes;
}

}  // namespace

LocationMade AppendListenerLocation(const RedirectRequest& request, std::uint16_t port,
                                    std::string& location) {
  location += "https://";
  if (request.head->authority.empty()) {
    location += OwnAddress(request);
  } else {
    location += WrittenHost(request.head->authority);
  }
  if (port != 443) {
    fmt::format_to(std::back_inserter(location), ":{}", port);
  }
  location += UrlPath(request.head->target);
  return Judge(location);
}

/// The request's own parts, by variable.
struct UrlTemplate::Values {
  std::array<std::string_view, 6> by_variable;
  std::string own_address;
  std::array<char, 8> port_text{};

  explicit Values(const RedirectRequest& request) {
    const http::RequestHead& head = *request.head;
    const auto authority = http::SplitAuthority(head.authority);
    std::string_view host = WrittenHost(head.authority);
    if (host.empty()) {
      own_address = OwnAddress(request);
      host = own_address;
    }
    const std::uint16_t port =
        authority && authority->port ? *authority->port : request.listener->port;
    auto* const end = fmt::format_to(port_text.begin(), "{}", port);
    Set(Variable::kProtocol, request.tls ? kHttps : kHttp);
    Set(Variable::kHost, host);
    Set(Variable::kPort,
        {port_text.data(), static_cast<std::size_t>(std::distance(port_text.begin(), end))});
    Set(Variable::kPath, UrlPath(head.path));
    Set(Variable::kQuery, head.query);
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  Values(Values&&) = delete;
  Values& operator=(Values&&) = delete;
  ~Values() = default;

  void Set(Variable variable, std::string_view value) {
    by_variable[static_cast<std::size_t>(variable)] = value;
  }
  [[nodiscard]] std::string_view Get(Variable variable) const {
    return by_variable[static_cast<std::size_t>(variable)];
  }
};

UrlTemplate::UrlTemplate(const contract::L7PolicyConfig& policy)
    : host_(Split(policy.url_host, "${host}")),
      port_(Split(policy.url_port, "${port}")),
      path_(Split(policy.url_path, "${path}")),
      query_(Split(policy.url_query, {})) {
  std::string protocol = policy.url_protocol;  // `HTTP` or `HTTPS` in the API.
  std::ranges::transform(protocol, protocol.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
  });
  protocol_ = Split(protocol, "${protocol}");
}

UrlTemplate::Part UrlTemplate::Split(std::string_view text, std::string_view otherwise) {
  struct Name {
    std::string_view text;
    Variable variable;
  };
  static constexpr std::array kNames{Name{.text = "${protocol}", .variable = Variable::kProtocol},
                                     Name{.text = "${host}", .variable = Variable::kHost},
                                     Name{.text = "${port}", .variable = Variable::kPort},
                                     Name{.text = "${path}", .variable = Variable::kPath},
                                     Name{.text = "${query}", .variable = Variable::kQuery}};
  if (text.empty()) {
    text = otherwise;
  }
  Part part(1);
  while (!text.empty()) {
    const auto* name = std::ranges::find_if(
        kNames, [&](const Name& candidate) { return text.starts_with(candidate.text); });
    if (name == std::end(kNames)) {
      part.back().text += text.front();
      text.remove_prefix(1);
    } else {
      part.back().variable = name->variable;
      part.emplace_back();
      text.remove_prefix(name->text.size());
    }
  }
  return part;
}

void UrlTemplate::Append(const Part& part, const Values& values, std::string& location) {
  for (const Piece& piece : part) {
    if (location.size() > kLocationBytesMax) {
      return;  // Too long already: the caller says so.
    }
    location += piece.text;
    location += values.Get(piece.variable);
  }
}

/// A path starts with a slash, or it would become part of the host.
void UrlTemplate::AppendPath(const Values& values, std::string& location) const {
  const std::size_t start = location.size();
  Append(path_, values, location);
  if (location.size() > start && location[start] != '/') {
    location.insert(start, 1, '/');
  }
}

void UrlTemplate::AppendQuery(const Values& values, std::string& location) const {
  const std::size_t start = location.size();
  location += '?';
  Append(query_, values, location);
  const bool starts_with_nothing = query_.front().text.empty() &&
                                   query_.front().variable == Variable::kQuery &&
                                   values.Get(Variable::kQuery).empty();
  if (starts_with_nothing && location.compare(start, 2, "?&") == 0) {
    location.erase(start + 1, 1);
  }
  if (location.size() == start + 1) {
    location.pop_back();
  }
}

LocationMade UrlTemplate::AppendLocation(const RedirectRequest& request,
                                         std::string& location) const {
  const Values values(request);
  const std::size_t start = location.size();
  Append(protocol_, values, location);
  const bool secure = std::string_view(location).substr(start) == kHttps;
  location += "://";
  Append(host_, values, location);
  const std::size_t before_port = location.size();
  location += ':';
  Append(port_, values, location);
  if (std::string_view(location).substr(before_port + 1) == (secure ? kHttpsPort : kHttpPort)) {
    location.resize(before_port);
  }
  AppendPath(values, location);
  AppendQuery(values, location);
  return Judge(location);
}

}  // namespace elb::proxy
