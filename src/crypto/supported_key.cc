#include "crypto/supported_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>
#include <string_view>

namespace elb::crypto {
namespace {

constexpr int kRsaBitsMin = 1024;

std::string CurveOf(const EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) {
    return "unknown";
  }
  const std::string_view group(name.data(), length);
  if (group == "prime256v1") {
    return "P-256";
  }
  if (group == "secp384r1") {
    return "P-384";
  }
  return group == "secp521r1" ? "P-521" : std::string(group);
}

bool SpellsOutItsCurve(const EVP_PKEY* key) {
  int explicitly = 0;
  return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                &explicitly) == 1 &&
         explicitly == 1;
}

}  // namespace

KeyFacts DescribeKey(const EVP_PKEY* key) {
  KeyFacts facts;
  facts.bits = EVP_PKEY_get_bits(key);
  const int algorithm = EVP_PKEY_get_base_id(key);
  if (algorithm == EVP_PKEY_RSA) {
    facts.type = KeyType::kRsa;
  } else if (algorithm == EVP_PKEY_EC) {
    facts.type = KeyType::kEc;
    facts.curve = CurveOf(key);
  }
  ERR_clear_error();
  return facts;
}

Result<KeyFacts> CheckSupported(const EVP_PKEY* key) {
  KeyFacts facts = DescribeKey(key);
  switch (facts.type) {
    case KeyType::kRsa:
      if (facts.bits < kRsaBitsMin) {
        return Invalid("", fmt::format("the RSA key has {} bits; at least {} are needed",
                                       facts.bits, kRsaBitsMin));
      }
      return facts;
    case KeyType::kEc:
      if (facts.curve != "P-256" && facts.curve != "P-384" && facts.curve != "P-521") {
        return Invalid("", fmt::format("the EC key is on the curve {}; P-256, P-384 and P-521 are "
                                       "supported",
                                       facts.curve));
      }
      if (SpellsOutItsCurve(key)) {
        ERR_clear_error();
        return Invalid("", "the EC key spells out its curve instead of naming it (RFC 5480)");
      }
      return facts;
    case KeyType::kOther:
      break;
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  return Invalid("", fmt::format("keys of the algorithm {} are not supported; RSA and EC are",
                                 name == nullptr ? "unknown" : name));
}

}  // namespace elb::crypto
