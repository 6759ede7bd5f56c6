#include "tls/testing/policies.h"

#include <algorithm>

namespace elb::tls::testing {
namespace {

using Names = std::vector<std::string>;

const Names kS18{"ECDHE-ECDSA-AES256-GCM-SHA384",
                 "ECDHE-ECDSA-AES128-GCM-SHA256",
                 "ECDHE-ECDSA-AES128-SHA256",
                 "ECDHE-ECDSA-AES256-SHA384",
                 "ECDHE-ECDSA-AES128-SHA",
                 "ECDHE-ECDSA-AES256-SHA",
                 "ECDHE-RSA-AES256-GCM-SHA384",
                 "ECDHE-RSA-AES128-GCM-SHA256",
                 "AES128-GCM-SHA256",
                 "AES256-GCM-SHA384",
                 "ECDHE-RSA-AES128-SHA256",
                 "AES128-SHA256",
                 "AES256-SHA256",
                 "ECDHE-RSA-AES256-SHA384",
                 "ECDHE-RSA-AES128-SHA",
                 "ECDHE-RSA-AES256-SHA",
                 "AES128-SHA",
                 "AES256-SHA"};
const Names kS12{"ECDHE-ECDSA-AES256-GCM-SHA384",
                 "ECDHE-ECDSA-AES128-GCM-SHA256",
                 "ECDHE-ECDSA-AES128-SHA256",
                 "ECDHE-ECDSA-AES256-SHA384",
                 "ECDHE-RSA-AES256-GCM-SHA384",
                 "ECDHE-RSA-AES128-GCM-SHA256",
                 "AES128-GCM-SHA256",
                 "AES256-GCM-SHA384",
                 "ECDHE-RSA-AES128-SHA256",
                 "AES128-SHA256",
                 "AES256-SHA256",
                 "ECDHE-RSA-AES256-SHA384"};
const Names kFs8{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                 "ECDHE-ECDSA-AES128-SHA256",     "ECDHE-ECDSA-AES256-SHA384",
                 "ECDHE-RSA-AES256-GCM-SHA384",   "ECDHE-RSA-AES128-GCM-SHA256",
                 "ECDHE-RSA-AES128-SHA256",       "ECDHE-RSA-AES256-SHA384"};
const Names kNc4{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                 "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"};
const Names kT5{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"};
const Names kInh33{"ECDHE-ECDSA-AES256-GCM-SHA384",
                   "ECDHE-ECDSA-AES128-GCM-SHA256",
                   "ECDHE-ECDSA-AES128-SHA256",
                   "ECDHE-ECDSA-AES256-SHA384",
                   "ECDHE-ECDSA-AES128-SHA",
                   "ECDHE-ECDSA-AES256-SHA",
                   "ECDHE-RSA-AES256-GCM-SHA384",
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
                   "DHE-DSS-CAMELLIA128-SHA"};

Names Join(Names first, const Names& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

const std::vector<NamedPolicy>& SystemPolicies() {
  static const std::vector<NamedPolicy> policies{
      {"tls-1-0-inherit", {{"TLSv1", "TLSv1.1", "TLSv1.2"}, kInh33}},
      {"tls-1-0", {{"TLSv1", "TLSv1.1", "TLSv1.2"}, kS18}},
      {"tls-1-1", {{"TLSv1.1", "TLSv1.2"}, kS18}},
      {"tls-1-2", {{"TLSv1.2"}, kS18}},
      {"tls-1-2-strict", {{"TLSv1.2"}, kS12}},
      {"tls-1-2-fs", {{"TLSv1.2"}, kFs8}},
      {"tls-1-0-with-1-3", {{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}, Join(kS18, kT5)}},
      {"tls-1-2-fs-with-1-3", {{"TLSv1.2", "TLSv1.3"}, Join(kFs8, kT5)}},
      {"hybrid-policy-1-0", {{"TLSv1.1", "TLSv1.2"}, kS18}},
      {"tls-1-2-strict-no-cbc", {{"TLSv1.2"}, kNc4}},
  };
  return policies;
}

const PolicySpec& SystemPolicy(const std::string& name) {
  return std::ranges::find(SystemPolicies(), name, &NamedPolicy::name)->spec;
}

std::vector<std::string> AllSuites() { return Join(kInh33, kT5); }

}  // namespace elb::tls::testing
