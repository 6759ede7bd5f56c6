#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "model/resources.h"
#include "model/schema.h"

namespace elb::model {

// What the descriptions of calls in the API description are made of.

/// An answer to a failed call, by its status.
struct ErrorAnswer {
  int status;
  const char* name;
  const char* doc;
};
[[nodiscard]] std::span<const ErrorAnswer> ErrorAnswers();

/// With its article.
[[nodiscard]] std::string One(std::string_view noun);

[[nodiscard]] Json Reference(std::string_view kind, std::string_view name);
[[nodiscard]] Json Described(const char* type, const char* doc);
[[nodiscard]] Json RequestIdProperty();
/// `{"<key>": ..., "request_id": ...}`
[[nodiscard]] Json Envelope(std::string_view key, Json value);
[[nodiscard]] Json Body(Json schema);
/// The operation's request has this body.
void SetRequest(Json schema, Json& operation);
/// The operation's request is `{"<key>": [element, ...]}`, with one element at least.
void SetListRequest(std::string_view key, const Json& element, Json& operation);
[[nodiscard]] Json Success(const char* doc, Json schema);
[[nodiscard]] Json NoContent();
/// Adds the error answers of these statuses and those that every call may give.
void AddErrors(std::initializer_list<int> statuses, Json& responses);

/// `verb` and the resource's type make the operation's id.
[[nodiscard]] Json Operation(const Resource& resource, std::string_view verb,
                             const std::string& summary);
[[nodiscard]] Json ListOperation(const Resource& resource, std::string_view verb);
/// A call with an object of the resource in request and response.
struct WriteForm {
  const char* schema_suffix;  ///< Of the request: `Create`, `Update`.
  const char* status;
};
[[nodiscard]] Json WriteOperation(const Resource& resource, std::string_view verb,
                                  const std::string& summary, const WriteForm& form);

/// Adds the operations of a path, with parameters from the names in braces.
void AddPathAt(const std::string& path, const Json& operations, Json& paths);
/// Likewise, below `/v3/{project_id}/elb/`.
void AddPath(const std::string& below, const Json& operations, Json& paths);

}  // namespace elb::model
