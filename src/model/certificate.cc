#include "model/certificate.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>

#include "model/common_fields.h"

namespace elb::model {
namespace {

constexpr std::size_t kDomainsMax = 100;
constexpr std::size_t kDomainLengthMax = 100;

}  // namespace

const Schema& CertificateSchema() {
  using T = Certificate;
  static const Schema schema{
      "certificate", Concat({IdentityFields(),
                             {
                                 NameField(&T::name, "certificate"),
                                 DescriptionField(&T::description, "certificate"),
                                 Field("type", &T::type)
                                     .Label("Type")
                                     .OneOf({"server", "client"})
                                     .Set(Access::kCreate)
                                     .Doc("server, or client for a CA certificate."),
                                 Field("domain", &T::domain)
                                     .Label("Domain Name")
                                     .Range(0, 10000)
                                     .OnNull(Null::kClear)
                                     .EmptyClears()
                                     .NullWhenEmpty()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Up to 100 comma-separated names for SNI, *. allowed in "
                                          "front; type server only."),
                                 Field("certificate", &T::certificate)
                                     .Label("Certificate Content")
                                     .Range(1, 65536)
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("PEM: leaf first, then its chain; 1 to 11 certificates."),
                                 Field("private_key", &T::private_key)
                                     .Label("Private Key")
                                     .Range(1, 8192)
                                     .OnNull(Null::kReset)
                                     .EmptyClears()
                                     .NullWhenEmpty()
                                     .Secret()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("PEM of the unencrypted private key; mandatory for type "
                                          "server. Shown only to callers "
                                          "that may write certificates."),
                                 AlwaysUpField(&T::admin_state_up, Access::kCreate),
                                 Field("expire_time", &T::expire_time)
                                     .Label("Expires")
                                     .Doc("End of the certificate's validity."),
                                 Field("common_name", &T::common_name)
                                     .Label("Common Name")
                                     .Doc("Common name of the certificate."),
                                 Field("fingerprint", &T::fingerprint)
                                     .Label("Fingerprint")
                                     .Doc("SHA-256 of the certificate."),
                                 Field("subject_alternative_names", &T::subject_alternative_names)
                                     .Label("Subject Alternative Names")
                                     .Doc("Names in the certificate."),
                                 Field::Derived("enterprise_project_id", ValueType::kText)
                                     .Label("Enterprise Project")
                                     .Doc("Always 0."),
                                 ExtensionsField(),
                             }})};
  return schema;
}

std::vector<std::string> Certificate::Domains() const {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin < domain.size()) {
    const std::size_t end = std::min(domain.find(',', begin), domain.size());
    std::string entry = domain.substr(begin, end - begin);
    for (char& letter : entry) {
      letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    names.push_back(std::move(entry));
    begin = end + 1;
  }
  return names;
}

Result<void> CheckCertificate(const Certificate& certificate) {
  if (!certificate.admin_state_up) {
    return Invalid("certificate.admin_state_up", "admin_state_up must be true");
  }
  if (certificate.type == "server" && certificate.private_key.empty()) {
    return Failure(ErrorKind::kMissing, "certificate.private_key",
                   "a server certificate needs its private key");
  }
  if (certificate.type == "client" && !certificate.domain.empty()) {
    return Invalid("certificate.domain", "domain is for server certificates only");
  }
  static const re2::RE2 name_form(
      R"((\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)");
  if (certificate.domain.ends_with(',')) {
    return Invalid("certificate.domain", "domain ends with a comma");
  }
  const std::vector<std::string> names = certificate.Domains();
  if (names.size() > kDomainsMax) {
    return Invalid("certificate.domain", "domain has more than 100 names");
  }
  for (const std::string& name : names) {
    if (name.size() > kDomainLengthMax || !re2::RE2::FullMatch(name, name_form)) {
      return Invalid("certificate.domain", fmt::format("'{}' is not a domain name", name));
    }
  }
  return {};
}

}  // namespace elb::model
