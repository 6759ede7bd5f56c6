#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "store/store.h"

namespace elb::control {

/// Somebody who may sign in. Passwords are stored as argon2id hashes (api-extensions.md 5.4).
struct User {
  std::string id;  ///< 32 hex digits.
  std::string name;
  std::string password_hash;
};

struct Project {
  std::string id;  ///< 32 hex digits.
  std::string name;
};

/// A token and what it is good for (api-extensions.md 5.6). Only its SHA-256 is stored.
struct Token {
  std::string user_id;
  std::string scope;       ///< `project`, `domain`, or empty.
  std::string project_id;  ///< With scope `project`.
  std::vector<std::string> methods;
  std::int64_t issued_at = 0;   ///< Unix seconds.
  std::int64_t expires_at = 0;  ///< Unix seconds.
};

/// Why a sign-in failed: wrong credentials, or too many of them.
struct SignInFailure {
  bool locked = false;
  std::int64_t retry_after = 0;  ///< Seconds, with `locked`.
};

/// A password that a hash was made of, or not. To find out takes about 100 ms and 64 MiB: the
/// control thread has other things to do meanwhile.
struct PasswordCheck {
  std::string hash;
  std::string password;
  /// Any thread.
  [[nodiscard]] bool Matches() const;
};

/// What came out of a check: whether the password is that of `hash`.
struct PasswordVerdict {
  std::string hash;
  bool matches = false;
};

/// Somebody wants to sign in.
struct SignInAttempt {
  std::string user;
  std::string password;
  std::string address;
  /// Of `Accounts::CheckFor`; without one that is still right the password is checked on the spot.
  std::optional<PasswordVerdict> verdict;
};

/// Users, projects, tokens and the counting of wrong attempts. Control thread.
class Accounts {
 public:
  struct Parts {
    store::Store* store = nullptr;
    const Clock* clock = nullptr;
    Random* random = nullptr;
    std::chrono::hours token_life{24};
  };
  explicit Accounts(const Parts& parts) : parts_(parts) {}

  /// Reads everything from the store.
  [[nodiscard]] Result<void> Load();
  /// The first user, with the default domain and a project of the region's name. kConflict when
  /// there is a user already; kInvalid naming the rule that `password` breaks.
  [[nodiscard]] static Result<void> CreateAdministrator(store::Store& store, Random& random,
                                                        const std::string& name,
                                                        const std::string& password,
                                                        const std::string& project);

  /// What has to be checked before `SignIn`; nullopt while the user is locked out at that address,
  /// when nothing is checked or counted. Attempts must be made one after the other, from here to
  /// the end of `SignIn`: otherwise more of them than the lock allows could be under way.
  [[nodiscard]] std::optional<PasswordCheck> CheckFor(const SignInAttempt& attempt) const;
  /// The user whose name and password these are. Wrong attempts are counted per user and address.
  [[nodiscard]] std::expected<const User*, SignInFailure> SignIn(const SignInAttempt& attempt);
  /// Stores a new token; returns its text.
  [[nodiscard]] Result<std::string> Issue(Token token);
  /// A live token, or null.
  [[nodiscard]] const Token* Find(const std::string& text) const;
  [[nodiscard]] Result<void> Revoke(const std::string& text);

  [[nodiscard]] const User* FindUser(const std::string& id) const;
  [[nodiscard]] const User* FindUserByName(const std::string& name) const;
  [[nodiscard]] const Project* FindProject(const std::string& id_or_name) const;
  [[nodiscard]] bool has_users() const { return !users_.empty(); }
  [[nodiscard]] const std::vector<Project>& projects() const { return projects_; }

  static constexpr std::string_view kDomainId = "d0000000000000000000000000000001";
  static constexpr std::string_view kDomainName = "default";

 private:
  struct Attempts {
    int failures = 0;
    std::int64_t locked_until = 0;
  };
  [[nodiscard]] std::int64_t Now() const;
  /// Seconds until attempts of that key are heard again; 0: now.
  [[nodiscard]] std::int64_t LockedFor(const std::string& key) const;
  void CountFailure(const std::string& key);

  Parts parts_;
  std::vector<User> users_;
  std::vector<Project> projects_;
  std::map<std::string, Token> tokens_;  ///< By SHA-256.
  std::map<std::string, Attempts> attempts_;
};

}  // namespace elb::control
