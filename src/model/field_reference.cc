#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "model/json_schema.h"
#include "model/reference.h"
#include "model/resources.h"

namespace elb::model {
namespace {

std::string Escape(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, 1, '\\');
  }
  return text;
}

std::string TypeText(const FieldSpec& field) {
  switch (field.type) {
    case ValueType::kText:
      return "string";
    case ValueType::kFlag:
    case ValueType::kOptionalFlag:
      return "boolean";
    case ValueType::kNumber:
    case ValueType::kOptionalNumber:
      return field.or_text ? "integer or decimal string" : "integer";
    case ValueType::kTextList:
      return "list of strings";
    case ValueType::kObject:
      return "object";
    case ValueType::kObjectList:
      return "list of objects";
    case ValueType::kCustom:
      break;
  }
  return IsList(field) ? "list of objects" : "object";
}

std::string AccessText(const FieldSpec& field) {
  if (!field.settable()) {
    return "read-only";
  }
  const std::string create = field.required ? "create (mandatory)" : "create";
  return field.access == Access::kCreate ? create : create + ", update";
}

std::string DefaultText(const FieldSpec& field) {
  if (!field.settable() || field.required) {
    return "";
  }
  if (!field.default_note.empty()) {
    return field.default_note;
  }
  if (field.type == ValueType::kObject) {
    return field.null_when_empty ? "none" : "see its fields";
  }
  const Json value = DefaultOf(field);
  return value.is_null() ? "none" : fmt::format("`{}`", value.dump());
}

std::string NullText(const FieldSpec& field) {
  if (!field.settable()) {
    return "";
  }
  if (field.required || field.on_null == Null::kRefuse) {
    return "refused";
  }
  return field.on_null == Null::kReset ? "default" : "none";
}

std::string RangeText(const FieldSpec& field) {
  if (!field.choices.empty()) {
    return fmt::format("`{}`", fmt::join(field.choices, "` `"));
  }
  const bool text = field.type == ValueType::kText;
  std::string range;
  if (field.max < std::numeric_limits<std::int64_t>::max()) {
    const std::string_view of_text = text ? " characters" : "";
    range = fmt::format("{} to {}{}", field.min, field.max, IsList(field) ? " entries" : of_text);
  }
  if (!field.pattern.empty()) {
    range += fmt::format("{}``{}``", range.empty() ? "" : ", ", field.pattern);
  }
  return range;
}

void AddRows(const Schema& schema, const std::string& prefix, std::string& out) {
  for (const FieldSpec& field : schema.fields()) {
    const std::string name = prefix + field.name;
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", name, TypeText(field),
                       AccessText(field), Escape(DefaultText(field)), NullText(field),
                       Escape(RangeText(field)), Escape(field.doc));
    const bool inner = field.object != nullptr && field.object->name() != "reference" &&
                       field.object->name() != "rule";
    if (inner) {
      AddRows(*field.object, name + (IsList(field) ? "[]." : "."), out);
    }
  }
}

}  // namespace

std::string FieldReferenceText() {
  std::string out =
      "# Fields of every resource\n\n"
      "Generated from the field tables in `src/model` by `elb_reference`; do not edit.\n\n"
      "*Null* says what `null` does in an update: the value becomes its default, none, or the\n"
      "request is refused. A field that only *create* may set is ignored in an update when it\n"
      "equals what is stored, and refused otherwise.\n";
  for (const Resource& resource : Resources()) {
    out += fmt::format("\n## {} (`{}`)\n\n", resource.noun, resource.singular);
    out += "| Field | Type | Set by | Default | Null | Values | Meaning |\n";
    out += "|---|---|---|---|---|---|---|\n";
    AddRows(resource.schema(), "", out);
  }
  return out;
}

}  // namespace elb::model
