#pragma once

#include <string>
#include <vector>

#include "model/common.h"
#include "model/field.h"

namespace elb::model {

// Fields that several resources have in common (api-v3.md 1.5, api-extensions.md 1.1).

/// `[{"id": ...}]`: back references.
[[nodiscard]] const Schema& ReferenceSchema();

/// `id`, `project_id`, `created_at`, `updated_at`.
[[nodiscard]] std::vector<FieldSpec> IdentityFields();

/// `revision` and `managed_by`, which every `extensions` object holds.
[[nodiscard]] std::vector<FieldSpec> ExtensionsBase();

/// `extensions` of a resource that has nothing of its own in it.
[[nodiscard]] FieldSpec ExtensionsField();

template <typename Owner>
[[nodiscard]] FieldSpec NameField(std::string Owner::* member, const std::string& noun) {
  return Field("name", member)
      .Label("Name")
      .Range(0, kTextMax)
      .OnNull(Null::kClear)
      .Set(Access::kCreateAndUpdate)
      .Doc("Name of the " + noun + "; need not be unique.");
}

template <typename Owner>
[[nodiscard]] FieldSpec DescriptionField(std::string Owner::* member, const std::string& noun) {
  return Field("description", member)
      .Label("Description")
      .Range(0, kTextMax)
      .OnNull(Null::kClear)
      .Set(Access::kCreateAndUpdate)
      .Doc("Supplementary information about the " + noun + ".");
}

/// `admin_state_up` of resources that cannot be switched off.
template <typename Owner>
[[nodiscard]] FieldSpec AlwaysUpField(bool Owner::* member, Access access) {
  return Field("admin_state_up", member)
      .Label("Enabled")
      .Set(access)
      .Doc("Administrative status; only true is accepted.");
}

template <typename Owner>
[[nodiscard]] std::vector<FieldSpec> ProtectionFields(std::string Owner::* status,
                                                      std::string Owner::* reason) {
  return {
      Field("protection_status", status)
          .Label("Modification Protection")
          .OneOf({"nonProtection", "consoleProtection"})
          .Set(Access::kCreateAndUpdate)
          .Doc("With consoleProtection consoles refuse changes; API calls keep working."),
      Field("protection_reason", reason)
          .Label("Protection Reason")
          .Range(0, kTextMax)
          .Pattern("[^<>]*")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc(
              "Why the object is protected; cleared with the protection. < and > are not allowed."),
  };
}

template <typename Owner>
[[nodiscard]] FieldSpec TagsField(std::vector<Tag> Owner::* member) {
  return Field("tags", member, TagSchema())
      .Label("Tag")
      .Range(0, 20)
      .OnNull(Null::kClear)
      .Set(Access::kCreate)
      .Doc("Tags with unique keys; later changes go through the tag calls.");
}

}  // namespace elb::model
