#include "model/common.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/common_fields.h"

namespace elb::model {

const Schema& TagSchema() {
  static const Schema schema{"tag",
                             {
                                 Field("key", &Tag::key)
                                     .Label("Key")
                                     .Range(1, 36)
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Key of the tag, unique within the object."),
                                 Field("value", &Tag::value)
                                     .Label("Value")
                                     .Range(0, 43)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Value of the tag."),
                             }};
  return schema;
}

Result<void> CheckTags(const std::vector<Tag>& tags, const std::string& path) {
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto end = tags.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find_if(tags.begin(), end, [&](const Tag& tag) { return tag.key == tags[i].key; }) !=
        end) {
      return Invalid(fmt::format("{}[{}].key", path, i),
                     fmt::format("tag key {} is given twice", tags[i].key));
    }
  }
  return {};
}

const Schema& ReferenceSchema() {
  static const Schema schema{
      "reference",
      {
          Field::Derived("id", ValueType::kText).Label("ID").Doc("ID of the object referred to."),
      }};
  return schema;
}

std::vector<FieldSpec> IdentityFields() {
  return {
      Field::Derived("id", ValueType::kText).Label("ID").Doc("ID of the object."),
      Field::Derived("project_id", ValueType::kText)
          .Label("Project ID")
          .Doc("Project of the object. In a request it must equal that of the URL."),
      Field::Derived("created_at", ValueType::kText)
          .Label("Created")
          .Doc("When the object was created: UTC, 2024-05-01T10:00:00Z."),
      Field::Derived("updated_at", ValueType::kText)
          .Label("Updated")
          .Doc("When the object last changed: UTC, 2024-05-01T10:00:00Z."),
  };
}

std::vector<FieldSpec> ExtensionsBase() {
  return {
      Field::Derived("revision", ValueType::kNumber)
          .Label("Revision")
          .Extension()
          .Doc("Revision of the project that last changed the object's own fields."),
      Field::Derived("managed_by", ValueType::kText)
          .Label("Managed By")
          .Extension()
          .Doc("Owner of the configuration document that made or adopted the object, else empty."),
  };
}

FieldSpec ExtensionsField() {
  static const Schema schema{"extensions", ExtensionsBase(), UnknownKeys::kRefuse};
  return Field::Derived("extensions", ValueType::kObject, &schema)
      .Label("Extensions")
      .Extension()
      .Doc("What the product offers beyond the vendor's API.");
}

}  // namespace elb::model
