#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/sealing.h"
#include "store/document.h"
#include "store/sqlite/connection.h"

namespace elb::store::sqlite {

/// The questions of `Reader`, answered over one connection, which must outlive it.
class Queries {
 public:
  Queries(Connection& connection, const crypto::Sealer& sealer)
      : connection_(&connection), sealer_(&sealer) {}

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
  /// Every row of a statement that begins with the columns of a document.
  [[nodiscard]] Result<std::vector<Document>> ReadAll(Statement& statement);
  [[nodiscard]] Result<Document> ReadOne(const Statement& statement);

  Connection* connection_;
  const crypto::Sealer* sealer_;
};

}  // namespace elb::store::sqlite
