#include "store/sqlite/schema.h"

#include <gtest/gtest.h>

#include <array>

#include "store/sqlite/files.h"
#include "store/testing/stores.h"

namespace elb::store::sqlite {
namespace {

constexpr const char* kFirst = "CREATE TABLE a (x INTEGER)";
constexpr const char* kSecond = "INSERT INTO a VALUES (1); CREATE TABLE b (x INTEGER)";
constexpr const char* kBroken = "DROP TABLE a; INSERT INTO nowhere VALUES (1)";

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() {
    EXPECT_TRUE(PrepareFile(folder_.path() / "file.db", IfExists::kRefuse));
    connection_ = *Connection::Open(folder_.path() / "file.db", Connection::Use::kWrite);
  }
  std::uint64_t Version() { return connection_->Ask("PRAGMA user_version").value_or(999); }

  testing::TemporaryFolder folder_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(SchemaTest, RunsTheStepsThatAreMissing) {
  ASSERT_TRUE(Migrate(*connection_, std::array{kFirst}));
  EXPECT_EQ(Version(), 1);

  ASSERT_TRUE(Migrate(*connection_, std::array{kFirst, kSecond}));
  EXPECT_EQ(Version(), 2);
  EXPECT_EQ(connection_->Ask("SELECT count(*) FROM a"), 1);

  ASSERT_TRUE(Migrate(*connection_, std::array{kFirst, kSecond}));
  EXPECT_EQ(connection_->Ask("SELECT count(*) FROM a"), 1);
}

TEST_F(SchemaTest, LeavesTheOlderVersionWhenAStepFails) {
  ASSERT_TRUE(Migrate(*connection_, std::array{kFirst}));

  const auto failed = Migrate(*connection_, std::array{kFirst, kBroken});

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(Version(), 1);
  EXPECT_EQ(connection_->Ask("SELECT count(*) FROM a"), 0);
}

TEST_F(SchemaTest, RefusesANewerVersion) {
  ASSERT_TRUE(Migrate(*connection_, std::array{kFirst, kSecond}));

  const auto refused = Migrate(*connection_, std::array{kFirst});

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kStorage);
  EXPECT_NE(refused.error().message.find("has schema version 2, but this program knows only "
                                         "versions up to 1"),
            std::string::npos)
      << refused.error().message;
}

TEST_F(SchemaTest, RefusesTheDatabaseOfAnotherProgram) {
  ASSERT_TRUE(connection_->Execute(kFirst));

  const auto refused = Migrate(*connection_, Migrations());

  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("is a database of another program"), std::string::npos);
}

}  // namespace
}  // namespace elb::store::sqlite
