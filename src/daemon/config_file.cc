#include "daemon/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <string_view>

#include "base/ip.h"
#include "crypto/hash.h"

namespace elb::daemon {
namespace {

/// Adds file and line to what is wrong with a node.
std::unexpected<Error> BadKey(const std::string& file, const YAML::Node& node,
                              const std::string& key, std::string_view what) {
  return Invalid(key, fmt::format("{}:{}: {} {}", file, node.Mark().line + 1, key, what));
}

class ConfigReader {
 public:
  ConfigReader(const std::string& file, DaemonConfig& config) : file_(file), config_(config) {}

  Result<void> Read(const YAML::Node& root) {
    ELB_RETURN_IF_ERROR(
        CheckKeys(root, "",
                  {"api", "workers", "access_log", "subnets", "quotas", "connect_timeout", "limits",
                   "default_tls_ciphers_policy", "region", "token_hours", "api_base_url",
                   "revisions_max", "revisions_days"}));
    ELB_RETURN_IF_ERROR(ReadApi(root["api"]));
    ELB_RETURN_IF_ERROR(ReadAccessLog(root["access_log"]));
    ELB_RETURN_IF_ERROR(ReadSubnets(root["subnets"]));
    ELB_RETURN_IF_ERROR(ReadQuotas(root["quotas"]));
    auto workers = static_cast<std::int64_t>(config_.workers);
    ELB_RETURN_IF_ERROR(Number(root["workers"], "workers", 1, 1024, workers));
    config_.workers = static_cast<std::size_t>(workers);
    std::int64_t connect = config_.node.connect_timeout.count();
    ELB_RETURN_IF_ERROR(Number(root["connect_timeout"], "connect_timeout", 1, 60, connect));
    config_.node.connect_timeout = std::chrono::seconds(connect);
    std::int64_t hours = config_.node.token_life.count();
    ELB_RETURN_IF_ERROR(Number(root["token_hours"], "token_hours", 1, 720, hours));
    config_.node.token_life = std::chrono::hours(hours);
    ELB_RETURN_IF_ERROR(
        Number(root["revisions_max"], "revisions_max", 100, 100'000, config_.node.revisions_max));
    std::int64_t days = config_.node.revisions_life.count();
    ELB_RETURN_IF_ERROR(Number(root["revisions_days"], "revisions_days", 1, 3650, days));
    config_.node.revisions_life = std::chrono::days(days);
    if (const YAML::Node limits = root["limits"]; limits.IsDefined()) {
      ELB_RETURN_IF_ERROR(CheckKeys(limits, "limits.", {"request_body_bytes_max"}));
      ELB_RETURN_IF_ERROR(Number(limits["request_body_bytes_max"], "limits.request_body_bytes_max",
                                 0, 10'737'418'240, config_.node.request_body_bytes_max));
    }
    ELB_RETURN_IF_ERROR(Text(root["default_tls_ciphers_policy"], "default_tls_ciphers_policy",
                             config_.node.default_tls_ciphers_policy));
    ELB_RETURN_IF_ERROR(Text(root["region"], "region", config_.node.region));
    return Text(root["api_base_url"], "api_base_url", config_.node.api_base_url);
  }

 private:
  Result<void> CheckKeys(const YAML::Node& map, const std::string& prefix,
                         const std::set<std::string>& known) {
    if (map.IsNull() || !map.IsDefined()) {
      return {};
    }
    if (!map.IsMap()) {
      return BadKey(file_, map, prefix.empty() ? "the file" : prefix, "must be a map");
    }
    for (const auto& entry : map) {
      const auto key = entry.first.as<std::string>();
      if (!known.contains(key)) {
        return BadKey(file_, entry.first, prefix + key, "is not a known key");
      }
    }
    return {};
  }

  Result<void> Number(const YAML::Node& node, const std::string& key, std::int64_t min,
                      std::int64_t max, std::int64_t& out) {
    if (!node.IsDefined()) {
      return {};
    }
    std::int64_t value = 0;
    if (!node.IsScalar() || !YAML::convert<std::int64_t>::decode(node, value) || value < min ||
        value > max) {
      return BadKey(file_, node, key, fmt::format("must be an integer from {} to {}", min, max));
    }
    out = value;
    return {};
  }

  Result<void> Text(const YAML::Node& node, const std::string& key, std::string& out) {
    if (!node.IsDefined()) {
      return {};
    }
    if (!node.IsScalar()) {
      return BadKey(file_, node, key, "must be a text");
    }
    out = node.as<std::string>();
    return {};
  }

  Result<void> ReadApi(const YAML::Node& api) {
    if (!api.IsDefined()) {
      return {};
    }
    ELB_RETURN_IF_ERROR(CheckKeys(api, "api.", {"address", "port"}));
    ELB_RETURN_IF_ERROR(Text(api["address"], "api.address", config_.api_address));
    if (!IpAddress::Parse(config_.api_address)) {
      return BadKey(file_, api, "api.address", "must be an IP address");
    }
    std::int64_t port = config_.api_port;
    ELB_RETURN_IF_ERROR(Number(api["port"], "api.port", 0, 65535, port));
    config_.api_port = static_cast<std::uint16_t>(port);
    return {};
  }

  /// Which of two words stands there; the first where none does.
  struct Words {
    std::string_view first;
    std::string_view second;
  };
  Result<bool> Choice(const YAML::Node& node, const std::string& key, const Words& words) {
    std::string text(words.first);
    ELB_RETURN_IF_ERROR(Text(node, key, text));
    if (text != words.first && text != words.second) {
      return BadKey(file_, node, key, fmt::format("must be {} or {}", words.first, words.second));
    }
    return text == words.second;
  }

  Result<void> ReadAccessLog(const YAML::Node& log) {
    if (!log.IsDefined()) {
      return {};
    }
    ELB_RETURN_IF_ERROR(
        CheckKeys(log, "access_log.", {"file", "stdout", "format", "loadbalancers"}));
    ELB_RETURN_IF_ERROR(Text(log["file"], "access_log.file", config_.access_log_file));
    std::string to_stdout;
    ELB_RETURN_IF_ERROR(Text(log["stdout"], "access_log.stdout", to_stdout));
    if (!to_stdout.empty() && to_stdout != "true" && to_stdout != "false") {
      return BadKey(file_, log["stdout"], "access_log.stdout", "must be true or false");
    }
    ELB_ASSIGN_OR_RETURN(const bool vendor,
                         Choice(log["format"], "access_log.format", {"json", "vendor"}));
    ELB_ASSIGN_OR_RETURN(
        const bool with_logtank,
        Choice(log["loadbalancers"], "access_log.loadbalancers", {"all", "with_logtank"}));
    using proxy::LogFormat;
    using proxy::LogScope;
    config_.access_log_options = {.format = vendor ? LogFormat::kVendor : LogFormat::kJson,
                                  .scope = with_logtank ? LogScope::kWithLogtank : LogScope::kAll};
    config_.access_log = to_stdout == "true" || !config_.access_log_file.empty();
    return {};
  }

  Result<void> ReadSubnets(const YAML::Node& subnets) {
    if (!subnets.IsDefined()) {
      return {};
    }
    if (!subnets.IsSequence() || subnets.size() == 0) {
      return BadKey(file_, subnets, "subnets", "must be a list with at least one subnet");
    }
    config_.node.subnets.clear();
    for (const YAML::Node& entry : subnets) {
      ELB_RETURN_IF_ERROR(ReadSubnet(entry));
    }
    return {};
  }

  Result<void> ReadSubnet(const YAML::Node& entry) {
    ELB_RETURN_IF_ERROR(CheckKeys(entry, "subnets.", {"name", "cidr", "first_vip", "first_eip"}));
    std::string name;
    std::string cidr;
    ELB_RETURN_IF_ERROR(Text(entry["name"], "subnets.name", name));
    ELB_RETURN_IF_ERROR(Text(entry["cidr"], "subnets.cidr", cidr));
    auto subnet = MakeSubnet(name, cidr, config_.node.vpc_id);
    if (!subnet) {
      return BadKey(file_, entry, subnet.error().path, subnet.error().message);
    }
    config_.node.subnets.push_back(*std::move(subnet));
    if (config_.node.subnets.size() == 1) {
      const FirstAddresses first = FirstAddressesOf(config_.node.subnets.front());
      config_.node.first_vip = first.vip;
      config_.node.first_eip = first.eip;
      ELB_RETURN_IF_ERROR(Text(entry["first_vip"], "subnets.first_vip", config_.node.first_vip));
      ELB_RETURN_IF_ERROR(Text(entry["first_eip"], "subnets.first_eip", config_.node.first_eip));
    }
    return {};
  }

  Result<void> ReadQuotas(const YAML::Node& quotas) {
    if (!quotas.IsDefined()) {
      return {};
    }
    if (!quotas.IsMap()) {
      return BadKey(file_, quotas, "quotas", "must be a map");
    }
    for (const auto& entry : quotas) {
      const auto key = entry.first.as<std::string>();
      std::int64_t limit = 0;
      ELB_RETURN_IF_ERROR(Number(entry.second, "quotas." + key, -1, 1'000'000'000, limit));
      config_.node.quotas[key] = limit;
    }
    return {};
  }

  const std::string& file_;
  DaemonConfig& config_;
};

/// A UUID that is always the same for `text`.
std::string DerivedUuid(const std::string& text) {
  std::string hex = crypto::Sha256Hex(text).substr(0, 32);
  hex[12] = '5';
  hex[16] = '8';
  for (const std::size_t position : {8U, 13U, 18U, 23U}) {
    hex.insert(position, 1, '-');
  }
  return hex;
}

}  // namespace

Result<control::SubnetConfig> MakeSubnet(const std::string& name, const std::string& cidr,
                                         const std::string& vpc_id) {
  const auto prefix = IpPrefix::Parse(cidr);
  if (!prefix || prefix->address.family() != IpFamily::kV4 || prefix->length > 28) {
    return Invalid("subnets.cidr", "must be an IPv4 range of at most /28");
  }
  if (name.empty()) {
    return Invalid("subnets.name", "is mandatory");
  }
  auto gateway = prefix->address.bytes();
  ++gateway[3];
  return control::SubnetConfig{
      .name = name,
      .vpc_id = vpc_id,
      .network_id = DerivedUuid("network:" + name + ":" + cidr),
      .subnet_id = DerivedUuid("subnet:" + name + ":" + cidr),
      .cidr = prefix->ToString(),
      .gateway = IpAddress::V4({gateway[0], gateway[1], gateway[2], gateway[3]}).ToString()};
}

FirstAddresses FirstAddressesOf(const control::SubnetConfig& subnet) {
  const IpPrefix prefix = IpPrefix::Parse(subnet.cidr).value_or(IpPrefix{});
  auto bytes = prefix.address.bytes();
  bytes[3] = static_cast<std::uint8_t>(bytes[3] + (prefix.length <= 24 ? 10 : 2));
  FirstAddresses first;
  first.vip = IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]}).ToString();
  if (prefix.length <= 16) {
    bytes[2] = 200;
  }
  first.eip = IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]}).ToString();
  return first;
}

Result<void> ReadConfigFile(const std::string& path, DaemonConfig& config) {
  try {
    const YAML::Node root = YAML::LoadFile(path);
    return ConfigReader(path, config).Read(root);
  } catch (const YAML::ParserException& failure) {
    return Invalid("config", fmt::format("{}:{}: {}", path, failure.mark.line + 1, failure.msg));
  } catch (const YAML::Exception& failure) {
    return Invalid("config", fmt::format("{}: {}", path, failure.what()));
  }
}

}  // namespace elb::daemon
