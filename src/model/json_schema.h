#pragma once

#include "model/schema.h"

namespace elb::model {

/// Which of a table's fields a description is about.
enum class View : std::uint8_t { kResponse, kCreate, kUpdate };

/// Has `field` a place in that view?
[[nodiscard]] bool IsIn(const FieldSpec& field, View view);

/// Is the value a list, whatever its form in memory?
[[nodiscard]] bool IsList(const FieldSpec& field);

/// The field's initialiser as JSON; null when it has none or words describe it.
[[nodiscard]] Json DefaultOf(const FieldSpec& field);

/// JSON Schema (2020-12, as OpenAPI 3.1 has it) of the objects of a table.
[[nodiscard]] Json ObjectSchema(const Schema& schema, View view);

}  // namespace elb::model
