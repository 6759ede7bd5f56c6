#include "tls/client_verification.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace elb::tls {
namespace {

constexpr const char* kField = "client_ca_tls_container_ref";

/// Intermediates between leaf and anchor: a chain of 11 certificates has 9.
constexpr int kIntermediatesMax = static_cast<int>(crypto::kChainMax) - 2;

bool IsMd5(const X509* certificate) {
  const int signature = X509_get_signature_nid(certificate);
  return signature == NID_md5WithRSAEncryption || signature == NID_md5WithRSA;
}

/// The configured end of the chain, which is trusted for what the user says, not for what it says.
bool IsAnchor(X509_STORE_CTX* verification) {
  const int last = sk_X509_num(X509_STORE_CTX_get0_chain(verification)) - 1;
  return X509_STORE_CTX_get_error_depth(verification) == last;
}

bool Has(const X509* certificate, int extension) {
  return X509_get_ext_by_NID(certificate, extension, -1) >= 0;
}

/// Anchors that say nothing about their purpose, as those of X.509 version 1 cannot. Leaves are
/// judged by what they say even if they are anchors themselves.
bool IsSilentAnchor(X509_STORE_CTX* verification) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  return certificate != nullptr && IsAnchor(verification) &&
         X509_STORE_CTX_get_error_depth(verification) > 0 &&
         !Has(certificate, NID_basic_constraints) && !Has(certificate, NID_ext_key_usage);
}

/// Corrects OpenSSL's judgement of one certificate: anchors need no basicConstraints, a signature
/// by another CA of the same name is an unknown CA, MD5 is worth nothing.
int Judge(int preverified, X509_STORE_CTX* verification) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  switch (X509_STORE_CTX_get_error(verification)) {
    case X509_V_OK:
      if (certificate != nullptr && IsMd5(certificate) && !IsAnchor(verification)) {
        X509_STORE_CTX_set_error(verification, X509_V_ERR_CA_MD_TOO_WEAK);
        return 0;
      }
      return preverified;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_PURPOSE:
      if (IsSilentAnchor(verification)) {
        X509_STORE_CTX_set_error(verification, X509_V_OK);
        return 1;
      }
      return preverified;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      X509_STORE_CTX_set_error(verification, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE);
      return preverified;
    default:
      return preverified;
  }
}

}  // namespace

Result<void> RequireClientCertificates(SSL_CTX& context, const crypto::ParsedCertificate& anchors) {
  ERR_clear_error();
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    X509* anchor = anchors.handles().certificate(i);
    if (X509_STORE_add_cert(store, anchor) != 1) {
      sk_X509_NAME_pop_free(names, &X509_NAME_free);
      ERR_clear_error();
      return Failure(ErrorKind::kUnusableCaCertificate, kField, "a CA certificate is unusable");
    }
    sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(anchor)));
  }
  SSL_CTX_set_client_CA_list(&context, names);
  SSL_CTX_set_verify_depth(&context, kIntermediatesMax);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &Judge);
  return {};
}

}  // namespace elb::tls
