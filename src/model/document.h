#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/schema.h"

namespace elb::model {

/// Reads a create request's object into `object`, which holds the defaults. All problems are
/// collected in the error's details; the first one decides. Paths begin with the schema's name.
[[nodiscard]] Result<Given> ReadCreate(const Schema& schema, const Json& body, void* object);

/// Reads an update into `object`, which holds the stored values: absent fields stay, fields that
/// cannot be updated must equal what is stored (api-v3.md 1.7).
[[nodiscard]] Result<Given> ReadUpdate(const Schema& schema, const Json& body, void* object);

/// Adds the fields that `purpose` asks for to `out`. Derived fields are the caller's.
void Write(const Schema& schema, const void* object, Purpose purpose, Json& out);

/// One field's value; not of derived fields.
void WriteValue(const FieldSpec& field, const void* object, Purpose purpose, Json& out);

/// Reads what `Write` stored; unknown and missing fields are ignored, so that old documents stay
/// readable.
void ReadStored(const Schema& schema, const Json& stored, void* object);

/// Changed writable fields between two states, as api-extensions.md 4.1 lists them.
[[nodiscard]] Json ChangedFields(const Schema& schema, const Json& before, const Json& after);

// The same on JSON texts, for those who do not otherwise touch JSON.

/// The object inside `{"<schema's name>": {...}}`; errors (kInvalid) also when it is not there.
[[nodiscard]] Result<Given> ReadCreateText(const Schema& schema, std::string_view text,
                                           void* object);
[[nodiscard]] Result<Given> ReadUpdateText(const Schema& schema, std::string_view text,
                                           void* object);
/// Errors (kInvalid): not a JSON object.
[[nodiscard]] Result<void> ReadStoredText(const Schema& schema, std::string_view text,
                                          void* object);
[[nodiscard]] std::string WriteText(const Schema& schema, const void* object, Purpose purpose);

}  // namespace elb::model
