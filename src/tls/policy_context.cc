#include "tls/policy_context.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "tls/channel.h"
#include "tls/client_verification.h"
#include "tls/server_callbacks.h"

namespace elb::tls {
namespace {

constexpr std::string_view kPolicyField = "tls_ciphers_policy";

struct Protocol {
  std::string_view name;
  int version;
  std::uint64_t off;
};
constexpr std::array<Protocol, 4> kProtocols{{
    {.name = "TLSv1", .version = TLS1_VERSION, .off = SSL_OP_NO_TLSv1},
    {.name = "TLSv1.1", .version = TLS1_1_VERSION, .off = SSL_OP_NO_TLSv1_1},
    {.name = "TLSv1.2", .version = TLS1_2_VERSION, .off = SSL_OP_NO_TLSv1_2},
    {.name = "TLSv1.3", .version = TLS1_3_VERSION, .off = SSL_OP_NO_TLSv1_3},
}};

constexpr const char* kSignatures =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448:"
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
    "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";
/// Old clients of TLS 1.2 may know nothing better (data-plane.md 2.1).
constexpr const char* kSignaturesWithSha1 =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448:"
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
    "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:ECDSA+SHA1:RSA+SHA1";

constexpr const char* kGroups = "X25519:P-256:P-384:P-521";
constexpr const char* kGroupsWithMlKem = "X25519MLKEM768:X25519:P-256:P-384:P-521";

/// A suite of the policy that the library knows.
struct Suite {
  std::string name;
  int version_min = 0;
  int version_max = 0;
};

/// What is left of a policy: suites that a protocol can use, protocols that have a suite.
struct Effective {
  std::vector<Suite> suites;  ///< In policy order.
  std::vector<const Protocol*> protocols;
};

std::unexpected<Error> Refused(std::string_view field, std::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return Invalid(std::string(field), fmt::format("{}: {}", what, text.data()));
}

Suite Describe(const SSL_CIPHER* cipher) {
  const std::string_view since = SSL_CIPHER_get_version(cipher);
  Suite suite{.name = SSL_CIPHER_get_name(cipher)};
  suite.version_max = since == "TLSv1.3" ? TLS1_3_VERSION : TLS1_2_VERSION;
  suite.version_min = TLS1_VERSION;
  if (since == "TLSv1.3" || since == "TLSv1.2") {
    suite.version_min = suite.version_max;
  }
  return suite;
}

/// Lets OpenSSL keep of `names` what it knows, and lists that in the order of `names`.
std::vector<Suite> KnownSuites(SSL_CTX* context, const std::vector<std::string>& names) {
  // One call may fail as a whole when nothing in its list is known; that is no error here.
  std::string tls13;
  std::string older;
  for (const std::string& name : names) {
    std::string& list = name.starts_with("TLS_") ? tls13 : older;
    list += list.empty() ? name : ':' + name;
  }
  SSL_CTX_set_ciphersuites(context, tls13.c_str());
  const bool has_older = !older.empty() && SSL_CTX_set_cipher_list(context, older.c_str()) == 1;
  ERR_clear_error();
  std::vector<Suite> known;
  const STACK_OF(SSL_CIPHER)* suites = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(suites, i);
    Suite suite = Describe(cipher);
    const bool chosen = suite.version_min == TLS1_3_VERSION ? !tls13.empty() : has_older;
    if (chosen && SSL_CIPHER_get_auth_nid(cipher) != NID_auth_dss) {
      known.push_back(std::move(suite));  // DSA certificates are not accepted, so never used.
    }
  }
  // OpenSSL puts TLS 1.3 first; the policies put it last.
  const auto older_begin = std::ranges::find_if(
      known, [](const Suite& suite) { return suite.version_min != TLS1_3_VERSION; });
  std::ranges::rotate(known, older_begin);
  return known;
}

bool Contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

bool Fits(const Suite& suite, const Protocol& protocol) {
  return protocol.version >= suite.version_min && protocol.version <= suite.version_max;
}

/// A protocol without a suite is dropped, and a suite without a protocol (data-plane.md 2.2).
Effective Reduce(std::vector<Suite> known, const std::vector<std::string>& protocols) {
  Effective effective{.suites = std::move(known)};
  for (const Protocol& protocol : kProtocols) {
    const bool usable = std::ranges::any_of(
        effective.suites, [&](const Suite& suite) { return Fits(suite, protocol); });
    if (usable && Contains(protocols, protocol.name)) {
      effective.protocols.push_back(&protocol);
    }
  }
  std::erase_if(effective.suites, [&](const Suite& suite) {
    return std::ranges::none_of(effective.protocols,
                                [&](const Protocol* protocol) { return Fits(suite, *protocol); });
  });
  return effective;
}

bool SetVersions(SSL_CTX* context, const std::vector<const Protocol*>& protocols) {
  std::uint64_t holes = 0;
  for (const Protocol& protocol : kProtocols) {
    holes |= Contains(protocols, &protocol) ? 0 : protocol.off;
  }
  SSL_CTX_clear_options(context, SSL_OP_NO_SSL_MASK);
  SSL_CTX_set_options(context, holes);
  return SSL_CTX_set_min_proto_version(context, protocols.front()->version) == 1 &&
         SSL_CTX_set_max_proto_version(context, protocols.back()->version) == 1;
}

bool SetGroups(SSL_CTX* context) {
  if (SSL_CTX_set1_groups_list(context, kGroupsWithMlKem) == 1) {
    return true;
  }
  ERR_clear_error();
  return SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

/// RFC 7919's smallest group; OpenSSL's automatic ones are those of RFC 3526.
bool SetFiniteFieldGroup(SSL_CTX* context) {
  crypto::KeyPointer key;
  {
    EVP_PKEY_CTX* maker = EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr);
    std::array<char, 10> group{"ffdhe2048"};
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* made = nullptr;
    if (EVP_PKEY_paramgen_init(maker) == 1 &&
        EVP_PKEY_CTX_set_params(maker, parameters.data()) == 1) {
      EVP_PKEY_paramgen(maker, &made);
    }
    EVP_PKEY_CTX_free(maker);
    key.reset(made);
  }
  if (key == nullptr || SSL_CTX_set0_tmp_dh_pkey(context, key.get()) != 1) {
    return false;
  }
  static_cast<void>(key.release());
  return true;
}

void SetOptions(SSL_CTX* context) {
  SSL_CTX_set_options(
      context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_clear_options(context, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                     SSL_OP_NO_EXTENDED_MASTER_SECRET | SSL_OP_NO_TICKET);
  SSL_CTX_set_max_early_data(context, 0);
}

Result<SslContextPointer> NewContext() {
  SslContextPointer context(SSL_CTX_new_ex(nullptr, nullptr, TLS_server_method()));
  if (context == nullptr) {
    ERR_clear_error();
    return Internal("OpenSSL has no memory for another context");
  }
  SSL_CTX_set_security_level(context.get(), 0);  // Strength is a matter of the lists.
  return context;
}

Result<std::shared_ptr<const PolicyContext>> Build(
    const PolicySpec& policy, const std::shared_ptr<const crypto::ParsedCertificate>& client_ca) {
  ELB_ASSIGN_OR_RETURN(SslContextPointer made, NewContext());
  SSL_CTX* context = made.get();
  const Effective effective = Reduce(KnownSuites(context, policy.ciphers), policy.protocols);
  if (effective.protocols.empty()) {
    return Invalid(std::string(kPolicyField), "none of its suites can be used with its protocols");
  }
  const bool has_sha1 = effective.protocols.front()->version < TLS1_2_VERSION;
  if (!SetVersions(context, effective.protocols) || !SetGroups(context) ||
      !SetFiniteFieldGroup(context) ||
      SSL_CTX_set1_sigalgs_list(context, has_sha1 ? kSignaturesWithSha1 : kSignatures) != 1) {
    return Refused(kPolicyField, "OpenSSL refuses the policy");
  }
  SetOptions(context);
  Channel::Prepare(*context);
  SetServerCallbacks(*context);
  if (client_ca != nullptr) {
    ELB_RETURN_IF_ERROR(RequireClientCertificates(*context, *client_ca));
  }
  std::vector<std::string> names;
  std::ranges::transform(effective.suites, std::back_inserter(names), &Suite::name);
  return std::make_shared<const PolicyContext>(std::move(made), std::move(names), client_ca);
}

/// Weak references to immutable objects, by what they were made from.
class Cache {
 public:
  [[nodiscard]] std::shared_ptr<const PolicyContext> Find(const std::string& key) {
    const MutexLock lock(mutex_);
    const auto found = contexts_.find(key);
    return found == contexts_.end() ? nullptr : found->second.lock();
  }
  void Insert(const std::string& key, const std::shared_ptr<const PolicyContext>& context) {
    const MutexLock lock(mutex_);
    if (contexts_.size() >= purge_at_) {
      absl::erase_if(contexts_, [](const auto& entry) { return entry.second.expired(); });
      purge_at_ = std::max(kPurgeAtLeast, 2 * contexts_.size());
    }
    contexts_[key] = context;
  }

 private:
  static constexpr std::size_t kPurgeAtLeast = 64;

  Mutex mutex_;
  absl::flat_hash_map<std::string, std::weak_ptr<const PolicyContext>> contexts_
      ELB_GUARDED_BY(mutex_);
  std::size_t purge_at_ ELB_GUARDED_BY(mutex_) = kPurgeAtLeast;
};

}  // namespace

PolicyContext::PolicyContext(SslContextPointer context, std::vector<std::string> effective_ciphers,
                             std::shared_ptr<const crypto::ParsedCertificate> client_ca)
    : context_(std::move(context)),
      effective_ciphers_(std::move(effective_ciphers)),
      client_ca_(std::move(client_ca)) {}

Result<std::shared_ptr<const PolicyContext>> PolicyContext::Get(
    const PolicySpec& policy, const std::shared_ptr<const crypto::ParsedCertificate>& client_ca) {
  static Cache cache;
  // The address stands for the anchors: a live context keeps them alive.
  const std::string key =
      fmt::format("{}|{}|{}", absl::StrJoin(policy.protocols, ":"),
                  absl::StrJoin(policy.ciphers, ":"), fmt::ptr(client_ca.get()));
  if (auto found = cache.Find(key)) {
    return found;
  }
  ELB_ASSIGN_OR_RETURN(std::shared_ptr<const PolicyContext> made, Build(policy, client_ca));
  cache.Insert(key, made);
  return made;
}

}  // namespace elb::tls
