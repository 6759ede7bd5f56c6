#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/schema.h"

namespace elb::model {

/// Builds a `FieldSpec`: `Field("name", &Listener::name).Range(0, 255).Set(...)`.
class Field {
 public:
  template <typename Owner, typename Member>
  Field(std::string name, Member Owner::* member) {
    Bind(std::move(name), member);
    spec_.type = TypeOf<Member>();
  }
  /// A nested object that is always there.
  template <typename Owner, typename Member>
  Field(std::string name, Member Owner::* member, const Schema& schema) {
    Bind(std::move(name), member);
    spec_.type = ValueType::kObject;
    spec_.object = &schema;
    spec_.object_access.get = [member](const void* owner) -> const void* {
      return &(static_cast<const Owner*>(owner)->*member);
    };
    spec_.object_access.emplace = [member](void* owner) -> void* {
      return &(static_cast<Owner*>(owner)->*member = Member{});
    };
    spec_.object_access.reset = spec_.reset;
  }
  /// A nested object that may be absent.
  template <typename Owner, typename Member>
  Field(std::string name, std::optional<Member> Owner::* member, const Schema& schema) {
    Bind(std::move(name), member);
    spec_.type = ValueType::kObject;
    spec_.null_when_empty = true;
    spec_.object = &schema;
    spec_.object_access.get = [member](const void* owner) -> const void* {
      const auto& value = static_cast<const Owner*>(owner)->*member;
      return value ? &*value : nullptr;
    };
    spec_.object_access.emplace = [member](void* owner) -> void* {
      return &(static_cast<Owner*>(owner)->*member).emplace();
    };
    spec_.object_access.reset = [member](void* owner) {
      (static_cast<Owner*>(owner)->*member).reset();
    };
  }
  /// A list of objects.
  template <typename Owner, typename Member>
  Field(std::string name, std::vector<Member> Owner::* member, const Schema& schema) {
    Bind(std::move(name), member);
    spec_.type = ValueType::kObjectList;
    spec_.object = &schema;
    spec_.object_access.elements = [member](const void* owner) {
      std::vector<const void*> all;
      for (const Member& element : static_cast<const Owner*>(owner)->*member) {
        all.push_back(&element);
      }
      return all;
    };
    spec_.object_access.append = [member](void* owner) -> void* {
      return &(static_cast<Owner*>(owner)->*member).emplace_back();
    };
    spec_.object_access.reset = [member](void* owner) {
      (static_cast<Owner*>(owner)->*member).clear();
    };
  }
  /// A value with a form of its own; `schema` describes its keys.
  template <typename Owner, typename Member>
  Field(std::string name, Member Owner::* member, const Schema& schema,
        Result<void> (*read)(const Json& value, const std::string& path, Owner& owner),
        void (*write)(const Owner& owner, Purpose purpose, Json& out)) {
    Bind(std::move(name), member);
    spec_.type = ValueType::kCustom;
    spec_.object = &schema;
    spec_.custom.read = [read](const Json& value, const std::string& path, void* owner) {
      return read(value, path, *static_cast<Owner*>(owner));
    };
    spec_.custom.write = [write](const void* owner, Purpose purpose, Json& out) {
      write(*static_cast<const Owner*>(owner), purpose, out);
    };
  }
  /// What responses show and no member holds.
  [[nodiscard]] static Field Derived(std::string name, ValueType type,
                                     const Schema* object = nullptr) {
    Field field;
    field.spec_.name = std::move(name);
    field.spec_.type = type;
    field.spec_.object = object;
    field.spec_.life = Life::kDerived;
    return field;
  }

  Field&& Label(std::string text) && {
    spec_.label = std::move(text);
    return std::move(*this);
  }
  Field&& Doc(std::string text) && {
    spec_.doc = std::move(text);
    return std::move(*this);
  }
  /// The default in words, where it depends on other fields.
  Field&& DefaultNote(std::string text) && {
    spec_.default_note = std::move(text);
    return std::move(*this);
  }
  Field&& Set(Access access) && {
    spec_.access = access;
    return std::move(*this);
  }
  Field&& Lives(Life life) && {
    spec_.life = life;
    return std::move(*this);
  }
  Field&& Required() && {
    spec_.required = true;
    return std::move(*this);
  }
  Field&& Secret() && {
    spec_.secret = true;
    return std::move(*this);
  }
  Field&& Range(std::int64_t min, std::int64_t max) && {
    spec_.min = min;
    spec_.max = max;
    return std::move(*this);
  }
  Field&& OneOf(std::vector<std::string> choices) && {
    spec_.choices = std::move(choices);
    return std::move(*this);
  }
  Field&& Pattern(std::string pattern) && {
    spec_.pattern = std::move(pattern);
    return std::move(*this);
  }
  Field&& OnNull(Null rule) && {
    spec_.on_null = rule;
    return std::move(*this);
  }
  Field&& NullWhenEmpty() && {
    spec_.null_when_empty = true;
    return std::move(*this);
  }
  Field&& EmptyClears() && {
    spec_.empty_clears = true;
    return std::move(*this);
  }
  Field&& Replaces() && {
    spec_.replaces = true;
    return std::move(*this);
  }
  Field&& Extension() && {
    spec_.extension = true;
    return std::move(*this);
  }
  // NOLINTNEXTLINE(google-explicit-constructor): tables are lists of fields.
  operator FieldSpec() && { return std::move(spec_); }

 private:
  Field() = default;
  template <typename Owner, typename Member>
  void Bind(std::string name, Member Owner::* member) {
    spec_.name = std::move(name);
    spec_.member = [member](void* owner) -> void* {
      return &(static_cast<Owner*>(owner)->*member);
    };
    spec_.reset = [member](void* owner) {
      static_cast<Owner*>(owner)->*member = std::move(Owner{}.*member);
    };
    spec_.make_owner = [] { return std::shared_ptr<void>(std::make_shared<Owner>()); };
  }
  template <typename Member>
  static constexpr ValueType TypeOf() {
    if constexpr (std::is_same_v<Member, std::string>) {
      return ValueType::kText;
    } else if constexpr (std::is_same_v<Member, bool>) {
      return ValueType::kFlag;
    } else if constexpr (std::is_same_v<Member, std::int64_t>) {
      return ValueType::kNumber;
    } else if constexpr (std::is_same_v<Member, std::optional<std::int64_t>>) {
      return ValueType::kOptionalNumber;
    } else if constexpr (std::is_same_v<Member, std::optional<bool>>) {
      return ValueType::kOptionalFlag;
    } else {
      static_assert(std::is_same_v<Member, std::vector<std::string>>, "no JSON form");
      return ValueType::kTextList;
    }
  }
  FieldSpec spec_;
};

}  // namespace elb::model
