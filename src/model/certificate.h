#pragma once

#include <string>
#include <vector>

#include "model/common.h"

namespace elb::model {

/// A server certificate with its key, or a CA certificate for mutual authentication (2.6).
struct Certificate {
  Identity identity;
  std::string name;
  std::string description;
  std::string type = "server";
  std::string domain;
  std::string certificate;
  std::string private_key;
  bool admin_state_up = true;
  // Facts of the certificate.
  std::string expire_time;
  std::string common_name;
  std::string fingerprint;
  std::string key_type;  ///< `RSA` or `EC`.
  std::vector<std::string> subject_alternative_names;

  /// Names of `domain`, lower case.
  [[nodiscard]] std::vector<std::string> Domains() const;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

[[nodiscard]] const Schema& CertificateSchema();
[[nodiscard]] Result<void> CheckCertificate(const Certificate& certificate);

}  // namespace elb::model
