#include "crypto/sealing.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "crypto/encoding.h"

namespace elb::crypto {
namespace {

SealingKey TestKey(std::byte fill) {
  SealingKey key;
  key.fill(fill);
  return key;
}

TEST(SealerTest, BringsThePlaintextBack) {
  const Sealer sealer(TestKey(std::byte{1}));

  for (const std::string& secret :
       {std::string(), std::string("a"), std::string(8192, 'k'), std::string("\0binary\xff", 8)}) {
    const auto sealed = sealer.Seal(secret, "certificate/1/private_key");
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->size(), secret.size() + 29);
    EXPECT_EQ(sealer.Unseal(*sealed, "certificate/1/private_key"), secret);
  }
}

// Computed with Python's cryptography library: AESGCM(32 bytes of 01), nonce 00 .. 0b.
TEST(SealerTest, OpensAValueMadeElsewhere) {
  const Sealer sealer(TestKey(std::byte{1}));
  const std::string sealed =
      *HexDecode("01000102030405060708090a0bc8c3f654458ad18448c6e3803f8d674a6cdcc958df1d");

  EXPECT_EQ(sealer.Unseal(sealed, "kind/id/field"), "secret");
}

TEST(SealerTest, NeverMakesTheSameValueTwice) {
  const Sealer sealer(TestKey(std::byte{1}));
  std::set<std::string> values;

  for (int i = 0; i < 100; ++i) {
    values.insert(sealer.Seal("secret", "").value());
  }

  EXPECT_EQ(values.size(), 100);
}

TEST(SealerTest, RefusesAValueThatBelongsElsewhere) {
  const Sealer sealer(TestKey(std::byte{1}));
  const std::string sealed = sealer.Seal("secret", AssociatedData({"certificate", "1"})).value();

  const auto opened = sealer.Unseal(sealed, AssociatedData({"certificate", "2"}));

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kStorage);
}

TEST(SealerTest, RefusesAnotherKey) {
  const std::string sealed = Sealer(TestKey(std::byte{1})).Seal("secret", "").value();

  EXPECT_FALSE(Sealer(TestKey(std::byte{2})).Unseal(sealed, ""));
}

TEST(SealerTest, RefusesEveryFlippedBitAndEveryCut) {
  const Sealer sealer(TestKey(std::byte{1}));
  const std::string sealed = sealer.Seal("secret", "where").value();

  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer.Unseal(damaged, "where")) << "bit " << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer.Unseal(sealed.substr(0, size), "where")) << size << " bytes";
  }
}

TEST(SealerTest, SaysThatAFormatIsNewer) {
  const Sealer sealer(TestKey(std::byte{1}));
  std::string sealed = sealer.Seal("secret", "").value();
  sealed[0] = 2;

  const auto opened = sealer.Unseal(sealed, "");

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            "a sealed value cannot be opened: its format 2 is not known to this version");
}

TEST(SealerTest, SealsIntoText) {
  const Sealer sealer(TestKey(std::byte{1}));
  const std::string text = sealer.SealText("secret", "where").value();

  EXPECT_EQ(
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
      std::string::npos);
  EXPECT_EQ(sealer.UnsealText(text, "where"), "secret");
  EXPECT_FALSE(sealer.UnsealText(text + "=", "where"));
}

TEST(AssociatedDataTest, KeepsPartsApart) {
  EXPECT_NE(AssociatedData({"ab", "c"}), AssociatedData({"a", "bc"}));
  EXPECT_NE(AssociatedData({"a", ""}), AssociatedData({"a"}));
  EXPECT_NE(AssociatedData({"1:a"}), AssociatedData({"a"}));
}

class KeyFileTest : public testing::Test {
 protected:
  KeyFileTest() {
    std::string pattern = testing::TempDir() + "elb-key-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    file_ = folder_ / "node.key";
  }
  ~KeyFileTest() override { std::filesystem::remove_all(folder_); }

  void Write(std::size_t bytes, mode_t mode) {
    std::ofstream(file_) << std::string(bytes, 'k');
    chmod(file_.c_str(), mode);
  }
  std::string MessageOfOpen() {
    const auto sealer = Sealer::Open(file_, KeyFile::kCreate);
    return sealer ? "opened" : sealer.error().message;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

TEST_F(KeyFileTest, IsCreatedForItsOwnerAlone) {
  ASSERT_TRUE(Sealer::Open(file_, KeyFile::kCreate));

  struct stat facts{};
  ASSERT_EQ(stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600);
  EXPECT_EQ(facts.st_size, 32);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(KeyFileTest, IsUsedAgain) {
  const auto first = Sealer::Open(file_, KeyFile::kCreate);
  const auto second = Sealer::Open(file_, KeyFile::kMustExist);

  ASSERT_TRUE(first && second);
  EXPECT_EQ((*second)->Unseal((*first)->Seal("secret", "").value(), ""), "secret");
}

TEST_F(KeyFileTest, DiffersFromNodeToNode) {
  const auto here = Sealer::Open(file_, KeyFile::kCreate);
  const auto there = Sealer::Open(folder_ / "other.key", KeyFile::kCreate);

  ASSERT_TRUE(here && there);
  EXPECT_FALSE((*there)->Unseal((*here)->Seal("secret", "").value(), ""));
}

TEST_F(KeyFileTest, IsNotCreatedUnlessAskedFor) {
  const auto sealer = Sealer::Open(file_, KeyFile::kMustExist);

  ASSERT_FALSE(sealer);
  EXPECT_EQ(sealer.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(sealer.error().message,
            "node key file " + file_.string() + ": cannot be opened: No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(KeyFileTest, IsRefusedWhenOthersMayReadIt) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0610U, 0666U}) {
    Write(32, mode);
    EXPECT_NE(MessageOfOpen().find("run: chmod 600"), std::string::npos) << std::oct << mode;
  }
}

TEST_F(KeyFileTest, IsRefusedWithAnotherSize) {
  for (const std::size_t size : {0U, 31U, 33U}) {
    Write(size, 0600);
    EXPECT_NE(MessageOfOpen().find("instead of 32"), std::string::npos) << size;
  }
}

TEST_F(KeyFileTest, IsRefusedWhenItIsNoFile) {
  std::filesystem::create_directory(file_);
  EXPECT_NE(MessageOfOpen().find("is not a regular file"), std::string::npos);
  std::filesystem::remove(file_);
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  EXPECT_NE(MessageOfOpen().find("is not a regular file"), std::string::npos);
}

TEST_F(KeyFileTest, NeedsItsFolder) {
  const auto sealer = Sealer::Open(folder_ / "missing" / "node.key", KeyFile::kCreate);

  ASSERT_FALSE(sealer);
  EXPECT_NE(sealer.error().message.find("No such file or directory"), std::string::npos);
}

}  // namespace
}  // namespace elb::crypto
