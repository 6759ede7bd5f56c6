#pragma once

// OpenSSL's objects inside tls/. Nobody else includes this.

#include <memory>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "crypto/openssl_types.h"

namespace elb::tls {

using SslPointer = std::unique_ptr<SSL, crypto::OpenSslFree<&SSL_free>>;
using SslContextPointer = std::unique_ptr<SSL_CTX, crypto::OpenSslFree<&SSL_CTX_free>>;

/// Frees a stack of certificates and its references to them.
struct FreeCertificateStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, &X509_free); }
};
using CertificateStackPointer = std::unique_ptr<STACK_OF(X509), FreeCertificateStack>;

}  // namespace elb::tls
