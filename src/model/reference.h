#pragma once

#include <string>

namespace elb::model {

/// The API description (OpenAPI 3.1) as `api/openapi.json` holds it and `/openapi.json` serves it:
/// schemas of every resource, paths of those that are served.
[[nodiscard]] std::string OpenApiText();

/// `docs/reference/fields.md`: one table of fields per resource.
[[nodiscard]] std::string FieldReferenceText();

}  // namespace elb::model
