// What was acknowledged survives the death of the process at any moment.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "store/sqlite/sqlite_store.h"
#include "store/testing/stores.h"

namespace elb::store {
namespace {

using testing::MakeDocument;

/// Writes two documents of the same number in one transaction after the other and says so on
/// `acknowledgements` after each, for ever.
[[noreturn]] void WriteForEver(const std::filesystem::path& file, const crypto::Sealer& sealer,
                               int acknowledgements) {
  const auto store = SqliteStore::Open(file, sealer);
  if (!store) {
    _exit(1);
  }
  const std::uint64_t begin =
      (*store)->Read([](Reader& reader) { return reader.CurrentRevision("p"); }).value_or(0);
  for (std::uint64_t number = begin + 1;; ++number) {
    const auto done = (*store)->Transact([&](Transaction& transaction) -> Result<void> {
      const std::string id = std::to_string(number);
      ELB_RETURN_IF_ERROR(transaction.AppendRevision("p", "r" + id));
      ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", id, id, number)));
      return transaction.Put(MakeDocument("pool", id, id, number));
    });
    if (!done || write(acknowledgements, &number, sizeof number) != sizeof number) {
      _exit(2);
    }
  }
}

/// Runs a writer, kills it after some acknowledgements and returns the last one it gave.
std::uint64_t KillAWriterAfter(int count, const std::filesystem::path& file,
                               const crypto::Sealer& sealer) {
  std::array<int, 2> pipe_ends{};
  EXPECT_EQ(pipe2(pipe_ends.data(), O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    WriteForEver(file, sealer, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  std::uint64_t last = 0;
  for (int number = 0; number < count; ++number) {
    EXPECT_EQ(read(pipe_ends[0], &last, sizeof last), sizeof last);
  }
  kill(child, SIGKILL);
  std::uint64_t next = 0;
  while (read(pipe_ends[0], &next, sizeof next) == sizeof next) {
    last = next;
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return last;
}

TEST(CrashTest, LosesNothingThatWasAcknowledged) {
  const testing::TemporaryFolder folder;
  const crypto::Sealer sealer(testing::KeyOf(std::byte{1}));
  const auto file = folder.path() / "elb.db";

  for (const int count : {1, 2, 5, 40, 3, 1}) {
    const std::uint64_t acknowledged = KillAWriterAfter(count, file, sealer);

    const auto store = SqliteStore::Open(file, sealer);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->Read([&](Reader& reader) -> Result<void> {
      const std::uint64_t revision = *reader.CurrentRevision("p");
      EXPECT_GE(revision, acknowledged);
      // One commit may not have come to its acknowledgement; it is there as a whole.
      EXPECT_LE(revision, acknowledged + 1);
      EXPECT_EQ(reader.Count("p", "listener"), revision);
      EXPECT_EQ(reader.Count("p", "pool"), revision);
      EXPECT_EQ(reader.LastChange(), revision);
      EXPECT_EQ(reader.ListRevisions("p", 1'000'000, 1'000'000)->size(), revision);
      return {};
    }));
  }
}

}  // namespace
}  // namespace elb::store
