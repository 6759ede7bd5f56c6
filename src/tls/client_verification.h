#pragma once

#include "base/error.h"
#include "crypto/certificate.h"
#include "tls/openssl_handles.h"

namespace elb::tls {

/// Makes `context` ask every client for a certificate that leads to one of `anchors`, and fail the
/// handshake otherwise (data-plane.md 2.6). Errors: path `client_ca_tls_container_ref`.
[[nodiscard]] Result<void> RequireClientCertificates(SSL_CTX& context,
                                                     const crypto::ParsedCertificate& anchors);

}  // namespace elb::tls
