#include "control/documents.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <type_traits>

namespace elb::control {
namespace {

using model::Json;
using model::Purpose;

/// Fields that are stored but not part of the table.
template <typename T>
void WriteExtras(const T& object, Json& out) {
  if constexpr (std::is_same_v<T, model::LoadBalancer>) {
    out["eip_id"] = object.eip_id;
    out["eip_address"] = object.eip_address;
  } else if constexpr (std::is_same_v<T, model::Member>) {
    model::Write(model::MemberInternalSchema(), &object, Purpose::kStored, out);
  } else if constexpr (std::is_same_v<T, model::Certificate>) {
    out["key_type"] = object.key_type;
  } else if constexpr (std::is_same_v<T, model::L7Rule>) {
    model::Write(model::L7RuleInternalSchema(), &object, Purpose::kStored, out);
  }
}

template <typename T>
void ReadExtras(const Json& stored, T& object) {
  const auto text = [&](const char* name) { return stored.value(name, std::string()); };
  if constexpr (std::is_same_v<T, model::LoadBalancer>) {
    object.eip_id = text("eip_id");
    object.eip_address = text("eip_address");
  } else if constexpr (std::is_same_v<T, model::Member>) {
    model::ReadStored(model::MemberInternalSchema(), stored, &object);
  } else if constexpr (std::is_same_v<T, model::Certificate>) {
    object.key_type = text("key_type");
  } else if constexpr (std::is_same_v<T, model::L7Rule>) {
    model::ReadStored(model::L7RuleInternalSchema(), stored, &object);
  }
}

}  // namespace

template <>
const model::Schema& SchemaOf<model::LoadBalancer>() {
  return model::LoadBalancerSchema();
}
template <>
const model::Schema& SchemaOf<model::Listener>() {
  return model::ListenerSchema();
}
template <>
const model::Schema& SchemaOf<model::Pool>() {
  return model::PoolSchema();
}
template <>
const model::Schema& SchemaOf<model::Member>() {
  return model::MemberSchema();
}
template <>
const model::Schema& SchemaOf<model::HealthMonitor>() {
  return model::HealthMonitorSchema();
}
template <>
const model::Schema& SchemaOf<model::Certificate>() {
  return model::CertificateSchema();
}
template <>
const model::Schema& SchemaOf<model::IpGroup>() {
  return model::IpGroupSchema();
}
template <>
const model::Schema& SchemaOf<model::Logtank>() {
  return model::LogtankSchema();
}
template <>
const model::Schema& SchemaOf<model::SecurityPolicy>() {
  return model::SecurityPolicySchema();
}
template <>
const model::Schema& SchemaOf<model::L7Policy>() {
  return model::L7PolicySchema();
}
template <>
const model::Schema& SchemaOf<model::L7Rule>() {
  return model::L7RuleSchema();
}
template <>
const model::Schema& SchemaOf<model::Eip>() {
  return model::EipDocumentSchema();
}

template <typename T>
store::Document ToDocument(const T& object, std::uint64_t sequence) {
  Json json = Json::object();
  model::Write(SchemaOf<T>(), &object, Purpose::kStored, json);
  WriteExtras(object, json);
  json["created_at"] = object.identity.created_at;
  json["updated_at"] = object.identity.updated_at;
  store::Document document;
  document.project = object.identity.project_id;
  document.kind = KindName<T>::kText;
  document.id = object.identity.id;
  document.json = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  document.revision = static_cast<std::uint64_t>(object.identity.revision);
  document.sequence = sequence;
  if constexpr (std::is_same_v<T, model::Certificate>) {
    if (!object.private_key.empty()) {
      document.secrets["private_key"] = object.private_key;
    }
  }
  return document;
}

template <typename T>
Result<T> FromDocument(const store::Document& document) {
  const Json json = Json::parse(document.json, nullptr, false);
  if (!json.is_object()) {
    return Failure(ErrorKind::kStorage, document.id,
                   fmt::format("the stored {} {} cannot be read", document.kind, document.id));
  }
  T object;
  model::ReadStored(SchemaOf<T>(), json, &object);
  ReadExtras(json, object);
  object.identity = {.id = document.id,
                     .project_id = document.project,
                     .created_at = json.value("created_at", std::string()),
                     .updated_at = json.value("updated_at", std::string()),
                     .revision = static_cast<std::int64_t>(document.revision)};
  if constexpr (std::is_same_v<T, model::Certificate>) {
    if (const auto found = document.secrets.find("private_key"); found != document.secrets.end()) {
      object.private_key = found->second;
    }
  }
  return object;
}

template <typename T>
Json OwnFields(const T& object) {
  Json json = Json::object();
  model::Write(SchemaOf<T>(), &object, Purpose::kCompared, json);
  return json;
}

template <typename T>
Json ShownFields(const T& object) {
  Json json = Json::object();
  model::Write(SchemaOf<T>(), &object, Purpose::kResponse, json);
  return json;
}

#define ELB_DOCUMENTS_OF(T)                                                     \
  template store::Document ToDocument(const T& object, std::uint64_t sequence); \
  template Result<T> FromDocument(const store::Document& document);             \
  template model::Json OwnFields(const T& object);                              \
  template model::Json ShownFields(const T& object)
ELB_DOCUMENTS_OF(model::LoadBalancer);
ELB_DOCUMENTS_OF(model::Listener);
ELB_DOCUMENTS_OF(model::Pool);
ELB_DOCUMENTS_OF(model::Member);
ELB_DOCUMENTS_OF(model::HealthMonitor);
ELB_DOCUMENTS_OF(model::Certificate);
ELB_DOCUMENTS_OF(model::IpGroup);
ELB_DOCUMENTS_OF(model::SecurityPolicy);
ELB_DOCUMENTS_OF(model::Logtank);
ELB_DOCUMENTS_OF(model::L7Policy);
ELB_DOCUMENTS_OF(model::L7Rule);
ELB_DOCUMENTS_OF(model::Eip);
#undef ELB_DOCUMENTS_OF

}  // namespace elb::control
