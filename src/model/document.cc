#include "model/document.h"

#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>

namespace elb::model {
namespace {

/// Does a document written for `purpose` have this field?
bool IsWritten(const FieldSpec& field, Purpose purpose) {
  switch (purpose) {
    case Purpose::kResponse:
      return field.life == Life::kKept;
    case Purpose::kStored:
      return !field.secret && (field.life == Life::kKept || field.life == Life::kHidden);
    case Purpose::kCompared:
      break;
  }
  return field.life == Life::kKept || field.life == Life::kHidden;
}

void ReadStoredField(const FieldSpec& field, const Json& value, void* object) {
  switch (field.type) {
    case ValueType::kText:
      if (value.is_string()) {
        *static_cast<std::string*>(field.member(object)) = value.get<std::string>();
      }
      break;
    case ValueType::kFlag:
      if (value.is_boolean()) {
        *static_cast<bool*>(field.member(object)) = value.get<bool>();
      }
      break;
    case ValueType::kNumber:
      if (value.is_number_integer()) {
        *static_cast<std::int64_t*>(field.member(object)) = value.get<std::int64_t>();
      }
      break;
    case ValueType::kOptionalNumber:
      if (value.is_number_integer()) {
        *static_cast<std::optional<std::int64_t>*>(field.member(object)) =
            value.get<std::int64_t>();
      }
      break;
    case ValueType::kOptionalFlag:
      if (value.is_boolean()) {
        *static_cast<std::optional<bool>*>(field.member(object)) = value.get<bool>();
      }
      break;
    case ValueType::kTextList:
      if (value.is_array()) {
        *static_cast<std::vector<std::string>*>(field.member(object)) =
            value.get<std::vector<std::string>>();
      }
      break;
    case ValueType::kObject:
      if (value.is_object()) {
        ReadStored(*field.object, value, field.object_access.emplace(object));
      }
      break;
    case ValueType::kObjectList:
      field.object_access.reset(object);
      for (const Json& element : value) {
        ReadStored(*field.object, element, field.object_access.append(object));
      }
      break;
    case ValueType::kCustom:
      static_cast<void>(field.custom.read(value, field.name, object));
      break;
  }
}

/// The object inside the envelope.
Result<Json> ParseEnvelope(const Schema& schema, std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains(schema.name())) {
    return Invalid(schema.name(), fmt::format("the text needs an object '{}'", schema.name()));
  }
  return std::move(json[schema.name()]);
}

}  // namespace

void WriteValue(const FieldSpec& field, const void* object, Purpose purpose, Json& out) {
  void* owner = const_cast<void*>(object);
  switch (field.type) {
    case ValueType::kText: {
      const auto& text = *static_cast<const std::string*>(field.member(owner));
      if (text.empty() && field.null_when_empty) {
        out = nullptr;
      } else {
        out = text;
      }
      break;
    }
    case ValueType::kFlag:
      out = *static_cast<const bool*>(field.member(owner));
      break;
    case ValueType::kNumber:
      out = *static_cast<const std::int64_t*>(field.member(owner));
      break;
    case ValueType::kOptionalNumber: {
      const auto& number = *static_cast<const std::optional<std::int64_t>*>(field.member(owner));
      out = number ? Json(*number) : Json(nullptr);
      break;
    }
    case ValueType::kOptionalFlag: {
      const auto& flag = *static_cast<const std::optional<bool>*>(field.member(owner));
      out = flag ? Json(*flag) : Json(nullptr);
      break;
    }
    case ValueType::kTextList:
      out = *static_cast<const std::vector<std::string>*>(field.member(owner));
      break;
    case ValueType::kObject: {
      const void* nested = field.object_access.get(object);
      out = nullptr;
      if (nested != nullptr) {
        out = Json::object();
        Write(*field.object, nested, purpose, out);
      }
      break;
    }
    case ValueType::kObjectList:
      out = Json::array();
      for (const void* element : field.object_access.elements(object)) {
        Json shown = Json::object();
        Write(*field.object, element, purpose, shown);
        out.push_back(std::move(shown));
      }
      break;
    case ValueType::kCustom:
      field.custom.write(object, purpose, out);
      break;
  }
}

void Write(const Schema& schema, const void* object, Purpose purpose, Json& out) {
  for (const FieldSpec& field : schema.fields()) {
    if (IsWritten(field, purpose)) {
      WriteValue(field, object, purpose, out[field.name]);
    }
  }
}

void ReadStored(const Schema& schema, const Json& stored, void* object) {
  for (const FieldSpec& field : schema.fields()) {
    const auto found = stored.find(field.name);
    if (found != stored.end() && IsWritten(field, Purpose::kCompared)) {
      ReadStoredField(field, *found, object);
    }
  }
}

Json ChangedFields(const Schema& schema, const Json& before, const Json& after) {
  Json changes = Json::array();
  for (const FieldSpec& field : schema.fields()) {
    if (!field.settable() || !IsWritten(field, Purpose::kCompared)) {
      continue;
    }
    const Json from = before.is_object() ? before.value(field.name, Json()) : Json();
    const Json to = after.is_object() ? after.value(field.name, Json()) : Json();
    if (from == to) {
      continue;
    }
    Json change{{"path", field.name}};
    if (before.is_object()) {
      change["from"] = field.secret ? Json("<secret>") : from;
    }
    change["to"] = field.secret ? Json("<secret>") : to;
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<Given> ReadCreateText(const Schema& schema, std::string_view text, void* object) {
  ELB_ASSIGN_OR_RETURN(const Json body, ParseEnvelope(schema, text));
  return ReadCreate(schema, body, object);
}

Result<Given> ReadUpdateText(const Schema& schema, std::string_view text, void* object) {
  ELB_ASSIGN_OR_RETURN(const Json body, ParseEnvelope(schema, text));
  return ReadUpdate(schema, body, object);
}

Result<void> ReadStoredText(const Schema& schema, std::string_view text, void* object) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Invalid(schema.name(), "the text is not a JSON object");
  }
  ReadStored(schema, json, object);
  return {};
}

std::string WriteText(const Schema& schema, const void* object, Purpose purpose) {
  Json json = Json::object();
  Write(schema, object, purpose, json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace elb::model
