#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "base/id.h"

namespace elb::model {

using Json = nlohmann::ordered_json;

/// Who may set a field.
enum class Access : std::uint8_t { kReadOnly, kCreate, kCreateAndUpdate };

/// Where a field's value lives.
enum class Life : std::uint8_t {
  kKept,     ///< Stored and shown.
  kHidden,   ///< Stored; responses show it in another form.
  kRequest,  ///< Only in requests: neither stored nor shown.
  kDerived,  ///< Only in responses: computed from other objects, without a member.
};

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
  kObject,          ///< T or std::optional<T> with a schema of its own.
  kObjectList,      ///< std::vector<T> with a schema of its own.
  kCustom,          ///< Read and written by functions of the resource.
};

/// What `Write` is for.
enum class Purpose : std::uint8_t {
  kResponse,
  kStored,    ///< Without secrets.
  kCompared,  ///< Everything that revisions compare.
};

/// What happens to keys that a table does not have (api-v3.md 1.6, api-extensions.md 1.2).
enum class UnknownKeys : std::uint8_t { kIgnore, kRefuse };

class Schema;

/// Reaches a nested object or the elements of a list, whatever their type.
struct ObjectAccess {
  std::function<const void*(const void* owner)> get;  ///< Null when there is none.
  std::function<void*(void* owner)> emplace;          ///< Fresh, default-made.
  std::function<void(void* owner)> reset;             ///< None, or default-made where it must be.
  std::function<std::vector<const void*>(const void* owner)> elements;
  std::function<void*(void* owner)> append;
};

/// Reads and writes what no common form fits.
struct CustomAccess {
  /// `value` may be null. Errors carry `path` or a path below it.
  std::function<Result<void>(const Json& value, const std::string& path, void* owner)> read;
  std::function<void(const void* owner, Purpose purpose, Json& out)> write;
};

/// One field of a resource: the one place where its rules and words live.
struct FieldSpec {
  std::string name;
  std::string label;         ///< As the console calls it.
  std::string doc;           ///< What it means: one or two sentences.
  std::string default_note;  ///< The default where it depends on something, in words.
  ValueType type = ValueType::kText;
  Access access = Access::kReadOnly;
  Life life = Life::kKept;
  Null on_null = Null::kRefuse;
  bool required = false;
  bool secret = false;           ///< Sealed in the store, shown as "<secret>" in revisions.
  bool null_when_empty = false;  ///< An empty text is shown as null; a derived value may be null.
  bool empty_clears = false;     ///< "" or {} is accepted as "none".
  bool replaces = false;         ///< An object given in an update replaces the stored one.
  bool or_text = false;          ///< A number that may come as a decimal string.
  bool extension = false;        ///< Not of the vendor's API.
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  ///< Value, code points, or size.
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> choices;  ///< Of the value, or of each element.
  std::string pattern;               ///< RE2, whole value or each element.
  std::function<void*(void* owner)> member;
  std::function<void(void* owner)> reset;  ///< Gives the member its initialiser's value.
  std::function<std::shared_ptr<void>()> make_owner;
  const Schema* object = nullptr;
  ObjectAccess object_access;
  CustomAccess custom;

  [[nodiscard]] bool settable() const { return access != Access::kReadOnly; }
  [[nodiscard]] bool shown() const { return life == Life::kKept || life == Life::kDerived; }
};

/// Fields of one struct, in the order in which they are shown.
class Schema {
 public:
  Schema(std::string name, std::vector<FieldSpec> fields,
         UnknownKeys unknown_keys = UnknownKeys::kIgnore)
      : name_(std::move(name)), fields_(std::move(fields)), unknown_keys_(unknown_keys) {}
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<FieldSpec>& fields() const { return fields_; }
  [[nodiscard]] UnknownKeys unknown_keys() const { return unknown_keys_; }
  /// The first field of that name; null when there is none.
  [[nodiscard]] const FieldSpec* Find(std::string_view field) const;

 private:
  std::string name_;
  std::vector<FieldSpec> fields_;
  UnknownKeys unknown_keys_;
};

/// One table out of several parts.
[[nodiscard]] std::vector<FieldSpec> Concat(std::vector<std::vector<FieldSpec>> parts);

/// Fields of a request that were present, by name: `null` and equal values included.
using Given = std::vector<std::string>;
[[nodiscard]] bool WasGiven(const Given& given, std::string_view field);

/// Length in code points; -1 when `text` is not UTF-8.
[[nodiscard]] std::int64_t CodePoints(std::string_view text);

}  // namespace elb::model
