// Who may sign in, and for how long (api-extensions.md 5.4 to 5.6).
#include "control/accounts.h"

#include <gtest/gtest.h>

#include "store/memory/memory_store.h"

namespace elb::control {
namespace {

constexpr const char* kPassword = "correct horse battery";

class AccountsTest : public testing::Test {
 protected:
  [[nodiscard]] Result<void> MakeAdministrator(const std::string& password) {
    return Accounts::CreateAdministrator(store_, random_, "Alice", password, "eu-de");
  }
  void Start() {
    ASSERT_TRUE(MakeAdministrator(kPassword));
    ASSERT_TRUE(accounts_.Load());
  }
  [[nodiscard]] std::expected<const User*, SignInFailure> SignIn(const std::string& user,
                                                                 const std::string& password,
                                                                 const std::string& address) {
    return accounts_.SignIn(
        {.user = user, .password = password, .address = address, .verdict = std::nullopt});
  }
  store::MemoryStore store_;
  ManualClock clock_;
  SeededRandom random_{1};
  Accounts accounts_{{.store = &store_, .clock = &clock_, .random = &random_}};
};

TEST_F(AccountsTest, RefusesPasswordsThatBreakARule) {
  EXPECT_FALSE(MakeAdministrator("eleven char"));
  EXPECT_FALSE(MakeAdministrator(std::string(129, 'x')));
  EXPECT_FALSE(MakeAdministrator("my name is alice"));
  EXPECT_TRUE(MakeAdministrator(std::string(12, 'x')));
}

TEST_F(AccountsTest, MakesTheFirstAdministratorOnce) {
  Start();

  const Result<void> again = MakeAdministrator(kPassword);

  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
}

TEST_F(AccountsTest, KnowsUsersWhateverTheCaseOfTheirName) {
  Start();

  const auto known = SignIn("aLICE", kPassword, "192.0.2.1");

  ASSERT_TRUE(known);
  EXPECT_EQ((*known)->name, "Alice");
  EXPECT_FALSE(SignIn("bob", kPassword, "192.0.2.1"));
}

TEST_F(AccountsTest, DoublesTheLockWithEachFurtherFailure) {
  Start();
  const auto fail = [&] { return SignIn("alice", "wrong", "192.0.2.1").error(); };
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(fail().locked);
  }
  EXPECT_EQ(fail().retry_after, 30);

  clock_.Advance(std::chrono::seconds{30});
  EXPECT_FALSE(fail().locked);

  EXPECT_EQ(fail().retry_after, 60);
}

TEST_F(AccountsTest, LocksOneAddressAtATimeAndForgetsAfterSuccess) {
  Start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(SignIn("alice", "wrong", "192.0.2.1"));
  }

  EXPECT_TRUE(SignIn("alice", kPassword, "192.0.2.2"));
  clock_.Advance(std::chrono::seconds{30});
  EXPECT_TRUE(SignIn("alice", kPassword, "192.0.2.1"));
  EXPECT_FALSE(SignIn("alice", "wrong", "192.0.2.1"));
  EXPECT_TRUE(SignIn("alice", kPassword, "192.0.2.1"));
}

TEST_F(AccountsTest, TrustsTheVerdictOnThePasswordThatItAskedFor) {
  Start();
  SignInAttempt attempt{
      .user = "alice", .password = kPassword, .address = "192.0.2.1", .verdict = std::nullopt};
  const auto check = accounts_.CheckFor(attempt);
  ASSERT_TRUE(check);
  EXPECT_TRUE(check->Matches());

  attempt.verdict = {.hash = check->hash, .matches = false};
  EXPECT_FALSE(accounts_.SignIn(attempt));
  attempt.verdict = {.hash = check->hash, .matches = true};
  EXPECT_TRUE(accounts_.SignIn(attempt));
}

TEST_F(AccountsTest, ChecksAgainWhenTheVerdictIsOnAnotherHash) {
  Start();

  EXPECT_FALSE(accounts_.SignIn({.user = "alice",
                                 .password = "wrong",
                                 .address = "192.0.2.1",
                                 .verdict = PasswordVerdict{.hash = "other", .matches = true}}));
}

TEST_F(AccountsTest, NeverTakesAVerdictForSomebodyUnknown) {
  Start();
  SignInAttempt attempt{
      .user = "bob", .password = "wrong", .address = "192.0.2.1", .verdict = std::nullopt};
  const auto check = accounts_.CheckFor(attempt);
  ASSERT_TRUE(check);  // The same work as for a known user.

  attempt.verdict = {.hash = check->hash, .matches = true};

  EXPECT_FALSE(accounts_.SignIn(attempt));
}

TEST_F(AccountsTest, ChecksNothingWhileAUserIsLockedOut) {
  Start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(SignIn("alice", "wrong", "192.0.2.1"));
  }

  EXPECT_FALSE(accounts_.CheckFor(
      {.user = "ALICE", .password = kPassword, .address = "192.0.2.1", .verdict = std::nullopt}));
}

TEST_F(AccountsTest, KeepsNoTokenText) {
  Start();

  const std::string text = *accounts_.Issue({.user_id = "u", .methods = {"password"}});

  EXPECT_EQ(text.size(), 43U);  // 256 bits.
  for (const store::StateEntry& entry : *store_.LoadState("tokens")) {
    EXPECT_EQ(entry.key.find(text), std::string::npos);
    EXPECT_EQ(entry.value->find(text), std::string::npos);
  }
}

TEST_F(AccountsTest, EndsTokensByTimeAndByRevocation) {
  Start();
  const std::string first = *accounts_.Issue({.user_id = "u"});
  const std::string second = *accounts_.Issue({.user_id = "u"});

  EXPECT_TRUE(accounts_.Revoke(first));

  EXPECT_EQ(accounts_.Find(first), nullptr);
  EXPECT_NE(accounts_.Find(second), nullptr);
  clock_.Advance(std::chrono::hours{24});
  EXPECT_EQ(accounts_.Find(second), nullptr);
  ASSERT_TRUE(accounts_.Issue({.user_id = "u"}));
  EXPECT_EQ(store_.LoadState("tokens")->size(), 1U);
}

}  // namespace
}  // namespace elb::control
