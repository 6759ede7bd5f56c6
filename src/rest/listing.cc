#include "rest/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;
using control::Resource;

/// A parameter and where its value stands: `a` or `a[].b`.
struct Parameter {
  std::string_view name;
  std::string_view place;
};

std::vector<Parameter> ParametersOf(Resource resource) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return {{"id", "id"},
              {"name", "name"},
              {"description", "description"},
              {"admin_state_up", "admin_state_up"},
              {"provisioning_status", "provisioning_status"},
              {"operating_status", "operating_status"},
              {"guaranteed", "guaranteed"},
              {"vpc_id", "vpc_id"},
              {"vip_port_id", "vip_port_id"},
              {"vip_address", "vip_address"},
              {"vip_subnet_cidr_id", "vip_subnet_cidr_id"},
              {"ipv6_vip_virsubnet_id", "ipv6_vip_virsubnet_id"},
              {"availability_zone_list", "availability_zone_list[]"},
              {"l4_flavor_id", "l4_flavor_id"},
              {"l7_flavor_id", "l7_flavor_id"},
              {"enterprise_project_id", "enterprise_project_id"},
              {"deletion_protection_enable", "deletion_protection_enable"},
              {"elb_virsubnet_type", "elb_virsubnet_type"},
              {"protection_status", "protection_status"}};
    case Resource::kListener:
      return {{"id", "id"},
              {"name", "name"},
              {"description", "description"},
              {"protocol", "protocol"},
              {"protocol_port", "protocol_port"},
              {"loadbalancer_id", "loadbalancers[].id"},
              {"default_pool_id", "default_pool_id"},
              {"default_tls_container_ref", "default_tls_container_ref"},
              {"client_ca_tls_container_ref", "client_ca_tls_container_ref"},
              {"sni_container_refs", "sni_container_refs[]"},
              {"admin_state_up", "admin_state_up"},
              {"connection_limit", "connection_limit"},
              {"http2_enable", "http2_enable"},
              {"tls_ciphers_policy", "tls_ciphers_policy"},
              {"enable_member_retry", "enable_member_retry"},
              {"member_timeout", "member_timeout"},
              {"client_timeout", "client_timeout"},
              {"keepalive_timeout", "keepalive_timeout"},
              {"transparent_client_ip_enable", "transparent_client_ip_enable"},
              {"enhance_l7policy_enable", "enhance_l7policy_enable"},
              {"protection_status", "protection_status"}};
    case Resource::kPool:
      return {{"id", "id"},
              {"name", "name"},
              {"description", "description"},
              {"protocol", "protocol"},
              {"lb_algorithm", "lb_algorithm"},
              {"loadbalancer_id", "loadbalancers[].id"},
              {"listener_id", "listeners[].id"},
              {"healthmonitor_id", "healthmonitor_id"},
              {"admin_state_up", "admin_state_up"},
              {"ip_version", "ip_version"},
              {"member_deletion_protection_enable", "member_deletion_protection_enable"},
              {"vpc_id", "vpc_id"},
              {"type", "type"},
              {"protection_status", "protection_status"}};
    case Resource::kMember:
      return {{"id", "id"},
              {"name", "name"},
              {"weight", "weight"},
              {"admin_state_up", "admin_state_up"},
              {"subnet_cidr_id", "subnet_cidr_id"},
              {"address", "address"},
              {"protocol_port", "protocol_port"},
              {"operating_status", "operating_status"},
              {"ip_version", "ip_version"},
              {"member_type", "member_type"},
              {"instance_id", "instance_id"},
              {"availability_zone", "availability_zone"},
              {"pool_id", "pool_id"},
              {"loadbalancer_id", "loadbalancer_id"}};
    case Resource::kHealthMonitor:
      return {{"id", "id"},
              {"name", "name"},
              {"type", "type"},
              {"delay", "delay"},
              {"timeout", "timeout"},
              {"max_retries", "max_retries"},
              {"max_retries_down", "max_retries_down"},
              {"monitor_port", "monitor_port"},
              {"domain_name", "domain_name"},
              {"url_path", "url_path"},
              {"http_method", "http_method"},
              {"expected_codes", "expected_codes"},
              {"admin_state_up", "admin_state_up"},
              {"pool_id", "pools[].id"}};
    case Resource::kCertificate:
      return {{"id", "id"},         {"name", "name"}, {"description", "description"},
              {"domain", "domain"}, {"type", "type"}, {"admin_state_up", "admin_state_up"}};
  }
  return {};
}

std::string Lower(std::string text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
}

/// Does one value of an object equal the text of a parameter?
bool Equals(const Json& value, const std::string& wanted) {
  if (value.is_string()) {
    return value.get_ref<const std::string&>() == wanted;
  }
  if (value.is_boolean()) {
    return Lower(wanted) == (value.get<bool>() ? "true" : "false");
  }
  if (value.is_number_integer()) {
    return std::to_string(value.get<std::int64_t>()) == wanted;
  }
  return value.is_null() && wanted.empty();
}

/// All values at `place` of an object.
std::vector<const Json*> ValuesAt(const Json& object, std::string_view place) {
  const std::size_t bracket = place.find("[]");
  const auto found = object.find(std::string(place.substr(0, bracket)));
  if (found == object.end()) {
    return {};
  }
  if (bracket == std::string_view::npos) {
    return {&*found};
  }
  std::vector<const Json*> values;
  const std::string_view rest = place.substr(bracket + 2);
  for (const Json& element : *found) {
    values.push_back(rest.empty() ? &element : &element[std::string(rest.substr(1))]);
  }
  return values;
}

bool MatchesDomain(const Json& object, const std::string& wanted) {
  const Json& domain = object["domain"];
  if (!domain.is_string()) {
    return wanted.empty();
  }
  const std::string list = ',' + domain.get<std::string>() + ',';
  return domain == wanted || list.contains(',' + wanted + ',');
}

bool Matches(const Json& object, const Parameter& parameter,
             const std::vector<std::string>& wanted) {
  return std::ranges::any_of(wanted, [&](const std::string& text) {
    if (parameter.name == "domain") {
      return MatchesDomain(object, text);
    }
    return std::ranges::any_of(ValuesAt(object, parameter.place),
                               [&](const Json* value) { return Equals(*value, text); });
  });
}

/// Numbers and flags must look like such (api-v3.md 1.8.2).
Result<void> CheckForm(const std::vector<Json>& all, const Parameter& parameter,
                       const std::vector<std::string>& wanted) {
  static constexpr std::string_view kNumbers[] = {
      "protocol_port",     "connection_limit", "member_timeout", "client_timeout",
      "keepalive_timeout", "weight",           "delay",          "timeout",
      "max_retries",       "max_retries_down", "monitor_port"};
  static constexpr std::string_view kFlags[] = {"admin_state_up",
                                                "guaranteed",
                                                "http2_enable",
                                                "enable_member_retry",
                                                "transparent_client_ip_enable",
                                                "enhance_l7policy_enable",
                                                "deletion_protection_enable",
                                                "member_deletion_protection_enable"};
  static_cast<void>(all);
  for (const std::string& text : wanted) {
    const std::string path(parameter.name);
    if (std::ranges::find(kNumbers, parameter.name) != std::end(kNumbers)) {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (!text.empty() && (error != std::errc{} || end != text.data() + text.size())) {
        return Invalid(path, fmt::format("{} must be an integer", path));
      }
    } else if (std::ranges::find(kFlags, parameter.name) != std::end(kFlags) &&
               Lower(text) != "true" && Lower(text) != "false") {
      return Invalid(path, fmt::format("{} must be true or false", path));
    }
  }
  return {};
}

Result<std::size_t> ReadLimit(const Query& query) {
  constexpr std::size_t kLimitMax = 2000;
  const auto text = query.First("limit");
  if (!text) {
    return kLimitMax;
  }
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (text->empty() || error != std::errc{} || end != text->data() + text->size() ||
      limit > kLimitMax) {
    return Invalid("limit", "limit must be 0 to 2000");
  }
  return limit == 0 ? kLimitMax : limit;
}

Result<bool> ReadReverse(const Query& query) {
  const std::string text = Lower(query.First("page_reverse").value_or("false"));
  if (text != "true" && text != "false") {
    return Invalid("page_reverse", "page_reverse must be true or false");
  }
  return text == "true";
}

}  // namespace

Result<std::vector<Json>> Filter(std::vector<Json> all, const Query& query, Resource resource) {
  for (const Parameter& parameter : ParametersOf(resource)) {
    const std::vector<std::string> wanted = query.All(parameter.name);
    if (wanted.empty()) {
      continue;
    }
    ELB_RETURN_IF_ERROR(CheckForm(all, parameter, wanted));
    std::erase_if(all, [&](const Json& object) { return !Matches(object, parameter, wanted); });
  }
  return all;
}

Result<Page> Paginate(std::vector<Json> all, const Query& query) {
  ELB_ASSIGN_OR_RETURN(const std::size_t limit, ReadLimit(query));
  ELB_ASSIGN_OR_RETURN(const bool reverse, ReadReverse(query));
  std::size_t begin = 0;
  std::size_t end = all.size();
  if (const auto marker = query.First("marker")) {
    const auto found =
        std::ranges::find_if(all, [&](const Json& object) { return object["id"] == *marker; });
    if (found == all.end()) {
      return Invalid("marker", "marker names no object of the list");
    }
    const auto at = static_cast<std::size_t>(found - all.begin());
    (reverse ? end : begin) = reverse ? at : at + 1;
  }
  if (reverse) {
    begin = end > limit ? end - limit : 0;
  }
  const std::size_t stop = std::min(end, begin + limit);
  Page page{.items = {}, .more = stop < all.size()};
  for (std::size_t i = begin; i < stop; ++i) {
    page.items.push_back(std::move(all[i]));
  }
  return page;
}

Json PageInfo(const Page& page) {
  Json info = Json::object();
  if (!page.items.empty()) {
    info["previous_marker"] = page.items.front()["id"];
    if (page.more) {
      info["next_marker"] = page.items.back()["id"];
    }
  }
  info["current_count"] = page.items.size();
  return info;
}

}  // namespace elb::rest
