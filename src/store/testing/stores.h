#pragma once

#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "crypto/sealing.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store.h"

/// What the tests of this module share.
namespace elb::store::testing {

/// An empty directory that is gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    // In memory where there is such a place: what dies here are processes, not machines.
    std::error_code none;
    const std::filesystem::path parent = std::filesystem::is_directory("/dev/shm", none)
                                             ? std::filesystem::path("/dev/shm")
                                             : std::filesystem::temp_directory_path();
    std::string name = (parent / "elb-store-XXXXXX").string();
    ELB_ASSERT(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline crypto::SealingKey KeyOf(std::byte filler) {
  crypto::SealingKey key;
  key.fill(filler);
  return key;
}

/// The stores that keep the contract.
enum class StoreKind : std::uint8_t { kSqlite, kMemory };
inline void PrintTo(StoreKind kind, std::ostream* out) {
  *out << (kind == StoreKind::kSqlite ? "Sqlite" : "Memory");
}

/// One store of either kind with everything it needs.
class StoreUnderTest {
 public:
  StoreUnderTest(StoreKind kind, std::uint64_t feed_kept) {
    if (kind == StoreKind::kMemory) {
      store_ = std::make_unique<MemoryStore>(feed_kept);
      return;
    }
    auto opened = SqliteStore::Open(folder_.path() / "elb.db", sealer_, {.feed_kept = feed_kept});
    ELB_ASSERT(opened.has_value());
    store_ = *std::move(opened);
  }
  [[nodiscard]] Store& store() { return *store_; }

 private:
  TemporaryFolder folder_;
  crypto::Sealer sealer_{KeyOf(std::byte{7})};
  std::unique_ptr<Store> store_;
};

/// A document of project "p" whose text is `json`.
inline Document MakeDocument(std::string_view kind, std::string_view id, std::string_view json,
                             std::uint64_t revision = 0) {
  Document document;
  document.project = "p";
  document.kind = kind;
  document.id = id;
  document.json = json;
  document.revision = revision;
  return document;
}

/// Puts documents in a transaction of their own.
inline Result<void> PutAll(Store& store, const std::vector<Document>& documents) {
  return store.Transact([&](Transaction& transaction) -> Result<void> {
    for (const Document& document : documents) {
      ELB_RETURN_IF_ERROR(transaction.Put(document));
    }
    return {};
  });
}

/// "listener/1=json listener/2=json ..." in the order given.
inline std::string Describe(const std::vector<Document>& documents) {
  std::string text;
  for (const Document& document : documents) {
    text += (text.empty() ? "" : " ") + document.kind + "/" + document.id + "=" + document.json;
  }
  return text;
}

/// "7 p r3 create listener/1" for each change, separated by ", ".
inline std::string Describe(std::span<const Change> changes) {
  std::string text;
  for (const Change& change : changes) {
    const char* action = change.action == ChangeAction::kCreate   ? "create"
                         : change.action == ChangeAction::kUpdate ? "update"
                                                                  : "delete";
    text += (text.empty() ? "" : ", ") + std::to_string(change.sequence) + " " + change.project +
            " r" + std::to_string(change.revision) + " " + action + " " + change.kind + "/" +
            change.id;
  }
  return text;
}

}  // namespace elb::store::testing
