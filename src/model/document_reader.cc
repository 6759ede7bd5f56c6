#include "model/document.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace elb::model {
namespace {

enum class Mode : std::uint8_t { kCreate, kUpdate };

/// Reads one object by its table.
class Reader {
 public:
  Reader(Mode mode, std::vector<ErrorDetail>& problems) : mode_(mode), problems_(problems) {}

  Given Read(const Schema& schema, const Json& body, const std::string& path, void* object) {
    Given given;
    for (const FieldSpec& field : schema.fields()) {
      const auto found = body.find(field.name);
      const std::string field_path = path + '.' + field.name;
      if (found == body.end()) {
        if (field.required && mode_ == Mode::kCreate) {
          Problem(field_path, ErrorKind::kMissing, "is mandatory");
        }
        continue;
      }
      if (!field.settable()) {
        CheckDerivedKeys(field, *found, field_path);
        continue;
      }
      given.push_back(field.name);
      if (mode_ == Mode::kUpdate && field.access == Access::kCreate) {
        CheckUnchanged(field, *found, field_path, object);
      } else {
        ReadValue(field, *found, field_path, object);
      }
    }
    CheckKeys(schema, body, path);
    return given;
  }

 private:
  void CheckKeys(const Schema& schema, const Json& body, const std::string& path) {
    if (schema.unknown_keys() == UnknownKeys::kIgnore) {
      return;
    }
    for (const auto& [key, value] : body.items()) {
      if (schema.Find(key) == nullptr) {
        Bad(fmt::format("{}.{}", path, key), "is not known");
      }
    }
  }

  /// What only responses show is ignored when sent back, but strict objects stay strict.
  void CheckDerivedKeys(const FieldSpec& field, const Json& value, const std::string& path) {
    if (field.object == nullptr || field.object->unknown_keys() == UnknownKeys::kIgnore) {
      return;
    }
    if (value.is_object()) {
      CheckKeys(*field.object, value, path);
    } else if (!value.is_null()) {
      Bad(path, "must be an object");
    }
  }

  void ReadCustom(const FieldSpec& field, const Json& value, const std::string& path,
                  void* object) {
    if (Result<void> read = field.custom.read(value, path, object); !read) {
      problems_.push_back(
          {.path = read.error().path, .kind = read.error().kind, .message = read.error().message});
    }
  }

  void Problem(const std::string& path, ErrorKind kind, std::string_view what) {
    problems_.push_back({.path = path, .kind = kind, .message = fmt::format("{} {}", path, what)});
  }
  void Bad(const std::string& path, std::string_view what) {
    Problem(path, ErrorKind::kInvalid, what);
  }

  void CheckUnchanged(const FieldSpec& field, const Json& value, const std::string& path,
                      void* object) {
    Json stored;
    WriteValue(field, object, Purpose::kCompared, stored);
    const bool equal = stored == value || (stored.is_null() && value.is_string() &&
                                           value.get_ref<const std::string&>().empty());
    if (!equal) {
      Problem(path, ErrorKind::kImmutable, "cannot be changed");
    }
  }

  void ReadNull(const FieldSpec& field, const std::string& path, void* object) {
    if (field.required) {
      Problem(path, ErrorKind::kMissing, "is mandatory and must not be null");
    } else if (field.on_null == Null::kRefuse) {
      Bad(path, "must not be null");
    } else if (field.on_null == Null::kReset) {
      field.reset(object);
    } else {
      Clear(field, object);
    }
  }

  static void Clear(const FieldSpec& field, void* object) {
    switch (field.type) {
      case ValueType::kText:
        static_cast<std::string*>(field.member(object))->clear();
        break;
      case ValueType::kOptionalNumber:
        static_cast<std::optional<std::int64_t>*>(field.member(object))->reset();
        break;
      case ValueType::kOptionalFlag:
        static_cast<std::optional<bool>*>(field.member(object))->reset();
        break;
      case ValueType::kTextList:
        static_cast<std::vector<std::string>*>(field.member(object))->clear();
        break;
      case ValueType::kObject:
      case ValueType::kObjectList:
        field.object_access.reset(object);
        break;
      case ValueType::kFlag:
      case ValueType::kNumber:
      case ValueType::kCustom:
        field.reset(object);
        break;
    }
  }

  void ReadValue(const FieldSpec& field, const Json& value, const std::string& path, void* object) {
    if (field.type == ValueType::kCustom) {
      ReadCustom(field, value, path, object);
      return;
    }
    if (value.is_null()) {
      ReadNull(field, path, object);
      return;
    }
    switch (field.type) {
      case ValueType::kText:
        ReadText(field, value, path, *static_cast<std::string*>(field.member(object)));
        break;
      case ValueType::kFlag:
      case ValueType::kOptionalFlag:
        ReadFlag(field, value, path, field.member(object));
        break;
      case ValueType::kNumber:
      case ValueType::kOptionalNumber:
        ReadNumber(field, value, path, field.member(object));
        break;
      case ValueType::kTextList:
        ReadTextList(field, value, path,
                     *static_cast<std::vector<std::string>*>(field.member(object)));
        break;
      case ValueType::kObject:
        ReadObject(field, value, path, object);
        break;
      case ValueType::kObjectList:
        ReadObjectList(field, value, path, object);
        break;
      case ValueType::kCustom:
        break;
    }
  }

  void ReadText(const FieldSpec& field, const Json& value, const std::string& path,
                std::string& out) {
    if (!value.is_string()) {
      Bad(path, "must be a string");
      return;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() && field.empty_clears) {
      if (field.required) {
        Problem(path, ErrorKind::kMissing, "is mandatory and must not be empty");
      }
      out.clear();
      return;
    }
    if (CheckText(field, text, path)) {
      out = text;
    }
  }

  /// Choices and pattern of one text.
  bool CheckForm(const FieldSpec& field, const std::string& text, const std::string& path) {
    if (!field.choices.empty() && std::ranges::find(field.choices, text) == field.choices.end()) {
      Bad(path, fmt::format("must be one of {}", fmt::join(field.choices, ", ")));
      return false;
    }
    if (!field.pattern.empty() && !re2::RE2::FullMatch(text, field.pattern)) {
      Bad(path, "has characters or a form that is not allowed");
      return false;
    }
    return true;
  }

  bool CheckText(const FieldSpec& field, const std::string& text, const std::string& path) {
    const std::int64_t length = CodePoints(text);
    if (length < 0) {
      Bad(path, "is not valid UTF-8");
      return false;
    }
    if (length < field.min || length > field.max) {
      Bad(path, field.min > 0 ? fmt::format("must have {} to {} characters", field.min, field.max)
                              : fmt::format("must have at most {} characters", field.max));
      return false;
    }
    return CheckForm(field, text, path);
  }

  void ReadFlag(const FieldSpec& field, const Json& value, const std::string& path, void* out) {
    if (!value.is_boolean()) {
      Bad(path, "must be true or false");
    } else if (field.type == ValueType::kFlag) {
      *static_cast<bool*>(out) = value.get<bool>();
    } else {
      *static_cast<std::optional<bool>*>(out) = value.get<bool>();
    }
  }

  void ReadNumber(const FieldSpec& field, const Json& value, const std::string& path, void* out) {
    if (!value.is_number_integer()) {
      Bad(path, "must be an integer");
      return;
    }
    const bool huge = value.is_number_unsigned() &&
                      value.get<std::uint64_t>() >
                          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const std::int64_t number =
        huge ? std::numeric_limits<std::int64_t>::max() : value.get<std::int64_t>();
    if (number < field.min || number > field.max) {
      Bad(path, fmt::format("must be {} to {}", field.min, field.max));
    } else if (field.type == ValueType::kNumber) {
      *static_cast<std::int64_t*>(out) = number;
    } else {
      *static_cast<std::optional<std::int64_t>*>(out) = number;
    }
  }

  void ReadTextList(const FieldSpec& field, const Json& value, const std::string& path,
                    std::vector<std::string>& out) {
    if (!value.is_array()) {
      Bad(path, "must be a list of strings");
      return;
    }
    std::vector<std::string> list;
    for (const Json& element : value) {
      if (!element.is_string()) {
        Bad(fmt::format("{}[{}]", path, list.size()), "must be a string");
        return;
      }
      const std::string element_path = fmt::format("{}[{}]", path, list.size());
      list.push_back(element.get<std::string>());
      if (!CheckForm(field, list.back(), element_path)) {
        return;
      }
      if (std::ranges::count(list, list.back()) > 1) {
        Bad(element_path, "is given twice");
        return;
      }
    }
    if (CheckSize(field, list.size(), path)) {
      out = std::move(list);
    }
  }

  bool CheckSize(const FieldSpec& field, std::size_t size, const std::string& path) {
    const auto count = static_cast<std::int64_t>(size);
    if (count < field.min || count > field.max) {
      Bad(path, field.min > 0 ? fmt::format("must have {} to {} entries", field.min, field.max)
                              : fmt::format("must have at most {} entries", field.max));
      return false;
    }
    return true;
  }

  void ReadObject(const FieldSpec& field, const Json& value, const std::string& path,
                  void* object) {
    if (!value.is_object()) {
      Bad(path, "must be an object");
      return;
    }
    if (value.empty() && field.empty_clears) {
      field.object_access.reset(object);
      return;
    }
    const void* present = field.replaces ? nullptr : field.object_access.get(object);
    void* target =
        present != nullptr ? const_cast<void*>(present) : field.object_access.emplace(object);
    Reader nested(present != nullptr ? mode_ : Mode::kCreate, problems_);
    nested.Read(*field.object, value, path, target);
  }

  void ReadObjectList(const FieldSpec& field, const Json& value, const std::string& path,
                      void* object) {
    if (!value.is_array()) {
      Bad(path, "must be a list");
      return;
    }
    if (!CheckSize(field, value.size(), path)) {
      return;
    }
    field.object_access.reset(object);
    std::size_t index = 0;
    for (const Json& element : value) {
      const std::string element_path = fmt::format("{}[{}]", path, index++);
      if (!element.is_object()) {
        Bad(element_path, "must be an object");
        return;
      }
      Reader nested(Mode::kCreate, problems_);
      nested.Read(*field.object, element, element_path, field.object_access.append(object));
    }
  }

  Mode mode_;
  std::vector<ErrorDetail>& problems_;
};

Result<Given> ReadRequest(Mode mode, const Schema& schema, const Json& body, void* object) {
  if (!body.is_object()) {
    return Invalid(schema.name(), fmt::format("{} must be an object", schema.name()));
  }
  std::vector<ErrorDetail> problems;
  Given given = Reader(mode, problems).Read(schema, body, schema.name(), object);
  if (problems.empty()) {
    return given;
  }
  Error error{.kind = problems.front().kind,
              .path = problems.front().path,
              .message = problems.front().message,
              .details = {},
              .blockers = {}};
  error.details = std::move(problems);
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Given> ReadCreate(const Schema& schema, const Json& body, void* object) {
  return ReadRequest(Mode::kCreate, schema, body, object);
}

Result<Given> ReadUpdate(const Schema& schema, const Json& body, void* object) {
  return ReadRequest(Mode::kUpdate, schema, body, object);
}

}  // namespace elb::model
