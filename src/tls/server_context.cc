#include "tls/server_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "tls/internal.h"

namespace elb::tls {
namespace {

std::unexpected<Error> Refused(std::string_view field, std::string_view what) {
  return Invalid(std::string(field), fmt::format("{}: {}", what, TakeOpenSslError()));
}

struct VersionBit {
  std::string_view name;
  int version;
  std::uint64_t off;
};
constexpr VersionBit kVersions[] = {
    {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

bool IsTls13Suite(std::string_view cipher) { return cipher.starts_with("TLS_"); }

/// The suites of `ciphers` that the library has, as a colon list, one by one: an unknown name must
/// not take its neighbours down.
std::string KnownSuites(SSL_CTX* context, const std::vector<std::string>& ciphers, bool tls13) {
  std::string list;
  for (const std::string& cipher : ciphers) {
    if (IsTls13Suite(cipher) != tls13) {
      continue;
    }
    const int known = tls13 ? SSL_CTX_set_ciphersuites(context, cipher.c_str())
                            : SSL_CTX_set_cipher_list(context, cipher.c_str());
    ERR_clear_error();
    if (known == 1) {
      list += list.empty() ? "" : ":";
      list += cipher;
    }
  }
  return list;
}

/// Whether a suite below TLS 1.3 works with versions before TLS 1.2.
bool WorksBeforeTls12(const SSL_CIPHER* cipher) {
  return std::string_view(SSL_CIPHER_get_version(cipher)) != "TLSv1.2";
}

/// What is left of the protocols when those without a usable suite are dropped (data-plane.md 2.2).
std::uint64_t VersionOptions(SSL_CTX* context, const PolicySpec& policy, bool has_tls13) {
  bool old_suites = false;
  bool any_suites = false;
  STACK_OF(SSL_CIPHER)* suites = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* suite = sk_SSL_CIPHER_value(suites, i);
    if (IsTls13Suite(SSL_CIPHER_get_name(suite))) {
      continue;
    }
    any_suites = true;
    old_suites = old_suites || WorksBeforeTls12(suite);
  }
  std::uint64_t off = 0;
  for (const VersionBit& version : kVersions) {
    const bool usable = version.version == TLS1_3_VERSION   ? has_tls13
                        : version.version == TLS1_2_VERSION ? any_suites
                                                            : old_suites;
    if (!Contains(policy.protocols, version.name) || !usable) {
      off |= version.off;
    }
  }
  return off;
}

Result<void> ApplyPolicy(SSL_CTX* context, const PolicySpec& policy) {
  SSL_CTX_set_security_level(context, 0);
  const std::string suites13 = KnownSuites(context, policy.ciphers, true);
  const std::string suites12 = KnownSuites(context, policy.ciphers, false);
  SSL_CTX_set_ciphersuites(context, suites13.c_str());
  // An empty list is refused by the library; one that no policy offers stands for "none".
  if (SSL_CTX_set_cipher_list(context, suites12.empty() ? "AES128-CCM8" : suites12.c_str()) != 1) {
    return Refused("tls_ciphers_policy", "no usable cipher");
  }
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  std::uint64_t off = suites12.empty() ? SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2
                                       : VersionOptions(context, policy, !suites13.empty());
  if (suites13.empty() || !Contains(policy.protocols, "TLSv1.3")) {
    off |= SSL_OP_NO_TLSv1_3;
  }
  SSL_CTX_set_options(context, off);
  // Not the other way round: a client that can do 1.0 only still signs with SHA-1.
  const bool old = (off & SSL_OP_NO_TLSv1) == 0 || (off & SSL_OP_NO_TLSv1_1) == 0;
  const char* const modern =
      "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
      "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
      "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:ECDSA+SHA224:RSA+SHA224";
  const std::string algorithms = old ? std::string(modern) + ":ECDSA+SHA1:RSA+SHA1" : modern;
  SSL_CTX_set1_sigalgs_list(context, algorithms.c_str());
  if (SSL_CTX_set1_groups_list(context, "X25519MLKEM768:X25519:P-256:P-384:P-521") != 1) {
    ERR_clear_error();
    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521");
  }
  SSL_CTX_set_dh_auto(context, 1);
  ERR_clear_error();
  return {};
}

std::vector<std::string> SuitesInEffect(SSL_CTX* context) {
  std::vector<std::string> names;
  const SslPtr probe(SSL_new(context));
  STACK_OF(SSL_CIPHER)* suites = SSL_get1_supported_ciphers(probe.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    names.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i)));
  }
  sk_SSL_CIPHER_free(suites);
  return names;
}

std::unique_ptr<Presentable> MakePresentable(const CertificateEntry& entry) {
  auto made = std::make_unique<Presentable>(
      Presentable{.id = entry.id, .certificate = entry.chain, .key = entry.key, .chain = {}});
  const auto& handles = entry.chain->handles();
  for (std::size_t i = 1; i < handles.size(); ++i) {
    const bool last = i + 1 == handles.size();
    if (!last || !entry.chain->facts()[i].self_signed) {
      made->chain.push_back(handles.certificate(i));
    }
  }
  return made;
}

/// Accepts whatever the chain says about purposes but what data-plane.md 2.6 asks for.
Result<void> ApplyClientAuthentication(SSL_CTX* context,
                                       const crypto::ParsedCertificate& authority) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (std::size_t i = 0; i < authority.size(); ++i) {
    X509* certificate = authority.handles().certificate(i);
    if (X509_STORE_add_cert(store, certificate) != 1 ||
        SSL_CTX_add_client_CA(context, certificate) != 1) {
      return Refused("client_ca_tls_container_ref", "the CA certificate cannot be used");
    }
  }
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level(parameters, 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, 10);
  return {};
}

void AddName(absl::flat_hash_map<std::string, NamePair>& names, std::string name,
             const Presentable* certificate) {
  NamePair& pair = names[std::move(name)];
  const bool ec = certificate->certificate->leaf().key_type == crypto::KeyType::kEc;
  const Presentable*& slot = ec ? pair.ec : pair.rsa;
  if (slot == nullptr) {
    slot = certificate;  // The first in list order wins.
  }
}

void IndexNames(ServerContext::Compiled& compiled, const SniEntry& entry,
                const Presentable* certificate) {
  for (const std::string& name : entry.names) {
    if (name.starts_with("*.")) {
      AddName(compiled.wildcard, name.substr(2), certificate);
    } else {
      AddName(compiled.exact, name, certificate);
    }
  }
}

void SetSessionContext(SSL_CTX* context, const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  SSL_CTX_set_session_id_context(context, digest.data(), digest.size());
}

void SetModes(SSL_CTX* context) {
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_timeout(context, 2 * 60 * 60);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_max_cert_list(context, 64 * 1024);
}

}  // namespace

std::string TakeOpenSslError() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

NamePair ServerContext::Compiled::Find(std::string_view name) const {
  if (const auto found = exact.find(std::string(name)); found != exact.end()) {
    return found->second;
  }
  std::size_t dot = name.find('.');
  while (dot != std::string_view::npos && dot > 0) {
    name.remove_prefix(dot + 1);
    if (const auto found = wildcard.find(std::string(name)); found != wildcard.end()) {
      return found->second;
    }
    if (sni_match == SniMatch::kWildcard) {
      break;  // `*` stands for one label.
    }
    dot = name.find('.');
  }
  return {};
}

Result<std::shared_ptr<const ServerContext>> ServerContext::Create(const ServerSpec& spec,
                                                                   TicketKeys& keys) {
  if (spec.default_certificate.chain == nullptr || spec.default_certificate.key == nullptr) {
    return Invalid("default_tls_container_ref", "the server certificate is missing");
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = compiled->context.get();
  if (context == nullptr) {
    return Internal(fmt::format("TLS set-up failed: {}", TakeOpenSslError()));
  }
  SetModes(context);
  ELB_RETURN_IF_ERROR(ApplyPolicy(context, spec.policy));
  compiled->sni_match = spec.sni_match;
  compiled->http2 = spec.http2;
  compiled->keep_client_hello = spec.keep_client_hello;
  compiled->ticket_keys = &keys;
  compiled->certificates.push_back(MakePresentable(spec.default_certificate));
  for (std::size_t i = 0; i < spec.sni.size(); ++i) {
    const SniEntry& entry = spec.sni[i];
    if (entry.certificate.chain == nullptr || entry.certificate.key == nullptr) {
      return Invalid(fmt::format("sni_container_refs[{}]", i), "the certificate is missing");
    }
    compiled->certificates.push_back(MakePresentable(entry.certificate));
    IndexNames(*compiled, entry, compiled->certificates.back().get());
  }
  if (spec.client_ca != nullptr) {
    ELB_RETURN_IF_ERROR(ApplyClientAuthentication(context, *spec.client_ca));
  }
  SetSessionContext(context, spec.resumption_context);
  InstallCallbacks(context, *compiled);
  // Tried here, so that a pair OpenSSL refuses fails the call and not a handshake.
  const Presentable& first = *compiled->certificates.front();
  if (SSL_CTX_use_certificate(context, first.certificate->handles().certificate(0)) != 1 ||
      SSL_CTX_use_PrivateKey(context, first.key->handle().key()) != 1) {
    return Refused("default_tls_container_ref", "the server certificate cannot be used");
  }
  for (X509* certificate : first.chain) {
    SSL_CTX_add1_chain_cert(context, certificate);
  }
  compiled->effective_ciphers = SuitesInEffect(context);
  return std::make_shared<const ServerContext>(std::move(compiled));
}

ServerContext::ServerContext(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}

ServerContext::~ServerContext() = default;

const std::vector<std::string>& ServerContext::effective_ciphers() const {
  return compiled_->effective_ciphers;
}

}  // namespace elb::tls
