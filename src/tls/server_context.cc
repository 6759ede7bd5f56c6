#include "tls/server_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <utility>

#include "tls/compiled_context.h"

namespace elb::tls {
namespace {

/// As `result`, naming `field` of the listener.
std::unexpected<Error> AtField(Error error, std::string field) {
  error.path = std::move(field);
  return std::unexpected(std::move(error));
}

bool IsSelfSigned(X509* certificate) { return X509_self_signed(certificate, 0) == 1; }

}  // namespace

Result<CertificateEntry> CertificateEntry::Parse(std::string id, std::string_view chain_pem,
                                                 std::string_view key_pem) {
  CertificateEntry entry{.id = std::move(id), .chain = nullptr, .key = nullptr};
  ELB_ASSIGN_OR_RETURN(entry.chain, crypto::ParsedCertificate::Parse(chain_pem));
  if (!key_pem.empty()) {
    ELB_ASSIGN_OR_RETURN(entry.key, crypto::ParsedKey::Parse(key_pem));
  }
  return entry;
}

Result<ServerCertificate> ServerCertificate::Create(const CertificateEntry& entry) {
  if (entry.chain == nullptr || entry.key == nullptr) {
    return Failure(ErrorKind::kUnusableCertificate, "", "a server certificate needs a private key");
  }
  const crypto::ParsedCertificate::Handles& handles = entry.chain->handles();
  if (X509_check_private_key(handles.certificate(0), entry.key->handle().key()) != 1) {
    ERR_clear_error();
    return Failure(ErrorKind::kUnusableCertificate, "",
                   fmt::format("certificate {}: the private key does not match", entry.id));
  }
  std::size_t count = handles.size();
  if (count > 1 && IsSelfSigned(handles.certificate(count - 1))) {
    --count;  // Clients have the root or do not trust it.
  }
  CertificateStackPointer chain(sk_X509_new_null());
  for (std::size_t i = 1; i < count; ++i) {
    X509_up_ref(handles.certificate(i));
    sk_X509_push(chain.get(), handles.certificate(i));
  }
  return ServerCertificate(entry, std::move(chain));
}

ServerContext::Compiled::Compiled(const ServerSpec& spec,
                                  std::shared_ptr<const PolicyContext> policy, TicketKeys& keys)
    : policy_(std::move(policy)),
      keys_(&keys),
      names_(spec.sni_match),
      http2_(spec.http2),
      keep_client_hello_(spec.keep_client_hello) {
  EVP_Digest(spec.resumption_context.data(), spec.resumption_context.size(),
             session_context_.data(), nullptr, EVP_sha256(), nullptr);
}

Result<std::unique_ptr<const ServerContext::Compiled>> ServerContext::Compiled::Create(
    const ServerSpec& spec, TicketKeys& keys) {
  ELB_ASSIGN_OR_RETURN(auto policy, PolicyContext::Get(spec.policy, spec.client_ca));
  std::unique_ptr<Compiled> compiled(new Compiled(spec, std::move(policy), keys));
  auto standard = ServerCertificate::Create(spec.default_certificate);
  if (!standard) {
    return AtField(std::move(standard).error(), "default_tls_container_ref");
  }
  compiled->certificates_.push_back(*std::move(standard));
  for (std::size_t i = 0; i < spec.sni.size(); ++i) {
    auto certificate = ServerCertificate::Create(spec.sni[i].certificate);
    if (!certificate) {
      return AtField(std::move(certificate).error(), fmt::format("sni_container_refs[{}]", i));
    }
    for (const std::string& name : spec.sni[i].names) {
      compiled->names_.Add(name, certificate->type(), compiled->certificates_.size());
    }
    compiled->certificates_.push_back(*std::move(certificate));
  }
  return compiled;
}

CertificateChoice ServerContext::Compiled::Choose(std::string_view server_name) const {
  if (const NamedCertificates* named = names_.Find(server_name)) {
    return {.ec = At(named->ec), .rsa = At(named->rsa)};
  }
  const ServerCertificate* standard = &certificates_.front();
  return standard->type() == crypto::KeyType::kEc ? CertificateChoice{.ec = standard}
                                                  : CertificateChoice{.rsa = standard};
}

const ServerCertificate* ServerContext::Compiled::At(std::size_t index) const {
  return index == NamedCertificates::kNone ? nullptr : &certificates_[index];
}

Result<std::shared_ptr<const ServerContext>> ServerContext::Create(const ServerSpec& spec,
                                                                   TicketKeys& keys) {
  ELB_ASSIGN_OR_RETURN(auto compiled, Compiled::Create(spec, keys));
  return std::make_shared<const ServerContext>(std::move(compiled));
}

ServerContext::ServerContext(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}

ServerContext::~ServerContext() = default;

const std::vector<std::string>& ServerContext::effective_ciphers() const {
  return compiled_->policy().effective_ciphers();
}

}  // namespace elb::tls
