#include "model/catalogue.h"

#include <algorithm>
#include <array>

namespace elb::model {
namespace {

using Names = std::vector<std::string>;

const Names& EcdsaSuites() {
  static const Names names{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                           "ECDHE-ECDSA-AES128-SHA256",     "ECDHE-ECDSA-AES256-SHA384",
                           "ECDHE-ECDSA-AES128-SHA",        "ECDHE-ECDSA-AES256-SHA"};
  return names;
}

Names Join(std::initializer_list<Names> lists) {
  Names all;
  for (const Names& list : lists) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

Names Base18() {
  return Join({EcdsaSuites(),
               {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256",
                "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "AES128-SHA256", "AES256-SHA256",
                "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA",
                "AES128-SHA", "AES256-SHA"}});
}

Names Strict12() {
  Names names = Base18();
  std::erase_if(names, [](const std::string& name) { return name.ends_with("-SHA"); });
  return names;
}

Names ForwardSecret8() {
  Names names = Strict12();
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("ECDHE-"); });
  return names;
}

Names Tls13() {
  return {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"};
}

Names Inherit33() {
  return Join({EcdsaSuites(),
               {"ECDHE-RSA-AES256-GCM-SHA384",
                "ECDHE-RSA-AES128-GCM-SHA256",
                "AES128-GCM-SHA256",
                "AES256-GCM-SHA384",
                "ECDHE-RSA-AES128-SHA256",
                "AES128-SHA256",
                "AES256-SHA256",
                "ECDHE-RSA-AES256-SHA384",
                "ECDHE-RSA-AES128-SHA",
                "DHE-RSA-AES128-SHA",
                "ECDHE-RSA-AES256-SHA",
                "AES128-SHA",
                "AES256-SHA",
                "DHE-DSS-AES128-SHA",
                "CAMELLIA128-SHA",
                "EDH-RSA-DES-CBC3-SHA",
                "DES-CBC3-SHA",
                "ECDHE-RSA-RC4-SHA",
                "RC4-SHA",
                "DHE-RSA-AES256-SHA",
                "DHE-DSS-AES256-SHA",
                "DHE-RSA-CAMELLIA256-SHA",
                "DHE-DSS-CAMELLIA256-SHA",
                "CAMELLIA256-SHA",
                "EDH-DSS-DES-CBC3-SHA",
                "DHE-RSA-CAMELLIA128-SHA",
                "DHE-DSS-CAMELLIA128-SHA"}});
}

Names NoCbc4() {
  return {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
          "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"};
}

constexpr std::array kFlavors = {
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b1001", "L4_flavor.elb.s1.small", "L4", 500000, 10000, 0,
           0, 50000, 10},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b1002", "L4_flavor.elb.s2.small", "L4", 1000000, 20000,
           0, 0, 100000, 20},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b1003", "L4_flavor.elb.s1.medium", "L4", 2000000, 40000,
           0, 0, 200000, 40},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b1004", "L4_flavor.elb.s2.medium", "L4", 4000000, 80000,
           0, 0, 400000, 80},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b1005", "L4_flavor.elb.s1.large", "L4", 10000000, 200000,
           0, 0, 1000000, 200},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b1006", "L4_flavor.elb.s2.large", "L4", 20000000, 400000,
           0, 0, 2000000, 400},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b2001", "L7_flavor.elb.s1.small", "L7", 200000, 2000,
           200, 4000, 50000, 10},
    Flavor{"7628a037-c229-4c0c-820b-4ea862743aef", "L7_flavor.elb.s2.small", "L7", 400000, 4000,
           400, 8000, 100000, 20},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b2003", "L7_flavor.elb.s1.medium", "L7", 800000, 8000,
           800, 16000, 200000, 40},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b2004", "L7_flavor.elb.s2.medium", "L7", 2000000, 20000,
           2000, 40000, 400000, 100},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b2005", "L7_flavor.elb.s1.large", "L7", 4000000, 40000,
           4000, 80000, 1000000, 200},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b2006", "L7_flavor.elb.s2.large", "L7", 8000000, 80000,
           8000, 160000, 2000000, 400},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b3001", "L4_flavor.elb.pro.max", "L4_elastic_max",
           20000000, 400000, 0, 0, 10000000, 0},
    Flavor{"a1c3f6a0-5e0b-4d59-9f1a-6f0e2a4b3002", "L7_flavor.elb.pro.max", "L7_elastic_max",
           8000000, 80000, 8000, 160000, 10000000, 0},
};

constexpr std::array kQuotas = {
    QuotaDefault{"loadbalancer", 50},
    QuotaDefault{"listener", 100},
    QuotaDefault{"pool", 500},
    QuotaDefault{"member", 500},
    QuotaDefault{"members_per_pool", 500},
    QuotaDefault{"healthmonitor", -1},
    QuotaDefault{"l7policy", 500},
    QuotaDefault{"certificate", 120},
    QuotaDefault{"ipgroup", 50},
    QuotaDefault{"ipgroup_bindings", 50},
    QuotaDefault{"ipgroup_max_length", 300},
    QuotaDefault{"ipgroups_per_listener", 1},
    QuotaDefault{"security_policy", 50},
    QuotaDefault{"listeners_per_loadbalancer", 50},
    QuotaDefault{"listeners_per_pool", 1},
    QuotaDefault{"pools_per_l7policy", 50},
    QuotaDefault{"l7policies_per_listener", 100},
    QuotaDefault{"condition_per_policy", 10},
    QuotaDefault{"free_instance_listeners_per_loadbalancer", -1},
    QuotaDefault{"free_instance_members_per_pool", -1},
};

}  // namespace

const std::vector<SystemPolicy>& SystemPolicies() {
  static const std::vector<SystemPolicy> policies{
      {"tls-1-0", {"TLSv1.2", "TLSv1.1", "TLSv1"}, Base18()},
      {"tls-1-0-inherit", {"TLSv1.2", "TLSv1.1", "TLSv1"}, Inherit33()},
      {"tls-1-1", {"TLSv1.2", "TLSv1.1"}, Base18()},
      {"tls-1-2", {"TLSv1.2"}, Base18()},
      {"tls-1-2-strict", {"TLSv1.2"}, Strict12()},
      {"tls-1-2-fs", {"TLSv1.2"}, ForwardSecret8()},
      {"tls-1-0-with-1-3", {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"}, Join({Base18(), Tls13()})},
      {"tls-1-2-fs-with-1-3", {"TLSv1.3", "TLSv1.2"}, Join({ForwardSecret8(), Tls13()})},
      {"hybrid-policy-1-0", {"TLSv1.2", "TLSv1.1"}, Base18()},
      {"tls-1-2-strict-no-cbc", {"TLSv1.2"}, NoCbc4()},
  };
  return policies;
}

const SystemPolicy* FindSystemPolicy(std::string_view name) {
  const auto& all = SystemPolicies();
  const auto found = std::ranges::find(all, name, &SystemPolicy::name);
  return found == all.end() ? nullptr : &*found;
}

bool IsOfferedOnShared(std::string_view system_policy) {
  // The column "LB types" of api-v3.md appendix A.
  static constexpr std::array kShared = {"tls-1-0", "tls-1-0-inherit", "tls-1-1", "tls-1-2",
                                         "tls-1-2-strict"};
  return std::ranges::find(kShared, system_policy) != kShared.end();
}

std::span<const Flavor> Flavors() { return kFlavors; }

const Flavor* FindFlavor(std::string_view id) {
  const auto* found = std::ranges::find(kFlavors, id, &Flavor::id);
  return found == kFlavors.end() ? nullptr : &*found;
}

std::span<const QuotaDefault> QuotaDefaults() { return kQuotas; }

bool PoolFitsListener(std::string_view listener, std::string_view pool, Kind kind) {
  if (listener == "TCP") {
    return pool == "TCP";
  }
  if (listener == "UDP") {
    return pool == "UDP" || (pool == "QUIC" && kind == Kind::kDedicated);
  }
  if (listener == "HTTPS") {
    return pool == "HTTP" || pool == "HTTPS";
  }
  return pool == "HTTP";  // HTTP and TERMINATED_HTTPS.
}

bool MonitorFitsPool(std::string_view monitor, std::string_view pool, Kind kind) {
  if (pool == "UDP" || pool == "QUIC") {
    return monitor == "UDP_CONNECT";
  }
  return monitor == "TCP" || monitor == "HTTP" || (monitor == "HTTPS" && kind == Kind::kDedicated);
}

}  // namespace elb::model
