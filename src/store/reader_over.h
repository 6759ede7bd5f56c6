#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/document.h"
#include "store/transaction.h"

namespace elb::store {

/// Answers the questions of `Reader` for `Base` (`Reader` or `Transaction`) from `Queries`, a class
/// with the same functions; so that an implementation writes them once.
template <typename Base, typename Queries>
class ReaderOver : public Base {
 public:
  explicit ReaderOver(Queries queries) : queries_(std::move(queries)) {}

  [[nodiscard]] Result<std::optional<Document>> Get(Key key) override { return queries_.Get(key); }
  [[nodiscard]] Result<std::vector<Document>> List(std::string_view project, std::string_view kind,
                                                   ListRange range) override {
    return queries_.List(project, kind, range);
  }
  [[nodiscard]] Result<std::vector<Document>> ListAll(std::string_view kind,
                                                      ListRange range) override {
    return queries_.ListAll(kind, range);
  }
  [[nodiscard]] Result<std::vector<Document>> FindByIndex(std::string_view kind,
                                                          std::string_view name,
                                                          std::string_view value) override {
    return queries_.FindByIndex(kind, name, value);
  }
  [[nodiscard]] Result<std::uint64_t> Count(std::string_view project,
                                            std::string_view kind) override {
    return queries_.Count(project, kind);
  }
  [[nodiscard]] Result<std::uint64_t> CountByIndex(std::string_view kind, std::string_view name,
                                                   std::string_view value) override {
    return queries_.CountByIndex(kind, name, value);
  }
  [[nodiscard]] Result<std::uint64_t> CurrentRevision(std::string_view project) override {
    return queries_.CurrentRevision(project);
  }
  [[nodiscard]] Result<std::optional<RevisionRecord>> GetRevision(std::string_view project,
                                                                  std::uint64_t number) override {
    return queries_.GetRevision(project, number);
  }
  [[nodiscard]] Result<std::vector<RevisionRecord>> ListRevisions(std::string_view project,
                                                                  std::uint64_t before,
                                                                  std::size_t limit) override {
    return queries_.ListRevisions(project, before, limit);
  }
  [[nodiscard]] Result<std::vector<Document>> ListAt(std::string_view project,
                                                     std::uint64_t revision) override {
    return queries_.ListAt(project, revision);
  }
  [[nodiscard]] Result<std::uint64_t> LastChange() override { return queries_.LastChange(); }
  [[nodiscard]] Result<std::vector<Change>> ChangesSince(std::uint64_t sequence,
                                                         std::size_t limit) override {
    return queries_.ChangesSince(sequence, limit);
  }

 protected:
  [[nodiscard]] Queries& queries() { return queries_; }

 private:
  Queries queries_;
};

}  // namespace elb::store
