#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace elb::store {

/// Names one document. The views need to live as long as the call they are given to.
struct Key {
  std::string_view project;  ///< Empty: of the installation (users, node settings).
  std::string_view kind;     ///< The resource's word: `listener`, `certificate`, `user`.
  std::string_view id;
  friend bool operator==(const Key&, const Key&) = default;
};

/// Secret fields of a document in plain text, by field name.
using Secrets = std::map<std::string, std::string, std::less<>>;

/// One stored object.
struct Document {
  std::string project;
  std::string kind;
  std::string id;
  std::string json;  ///< Whatever the owner of the kind writes; the store never looks inside.
  /// Kept outside `json`: sealed under the node key before they reach any file.
  Secrets secrets;
  /// Revision of the project that last changed the object's own fields (api-extensions.md 1.1).
  /// Given by the caller, from `Transaction::NextRevision`; 0 for kinds that make no revisions.
  std::uint64_t revision = 0;
  /// Place in the order of creation over all projects and kinds; unique, never used twice. On the
  /// first `Put` 0 means "the next one"; another value brings a deleted document back to its old
  /// place, which the store does not check to be free. Later `Put`s keep the stored one.
  std::uint64_t sequence = 0;
  /// Kept to the millisecond. Later `Put`s keep the stored one.
  WallTime created_at;

  [[nodiscard]] Key key() const { return {.project = project, .kind = kind, .id = id}; }
  friend bool operator==(const Document&, const Document&) = default;
};

/// A value under which a document can be found besides its id. Not unique.
struct IndexKey {
  std::string name;
  std::string value;
  friend bool operator==(const IndexKey&, const IndexKey&) = default;
};

/// Condition of a `Put` or `Delete` on what is stored at that moment. Without one: anything.
using ExpectedRevision = std::optional<std::uint64_t>;
/// Holds when the document does not exist.
inline constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

/// Part of a list in creation order: at most `limit` documents behind `after_sequence`.
struct ListRange {
  std::uint64_t after_sequence = 0;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
};

/// What one accepted write did (api-extensions.md 4.1), as its author described it.
struct RevisionRecord {
  std::uint64_t number = 0;
  std::string json;
  friend bool operator==(const RevisionRecord&, const RevisionRecord&) = default;
};

enum class ChangeAction : std::uint8_t { kCreate, kUpdate, kDelete };

/// One touched document in the change feed.
struct Change {
  std::uint64_t sequence = 0;  ///< Of the transaction; grows by 1 with each that touches documents.
  std::string project;
  std::uint64_t revision = 0;  ///< Of the project after the transaction.
  std::string kind;
  std::string id;
  ChangeAction action = ChangeAction::kCreate;
  friend bool operator==(const Change&, const Change&) = default;
};

/// One entry of the state area. In `PutState` no value deletes the key.
struct StateEntry {
  std::string key;
  std::optional<std::string> value;  ///< Any bytes.
  friend bool operator==(const StateEntry&, const StateEntry&) = default;
};

/// Whether values of the state area are sealed under the node key (ticket keys, sticky keys).
enum class Protection : std::uint8_t { kPlain, kSealed };

}  // namespace elb::store
