#include "model/security_policy.h"

#include <algorithm>

#include "model/common_fields.h"

namespace elb::model {
namespace {

/// In the order of api-v3.md 2.8.
std::vector<std::string> CustomCiphers() {
  return {"ECDHE-RSA-AES256-GCM-SHA384",
          "ECDHE-RSA-AES128-GCM-SHA256",
          "ECDHE-ECDSA-AES256-GCM-SHA384",
          "ECDHE-ECDSA-AES128-GCM-SHA256",
          "AES128-GCM-SHA256",
          "AES256-GCM-SHA384",
          "ECDHE-ECDSA-AES128-SHA256",
          "ECDHE-RSA-AES128-SHA256",
          "AES128-SHA256",
          "AES256-SHA256",
          "ECDHE-ECDSA-AES256-SHA384",
          "ECDHE-RSA-AES256-SHA384",
          "ECDHE-ECDSA-AES128-SHA",
          "ECDHE-RSA-AES128-SHA",
          "ECDHE-RSA-AES256-SHA",
          "ECDHE-ECDSA-AES256-SHA",
          "AES128-SHA",
          "AES256-SHA",
          "CAMELLIA128-SHA",
          "DES-CBC3-SHA",
          "CAMELLIA256-SHA",
          "ECDHE-RSA-CHACHA20-POLY1305",
          "ECDHE-ECDSA-CHACHA20-POLY1305",
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_AES_128_CCM_SHA256",
          "TLS_AES_128_CCM_8_SHA256"};
}

bool NeedsTls12(std::string_view cipher) {
  return cipher.contains("GCM") || cipher.contains("SHA256") || cipher.contains("SHA384") ||
         cipher.contains("CHACHA20");
}

}  // namespace

const Schema& SecurityPolicySchema() {
  using T = SecurityPolicy;
  static const Schema schema{
      "security_policy",
      Concat({IdentityFields(),
              {
                  NameField(&T::name, "security policy"),
                  DescriptionField(&T::description, "security policy"),
                  Field("protocols", &T::protocols)
                      .Label("TLS Versions")
                      .OneOf({"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
                      .Range(1, 4)
                      .Required()
                      .Set(Access::kCreateAndUpdate)
                      .Doc("TLS versions that clients may use, each once."),
                  Field("ciphers", &T::ciphers)
                      .Label("Cipher Suites")
                      .OneOf(CustomCiphers())
                      .Range(1, static_cast<std::int64_t>(CustomCiphers().size()))
                      .Required()
                      .Set(Access::kCreateAndUpdate)
                      .Doc("Cipher suites, each once; at least one must fit the versions: TLS_* "
                           "those of TLSv1.3, all others earlier ones, GCM, SHA256, SHA384 and "
                           "CHACHA20 TLSv1.2."),
                  Field::Derived("listeners", ValueType::kObjectList, &ReferenceSchema())
                      .Label("Listeners")
                      .Doc("Listeners that use the policy."),
                  ExtensionsField(),
              }})};
  return schema;
}

const Schema& SystemSecurityPolicySchema() {
  static const Schema schema{"system_security_policy",
                             {
                                 Field::Derived("name", ValueType::kText)
                                     .Label("Name")
                                     .Doc("Name of the policy, for tls_ciphers_policy."),
                                 Field::Derived("project_id", ValueType::kText)
                                     .Label("Project ID")
                                     .Doc("Project of the call."),
                                 Field::Derived("protocols", ValueType::kText)
                                     .Label("TLS Versions")
                                     .Doc("TLS versions, separated by spaces."),
                                 Field::Derived("ciphers", ValueType::kText)
                                     .Label("Cipher Suites")
                                     .Doc("Cipher suites, separated by colons."),
                             }};
  return schema;
}

bool IsUsable(std::string_view cipher, const std::vector<std::string>& protocols) {
  const auto has = [&](std::string_view protocol) {
    return std::ranges::find(protocols, protocol) != protocols.end();
  };
  if (cipher.starts_with("TLS_")) {
    return has("TLSv1.3");
  }
  return has("TLSv1.2") || (!NeedsTls12(cipher) && (has("TLSv1") || has("TLSv1.1")));
}

Result<void> CheckSecurityPolicy(const SecurityPolicy& policy) {
  const bool usable = std::ranges::any_of(policy.ciphers, [&](const std::string& cipher) {
    return IsUsable(cipher, policy.protocols);
  });
  if (!usable) {
    return Invalid("security_policy.ciphers",
                   "none of the ciphers can be used with the protocols chosen");
  }
  return {};
}

}  // namespace elb::model
