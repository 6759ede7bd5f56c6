#pragma once

#include "tls/openssl_handles.h"
#include "tls/server_stream.h"

namespace elb::tls {

/// The facts of a certificate that a client presented.
[[nodiscard]] ClientCertificateFacts DescribeClientCertificate(X509* certificate);

}  // namespace elb::tls
