#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "store/document.h"

namespace elb::store::memory {

/// Project, kind, id.
using Name = std::tuple<std::string, std::string, std::string>;
[[nodiscard]] Name NameOf(Key key);

struct Entry {
  std::shared_ptr<const Document> document;
  std::vector<IndexKey> indexes;
  /// The project's revision from which on the document is as it is.
  std::uint64_t since = 0;
};

/// A former state of a document: since `since`, no more in revision `until`.
struct Version {
  std::shared_ptr<const Document> document;
  std::uint64_t since = 0;
  std::uint64_t until = 0;
};

struct Project {
  std::uint64_t revision = 0;
  std::uint64_t oldest = 0;  ///< States before this revision are no longer kept.
  std::map<std::uint64_t, std::string> records;
  std::vector<Version> versions;
};

/// Everything that transactions change. Copied as a whole: one copy is one consistent state.
struct State {
  std::map<Name, Entry> documents;
  std::map<std::string, Project, std::less<>> projects;
  std::vector<Change> feed;
  std::uint64_t last_document = 0;
  std::uint64_t last_change = 0;
  std::uint64_t forgotten = 0;  ///< The last transaction that the feed no longer holds.
};

/// The questions of `Reader`, answered from a state that must outlive it.
class Queries {
 public:
  explicit Queries(const State& state) : state_(&state) {}

  [[nodiscard]] Result<std::optional<Document>> Get(Key key);
  [[nodiscard]] Result<std::vector<Document>> List(std::string_view project, std::string_view kind,
                                                   ListRange range);
  [[nodiscard]] Result<std::vector<Document>> ListAll(std::string_view kind, ListRange range);
  [[nodiscard]] Result<std::vector<Document>> FindByIndex(std::string_view kind,
                                                          std::string_view name,
                                                          std::string_view value);
  [[nodiscard]] Result<std::uint64_t> Count(std::string_view project, std::string_view kind);
  [[nodiscard]] Result<std::uint64_t> CountByIndex(std::string_view kind, std::string_view name,
                                                   std::string_view value);
  [[nodiscard]] Result<std::uint64_t> CurrentRevision(std::string_view project);
  [[nodiscard]] Result<std::optional<RevisionRecord>> GetRevision(std::string_view project,
                                                                  std::uint64_t number);
  [[nodiscard]] Result<std::vector<RevisionRecord>> ListRevisions(std::string_view project,
                                                                  std::uint64_t before,
                                                                  std::size_t limit);
  [[nodiscard]] Result<std::vector<Document>> ListAt(std::string_view project,
                                                     std::uint64_t revision);
  [[nodiscard]] Result<std::uint64_t> LastChange();
  [[nodiscard]] Result<std::vector<Change>> ChangesSince(std::uint64_t sequence, std::size_t limit);

 private:
  [[nodiscard]] std::vector<Document> Where(const std::function<bool(const Entry&)>& chosen,
                                            ListRange range = {}) const;
  const State* state_;
};

}  // namespace elb::store::memory
