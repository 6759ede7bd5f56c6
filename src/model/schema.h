#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "base/id.h"

namespace elb::model {

using Json = nlohmann::ordered_json;

/// Who may set a field.
enum class Access : std::uint8_t { kReadOnly, kCreate, kCreateAndUpdate };

/// What `null` means where a value is expected (api-v3.md 1.7).
enum class Null : std::uint8_t {
  kRefuse,
  kReset,  ///< Back to the default.
  kClear,  ///< Empty, none.
};

/// How a field's value looks in JSON and in memory.
enum class ValueType : std::uint8_t {
  kText,            ///< std::string or an id.
  kFlag,            ///< bool
  kNumber,          ///< std::int64_t
  kOptionalNumber,  ///< std::optional<std::int64_t>
  kOptionalFlag,    ///< std::optional<bool>
  kTextList,        ///< std::vector<std::string>
  kObject,          ///< std::optional<T> with a schema of its own.
  kObjectList,      ///< std::vector<T> with a schema of its own.
};

class Schema;

/// Reaches a nested object or the elements of a list, whatever their type.
struct ObjectAccess {
  std::function<const void*(const void* owner)> get;  ///< Null when there is none.
  std::function<void*(void* owner)> emplace;          ///< Fresh, default-made.
  std::function<void(void* owner)> reset;
  std::function<std::vector<const void*>(const void* owner)> elements;
  std::function<void*(void* owner)> append;
};

/// One field of a resource: the one place where its rules and words live.
struct FieldSpec {
  std::string name;
  std::string label;
  std::string doc;
  ValueType type = ValueType::kText;
  Access access = Access::kReadOnly;
  Null on_null = Null::kRefuse;
  bool required = false;
  bool secret = false;           ///< Sealed in the store, shown as "<secret>" in revisions.
  bool null_when_empty = false;  ///< An empty text is shown as null.
  bool empty_clears = false;     ///< "" is accepted as "none".
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  ///< Value, code points, or size.
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> choices;
  std::string pattern;  ///< RE2, whole value.
  std::function<void*(void* owner)> member;
  const Schema* object = nullptr;
  ObjectAccess object_access;
};

/// Fields of one struct, in the order in which they are shown.
class Schema {
 public:
  Schema(std::string name, std::vector<FieldSpec> fields)
      : name_(std::move(name)), fields_(std::move(fields)) {}
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<FieldSpec>& fields() const { return fields_; }
  [[nodiscard]] const FieldSpec* Find(std::string_view field) const;

 private:
  std::string name_;
  std::vector<FieldSpec> fields_;
};

/// Builds a `FieldSpec`: `Field("name", &Listener::name).Length(0, 255).Set(...)`.
class Field {
 public:
  template <typename Owner, typename Member>
  Field(std::string name, Member Owner::* member) {
    spec_.name = std::move(name);
    spec_.type = TypeOf<Member>();
    spec_.member = [member](void* owner) -> void* {
      return &(static_cast<Owner*>(owner)->*member);
    };
  }
  /// A nested object that may be absent.
  template <typename Owner, typename Member>
  Field(std::string name, std::optional<Member> Owner::* member, const Schema& schema) {
    spec_.name = std::move(name);
    spec_.type = ValueType::kObject;
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
    spec_.name = std::move(name);
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

  Field&& Label(std::string text) && {
    spec_.label = std::move(text);
    return std::move(*this);
  }
  Field&& Doc(std::string text) && {
    spec_.doc = std::move(text);
    return std::move(*this);
  }
  Field&& Set(Access access) && {
    spec_.access = access;
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
  Field&& OneOf(std::initializer_list<const char*> choices) && {
    spec_.choices.assign(choices.begin(), choices.end());
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
  // NOLINTNEXTLINE(google-explicit-constructor): tables are lists of fields.
  operator FieldSpec() && { return std::move(spec_); }

 private:
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

/// Fields of a request that were present, by name: `null` and equal values included.
using Given = std::vector<std::string>;
[[nodiscard]] bool WasGiven(const Given& given, std::string_view field);

}  // namespace elb::model
