#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "model/schema.h"

namespace elb::model::testing {

/// A file of the repository; `path` from its root. Empty, and a failed test, when there is none.
[[nodiscard]] std::string ReadFile(const std::string& path);

/// `{"<key>": <value>}` with `value` as JSON text.
[[nodiscard]] std::string Envelope(std::string_view key, std::string_view value);
/// What stands below `key` of an object.
[[nodiscard]] std::string ValueOf(std::string_view object, std::string_view key);
[[nodiscard]] std::set<std::string> KeysOf(std::string_view object);
/// The object without some keys.
[[nodiscard]] std::string Without(std::string_view object, const std::set<std::string>& keys);

/// Is every value of `part` in `whole`, too? Lists must be as long. Names the first that is not.
[[nodiscard]] std::string NotIn(std::string_view whole, std::string_view part);

/// A default-made struct of the table.
[[nodiscard]] std::shared_ptr<void> MakeOwner(const Schema& schema);

/// Path, kind and message of the first problem when a request is read: `listener.name` and so on;
/// empty when there is none. `body` is the object inside the envelope.
[[nodiscard]] std::string CreateProblem(const Schema& schema, std::string_view body, void* object);
[[nodiscard]] std::string UpdateProblem(const Schema& schema, std::string_view body, void* object);

/// The path at fault, empty for none.
[[nodiscard]] std::string PathOf(const Result<void>& result);

}  // namespace elb::model::testing
