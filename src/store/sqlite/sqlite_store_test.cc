#include "store/sqlite/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "store/sqlite/connection.h"
#include "store/testing/stores.h"

namespace elb::store {
namespace {

using testing::Describe;
using ::testing::HasSubstr;
using testing::MakeDocument;
using testing::PutAll;

constexpr std::string_view kSecret = "-----BEGIN PRIVATE KEY----- needle-in-the-file";

std::string BytesOf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

mode_t ModeOf(const std::filesystem::path& file) {
  struct stat facts{};
  EXPECT_EQ(stat(file.c_str(), &facts), 0) << file;
  return facts.st_mode & 07777;
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<SqliteStore>> Open(const char* name = "elb.db") {
    return SqliteStore::Open(Path(name), sealer_);
  }
  [[nodiscard]] std::filesystem::path Path(const char* name = "elb.db") const {
    return folder_.path() / name;
  }
  static std::string ListText(Store& store) {
    const auto found = store.Read([](Reader& reader) { return reader.ListAll("certificate"); });
    return found ? Describe(*found) : found.error().message;
  }
  static Document Certificate(std::string_view id, std::string_view json) {
    Document document = MakeDocument("certificate", id, json, 1);
    document.secrets["private_key"] = kSecret;
    return document;
  }

  testing::TemporaryFolder folder_;
  crypto::Sealer sealer_{testing::KeyOf(std::byte{1})};
  crypto::Sealer other_sealer_{testing::KeyOf(std::byte{2})};
};

TEST_F(SqliteStoreTest, FindsEverythingAfterReopening) {
  {
    const auto store = *Open();
    ASSERT_TRUE(store->Transact([](Transaction& transaction) -> Result<void> {
      ELB_RETURN_IF_ERROR(transaction.AppendRevision("p", "first"));
      return transaction.Put(Certificate("1", "a"), {{"name", "n"}});
    }));
    ASSERT_TRUE(store->Transact([](Transaction& transaction) -> Result<void> {
      ELB_RETURN_IF_ERROR(transaction.AppendRevision("p", "second"));
      return transaction.Put(Certificate("1", "b"), {{"name", "n"}});
    }));
    ASSERT_TRUE(store->PutState("keys", std::vector<StateEntry>{{"k", "v"}}, Protection::kSealed));
  }

  const auto store = *Open();
  ASSERT_TRUE(store->Read([](Reader& reader) -> Result<void> {
    const auto found = reader.FindByIndex("certificate", "name", "n");
    EXPECT_EQ(Describe(*found), "certificate/1=b");
    EXPECT_EQ(found->front().secrets.at("private_key"), kSecret);
    EXPECT_EQ(Describe(*reader.ListAt("p", 1)), "certificate/1=a");
    EXPECT_EQ((*reader.GetRevision("p", 2))->json, "second");
    EXPECT_EQ(Describe(*reader.ChangesSince(1, 10)), "2 p r2 update certificate/1");
    return {};
  }));
  EXPECT_EQ(*store->LoadState("keys"), (std::vector<StateEntry>{{"k", "v"}}));
}

TEST_F(SqliteStoreTest, KeepsItsFilesToTheirOwner) {
  const auto store = *Open();
  ASSERT_TRUE(PutAll(*store, {Certificate("1", "a")}));

  for (const char* name : {"elb.db", "elb.db-wal", "elb.db-shm", "elb.db.lock"}) {
    EXPECT_EQ(ModeOf(Path(name)), 0600) << name;
  }
}

TEST_F(SqliteStoreTest, TakesRightsOfOthersAway) {
  ASSERT_TRUE(Open());
  ASSERT_EQ(chmod(Path().c_str(), 0644), 0);

  const auto store = *Open();

  EXPECT_EQ(ModeOf(Path()), 0600);
}

TEST_F(SqliteStoreTest, WritesNoSecretInPlainText) {
  const auto check = [&](const char* name) {
    const std::string bytes = BytesOf(Path(name));
    EXPECT_FALSE(bytes.empty()) << name;
    EXPECT_EQ(bytes.find("needle-in-the-file"), std::string::npos) << name;
  };
  {
    const auto store = *Open();
    ASSERT_TRUE(store->Transact([](Transaction& transaction) -> Result<void> {
      ELB_RETURN_IF_ERROR(transaction.NextRevision("p"));
      return transaction.Put(Certificate("1", "plain-text"));
    }));
    ASSERT_TRUE(store->Transact([](Transaction& transaction) -> Result<bool> {
      ELB_RETURN_IF_ERROR(transaction.NextRevision("p"));
      return transaction.Delete({.project = "p", .kind = "certificate", .id = "1"});
    }));
    ASSERT_TRUE(store->PutState("keys", std::vector<StateEntry>{{"k", std::string(kSecret)}},
                                Protection::kSealed));
    ASSERT_TRUE(store->BackUp(Path("copy.db")));
    EXPECT_NE(BytesOf(Path("elb.db-wal")).find("plain-text"), std::string::npos);
    check("elb.db-wal");
    check("elb.db-shm");
  }

  check("elb.db");
  check("copy.db");
  EXPECT_NE(BytesOf(Path()).find("plain-text"), std::string::npos);
}

TEST_F(SqliteStoreTest, RefusesAnotherNodeKey) {
  ASSERT_TRUE(Open());

  const auto refused = SqliteStore::Open(Path(), other_sealer_);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kStorage);
  EXPECT_THAT(refused.error().message, HasSubstr("was sealed under another node key"));
}

TEST_F(SqliteStoreTest, DoesNotOpenASecretMovedToAnotherDocument) {
  {
    const auto store = *Open();
    ASSERT_TRUE(PutAll(*store, {Certificate("1", "a"), Certificate("2", "b")}));
  }
  {
    const auto file = *sqlite::Connection::Open(Path(), sqlite::Connection::Use::kWrite);
    ASSERT_TRUE(
        file->Execute("UPDATE document SET secrets = "
                      "(SELECT secrets FROM document WHERE id = '2') WHERE id = '1'"));
  }

  const auto store = *Open();
  EXPECT_THAT(ListText(*store), HasSubstr("secrets of certificate 1: a sealed value cannot be "
                                          "opened"));
}

TEST_F(SqliteStoreTest, RefusesDamagedSecrets) {
  {
    const auto store = *Open();
    ASSERT_TRUE(PutAll(*store, {Certificate("1", "a")}));
  }
  for (const char* value :
       {"substr(secrets, 1, length(secrets) - 1)", "'x'", "'9:x'", "':'", "'-1:x'", "'1:k'",
        "'1:k1:s'", "'99999999999999999999:x'", "'18446744073709551615:x'"}) {
    {
      const auto file = *sqlite::Connection::Open(Path(), sqlite::Connection::Use::kWrite);
      const std::string sql =
          std::string("UPDATE document SET secrets = CAST(") + value + " AS BLOB)";
      ASSERT_TRUE(file->Execute(sql.c_str()));
    }
    const auto store = *Open();
    const auto found = store->Read([](Reader& reader) { return reader.ListAll("certificate"); });
    ASSERT_FALSE(found) << value;
    EXPECT_EQ(found.error().kind, ErrorKind::kStorage);
  }
}

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  ASSERT_TRUE(Open());
  {
    const auto file = *sqlite::Connection::Open(Path(), sqlite::Connection::Use::kWrite);
    ASSERT_TRUE(file->Execute("PRAGMA user_version = 999"));
  }

  const auto refused = Open();

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kStorage);
  EXPECT_THAT(refused.error().message, HasSubstr("was written by a newer release"));
}

TEST_F(SqliteStoreTest, ServesOneOwnerAtATime) {
  auto store = *Open();

  const auto refused = Open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kStorage);
  EXPECT_THAT(refused.error().message,
              HasSubstr("is locked: process " + std::to_string(getpid()) + " uses this data"));

  store.reset();
  EXPECT_TRUE(Open());
}

TEST_F(SqliteStoreTest, SaysThatTheDirectoryIsMissing) {
  const auto refused = SqliteStore::Open(folder_.path() / "missing" / "elb.db", sealer_);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kStorage);
  EXPECT_THAT(refused.error().message, HasSubstr("No such file or directory"));
}

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(Path()) << std::string(10'000, 'x');

  const auto refused = Open();

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kStorage);
  EXPECT_THAT(refused.error().message, HasSubstr("the file is damaged: restore a backup"));
}

TEST_F(SqliteStoreTest, AnswersDamageAnywhereWithAnErrorOfTheStore) {
  {
    const auto store = *Open();
    std::vector<Document> documents;
    for (int number = 0; number < 200; ++number) {
      documents.push_back(Certificate(std::to_string(number), std::string(500, 'j')));
    }
    ASSERT_TRUE(PutAll(*store, documents));
  }
  const std::string sound = BytesOf(Path());
  constexpr std::size_t kPage = 4096;
  int failures = 0;
  for (std::size_t page = 0; page < sound.size() / kPage; page += 3) {
    std::string damaged = sound;
    damaged.replace(page * kPage, kPage, std::string(kPage, '\x5a'));
    std::ofstream(Path(), std::ios::binary | std::ios::trunc) << damaged;

    const auto store = Open();
    Result<void> written = store ? PutAll(**store, {Certificate("1", "new")})
                                 : Result<void>(std::unexpected(store.error()));
    const auto found =
        store ? (*store)->Read([](Reader& reader) { return reader.ListAll("certificate"); })
              : Result<std::vector<Document>>(std::unexpected(store.error()));
    if (!written || !found) {
      ++failures;
      EXPECT_EQ((written ? found.error() : written.error()).kind, ErrorKind::kStorage);
    }
  }
  EXPECT_GT(failures, 10);
}

TEST_F(SqliteStoreTest, SurvivesATruncatedFileWithAnError) {
  {
    const auto store = *Open();
    ASSERT_TRUE(PutAll(*store, {Certificate("1", std::string(50'000, 'j'))}));
  }
  std::filesystem::resize_file(Path(), 12'288);

  const auto store = Open();
  if (store) {
    const auto found = (*store)->Read([](Reader& reader) { return reader.ListAll("certificate"); });
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::kStorage);
  }
}

TEST_F(SqliteStoreTest, BacksUpWhatIsCommitted) {
  const auto store = *Open();
  ASSERT_TRUE(PutAll(*store, {Certificate("1", "a")}));

  ASSERT_TRUE(store->Transact([&](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(Certificate("2", "b")));
    return store->BackUp(Path("copy.db"));
  }));

  EXPECT_EQ(ModeOf(Path("copy.db")), 0600);
  const auto copy = *Open("copy.db");
  EXPECT_EQ(ListText(*copy), "certificate/1=a");
  EXPECT_EQ(ListText(*store), "certificate/1=a certificate/2=b");
}

TEST_F(SqliteStoreTest, LeavesOneFileAsBackup) {
  const auto store = *Open();
  std::filesystem::create_directory(Path("backups"));

  ASSERT_TRUE(store->BackUp(Path("backups") / "copy.db"));

  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Path("backups"))) {
    names.push_back(entry.path().filename());
  }
  EXPECT_EQ(names, std::vector<std::string>{"copy.db"});
}

TEST_F(SqliteStoreTest, DoesNotOverwriteWithABackup) {
  const auto store = *Open();
  std::ofstream(Path("copy.db")) << "precious";

  const auto refused = store->BackUp(Path("copy.db"));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(BytesOf(Path("copy.db")), "precious");
}

TEST_F(SqliteStoreTest, SaysWhyABackupFailed) {
  const auto store = *Open();

  const auto failed = store->BackUp(folder_.path() / "missing" / "copy.db");

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kStorage);
}

/// Lets no file of this process grow beyond a size, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  FileSizeLimit(FileSizeLimit&&) = delete;
  FileSizeLimit& operator=(FileSizeLimit&&) = delete;

 private:
  sighandler_t handler_;
  rlimit before_{};
};

TEST_F(SqliteStoreTest, KeepsNothingOfATransactionThatTheDiskHasNoRoomFor) {
  const auto store = *Open();
  ASSERT_TRUE(PutAll(*store, {Certificate("1", "a")}));
  Result<void> failed;
  {
    const FileSizeLimit limit(1'000'000);
    failed = PutAll(*store, {Certificate("1", "b"), Certificate("2", std::string(2'000'000, 'j'))});
    EXPECT_EQ(ListText(*store), "certificate/1=a");
  }

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kStorage);
  ASSERT_TRUE(PutAll(*store, {Certificate("3", "c")}));
  EXPECT_EQ(ListText(*store), "certificate/1=a certificate/3=c");
}

TEST_F(SqliteStoreTest, LeavesNothingOfABackupThatTheDiskHasNoRoomFor) {
  const auto store = *Open();
  ASSERT_TRUE(PutAll(*store, {Certificate("1", std::string(500'000, 'j'))}));
  std::filesystem::create_directory(Path("backups"));
  Result<void> failed;
  {
    const FileSizeLimit limit(100'000);
    failed = store->BackUp(Path("backups") / "copy.db");
  }

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kStorage);
  EXPECT_TRUE(std::filesystem::is_empty(Path("backups")));
  EXPECT_TRUE(store->BackUp(Path("backups") / "copy.db"));
}

TEST_F(SqliteStoreTest, GivesUpATransactionWhoseFunctionHidesAFailureOfTheDisk) {
  const auto store = *Open();
  ASSERT_TRUE(PutAll(*store, {Certificate("1", "a")}));
  {
    const auto file = *sqlite::Connection::Open(Path(), sqlite::Connection::Use::kWrite);
    ASSERT_TRUE(file->Execute("DROP TABLE index_key"));
  }

  const auto failed = store->Transact([](Transaction& transaction) -> Result<void> {
    static_cast<void>(transaction.Put(Certificate("2", "b")));
    return {};
  });

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(ListText(*store), "certificate/1=a");
}

}  // namespace
}  // namespace elb::store
