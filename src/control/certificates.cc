#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/rules.h"
#include "control/services.h"
#include "crypto/certificate.h"

namespace elb::control {
namespace {

using model::Certificate;

/// Parses certificate and key, checks that they fit, and keeps what the certificate says.
Result<void> Inspect(Certificate& certificate) {
  const bool server = certificate.type == "server";
  ELB_ASSIGN_OR_RETURN(const auto parsed,
                       crypto::ParsedCertificate::Parse(
                           certificate.certificate, server ? crypto::CertificateUse::kServer
                                                           : crypto::CertificateUse::kClientCa));
  if (server) {
    ELB_ASSIGN_OR_RETURN(const auto key, crypto::ParsedKey::Parse(certificate.private_key));
    ELB_RETURN_IF_ERROR(crypto::CheckKeyMatches(*parsed, *key));
  }
  const crypto::CertificateFacts& leaf = parsed->leaf();
  certificate.expire_time = TimeText(
      WallTime(std::chrono::duration_cast<WallTime::duration>(leaf.not_after.time_since_epoch())));
  certificate.common_name = leaf.common_name;
  certificate.fingerprint = leaf.fingerprint_sha256;
  certificate.subject_alternative_names = leaf.names;
  certificate.key_type = leaf.key_type == crypto::KeyType::kEc ? "EC" : "RSA";
  return {};
}

/// Paths of the parser become those of the request.
Result<void> InspectWithPath(Certificate& certificate) {
  Result<void> result = Inspect(certificate);
  if (!result) {
    result.error().path = "certificate." + result.error().path;
  }
  return result;
}

/// The first of `names` that another certificate of the listener's SNI set carries with the same
/// kind of key; empty: none.
std::string TakenName(const State& state, const model::Listener& listener, const Certificate& after,
                      const std::vector<std::string>& names) {
  for (const std::string& other_id : listener.sni_container_refs) {
    const Certificate* other = state.certificates.Find(other_id);
    if (other == nullptr || other_id == after.identity.id || other->key_type != after.key_type) {
      continue;
    }
    for (std::string& name : other->Domains()) {
      if (std::ranges::find(names, name) != names.end()) {
        return std::move(name);
      }
    }
  }
  return {};
}

/// Changed names must not break a listener that chooses by them (api-v3.md 2.6).
Result<void> CheckSniUsers(const State& state, const Certificate& after) {
  const std::vector<std::string> names = after.Domains();
  for (const auto& [sequence, id] : state.By(kListenersOfCertificate, after.identity.id)) {
    const model::Listener* listener = state.listeners.Find(id);
    if (std::ranges::find(listener->sni_container_refs, after.identity.id) ==
        listener->sni_container_refs.end()) {
      continue;
    }
    const Blocker blocker{.kind = "listener", .id = id, .name = listener->name};
    if (names.empty()) {
      return Blocked("the certificate is used for SNI and needs a domain", {blocker});
    }
    if (const std::string taken = TakenName(state, *listener, after, names); !taken.empty()) {
      return Blocked(fmt::format("domain {} is carried by another certificate there", taken),
                     {blocker});
    }
  }
  return {};
}

}  // namespace

Result<std::string> CreateCertificate(Draft& draft, UseCase& use, const Json& body) {
  Certificate certificate;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::CertificateSchema(), body, &certificate));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "certificate"));
  ELB_RETURN_IF_ERROR(CheckCertificate(certificate));
  if (certificate.type == "client") {
    certificate.private_key.clear();
  }
  ELB_RETURN_IF_ERROR(InspectWithPath(certificate));
  ELB_RETURN_IF_ERROR(CheckQuota(*use.node, "certificate",
                                 draft.state().certificates.In(use.caller->project).size()));
  certificate.identity.id = NewHex32(draft.random());
  certificate.identity.project_id = use.caller->project;
  std::string id = certificate.identity.id;
  draft.Create(std::move(certificate));
  return id;
}

Result<void> UpdateCertificate(Draft& draft, UseCase& use, const std::string& id,
                               const Json& body) {
  const State& state = draft.state();
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<Certificate>(state, use, id, "", ErrorKind::kNotFound));
  Certificate after = *before;
  Json request = body;
  if (const auto key = request.find("private_key"); key != request.end() && key->is_null()) {
    request.erase(key);  // Callers who may not see the key send null back: unchanged.
  }
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::CertificateSchema(), request, &after));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckCertificate(after));
  if (after.type == "client") {
    after.private_key.clear();
  }
  if (after.certificate != before->certificate || after.private_key != before->private_key) {
    ELB_RETURN_IF_ERROR(InspectWithPath(after));
  }
  if (after.domain != before->domain || after.key_type != before->key_type) {
    ELB_RETURN_IF_ERROR(CheckSniUsers(state, after));
  }
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteCertificate(Draft& draft, UseCase& use, const std::string& id) {
  ELB_RETURN_IF_ERROR(Require<Certificate>(draft.state(), use, id, "", ErrorKind::kNotFound));
  std::vector<Blocker> users =
      ListenersInTheWay(draft.state(), draft.state().By(kListenersOfCertificate, id));
  if (!users.empty()) {
    return Blocked("the certificate is in use", std::move(users));
  }
  draft.Delete<Certificate>(id);
  return {};
}

Json ShowCertificate(const Certificate& certificate, const Caller& caller) {
  Json shown = ShownFields(certificate);
  if (!caller.sees_private_keys) {
    shown["private_key"] = nullptr;
  }
  shown["enterprise_project_id"] = "0";
  AddIdentity(certificate.identity, shown);
  return shown;
}

}  // namespace elb::control
