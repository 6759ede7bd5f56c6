#include "model/json_schema.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "model/document.h"

namespace elb::model {
namespace {

constexpr const char* kSince = "0.1.0";

bool MayBeNull(const FieldSpec& field, View view) {
  if (view == View::kResponse) {
    return field.null_when_empty || field.type == ValueType::kOptionalNumber ||
           field.type == ValueType::kOptionalFlag;
  }
  return !field.required && field.on_null != Null::kRefuse;
}

void AddBounds(const FieldSpec& field, const char* least, const char* most, Json& out) {
  const bool is_value =
      field.type == ValueType::kNumber || field.type == ValueType::kOptionalNumber;
  if (is_value ? field.min > std::numeric_limits<std::int64_t>::min() : field.min > 0) {
    out[least] = field.min;
  }
  if (field.max < std::numeric_limits<std::int64_t>::max()) {
    out[most] = field.max;
  }
}

Json TextSchema(const FieldSpec& field, View view, bool element) {
  Json out{{"type", "string"}};
  const bool empty = field.empty_clears && !element;
  if (!field.choices.empty()) {
    out["enum"] = field.choices;
    if (empty && view != View::kResponse) {
      out["enum"].push_back("");
    }
  }
  if (view == View::kResponse) {
    return out;
  }
  if (!element) {
    AddBounds(field, "minLength", "maxLength", out);
    if (empty) {
      out.erase("minLength");
    }
  }
  if (!field.pattern.empty()) {
    out["pattern"] = (empty ? "^(?:|" : "^(?:") + field.pattern + ")$";
  }
  return out;
}

Json NumberSchema(const FieldSpec& field, View view) {
  Json out{{"type", "integer"}};
  if (field.or_text) {
    out["type"] = Json::array({"integer", "string"});
  }
  if (view != View::kResponse) {
    AddBounds(field, "minimum", "maximum", out);
  }
  return out;
}

Json ListSchema(const FieldSpec& field, Json items, View view) {
  Json out{{"type", "array"}, {"items", std::move(items)}};
  if (view != View::kResponse) {
    AddBounds(field, "minItems", "maxItems", out);
    if (field.type == ValueType::kTextList) {
      out["uniqueItems"] = true;
    }
  }
  return out;
}

Json ValueSchema(const FieldSpec& field, View view) {
  switch (field.type) {
    case ValueType::kText:
      return TextSchema(field, view, false);
    case ValueType::kFlag:
    case ValueType::kOptionalFlag:
      return {{"type", "boolean"}};
    case ValueType::kNumber:
    case ValueType::kOptionalNumber:
      return NumberSchema(field, view);
    case ValueType::kTextList:
      return ListSchema(field, TextSchema(field, view, true), view);
    case ValueType::kObject:
    case ValueType::kObjectList:
    case ValueType::kCustom:
      break;
  }
  // What is always made anew has the mandatory fields of a create request.
  const bool anew = IsList(field) || field.replaces;
  Json nested = ObjectSchema(*field.object, view == View::kUpdate && anew ? View::kCreate : view);
  if (field.type == ValueType::kCustom && !IsList(field)) {
    nested.erase("required");
  }
  return IsList(field) ? ListSchema(field, std::move(nested), view) : nested;
}

void AllowNull(Json& out) {
  if (out["type"].is_string()) {
    out["type"] = Json::array({out["type"], "null"});
  } else {
    out["type"].push_back("null");
  }
  if (out.contains("enum")) {
    out["enum"].push_back(nullptr);
  }
}

Json FieldSchema(const FieldSpec& field, View view) {
  Json out = ValueSchema(field, view);
  if (MayBeNull(field, view)) {
    AllowNull(out);
  }
  out["title"] = field.label;
  std::string description = field.doc;
  if (view == View::kCreate && !field.default_note.empty()) {
    description += " Default: " + field.default_note + ".";
  }
  out["description"] = description;
  if (view == View::kCreate) {
    if (Json value = DefaultOf(field); !value.is_null()) {
      out["default"] = std::move(value);
    }
  }
  if (field.extension) {
    out["x-elb-extension"] = true;
    out["x-elb-since"] = kSince;
  }
  return out;
}

}  // namespace

bool IsIn(const FieldSpec& field, View view) {
  switch (view) {
    case View::kResponse:
      return field.shown();
    case View::kCreate:
      return field.settable();
    case View::kUpdate:
      break;
  }
  return field.access == Access::kCreateAndUpdate;
}

bool IsList(const FieldSpec& field) {
  if (field.type != ValueType::kCustom) {
    return field.type == ValueType::kObjectList || field.type == ValueType::kTextList;
  }
  // A custom value is a list or an object, as its default shows.
  Json value;
  WriteValue(field, field.make_owner().get(), Purpose::kCompared, value);
  return value.is_array();
}

Json DefaultOf(const FieldSpec& field) {
  if (field.life == Life::kDerived || field.required || !field.default_note.empty() ||
      field.type == ValueType::kObject || field.type == ValueType::kCustom) {
    return nullptr;
  }
  Json value;
  WriteValue(field, field.make_owner().get(), Purpose::kCompared, value);
  return value;
}

Json ObjectSchema(const Schema& schema, View view) {
  Json out{{"type", "object"}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const FieldSpec& field : schema.fields()) {
    if (!IsIn(field, view)) {
      continue;
    }
    out["properties"][field.name] = FieldSchema(field, view);
    if (view == View::kResponse || (view == View::kCreate && field.required)) {
      required.push_back(field.name);
    }
  }
  if (!required.empty()) {
    out["required"] = std::move(required);
  }
  if (view != View::kResponse && schema.unknown_keys() == UnknownKeys::kRefuse) {
    out["additionalProperties"] = false;
  }
  return out;
}

}  // namespace elb::model
