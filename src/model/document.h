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

/// What `Write` is for.
enum class Purpose { kResponse, kStored };

/// Adds every field to `out`. kStored leaves secrets out and keeps what responses hide.
void Write(const Schema& schema, const void* object, Purpose purpose, Json& out);

/// Reads what `Write` stored; unknown and missing fields are ignored, so that old documents stay
/// readable.
void ReadStored(const Schema& schema, const Json& stored, void* object);

/// Changed writable fields between two states, as api-extensions.md 4.1 lists them.
[[nodiscard]] Json ChangedFields(const Schema& schema, const Json& before, const Json& after);

/// Length in code points; -1 when `text` is not UTF-8.
[[nodiscard]] std::int64_t CodePoints(std::string_view text);

}  // namespace elb::model
