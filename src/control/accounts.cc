#include "control/accounts.h"

#include <argon2.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "model/document.h"

namespace elb::control {
namespace {

using model::Json;

constexpr std::uint32_t kArgonPasses = 3;
constexpr std::uint32_t kArgonKiB = 64 * 1024;
constexpr int kFailuresFree = 5;
constexpr std::int64_t kLockFirst = 30;
constexpr std::int64_t kLockMax = 15 * 60;
constexpr std::size_t kAttemptsMax = 10'000;
constexpr std::string_view kTokenArea = "tokens";
/// Unknown users cost the same work, so that nobody learns names from the time taken.
constexpr std::string_view kHashOfNobody =
    "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

std::string HashPassword(Random& random, const std::string& password) {
  std::array<std::byte, 16> salt{};
  random.Fill(salt);
  std::array<char, 256> encoded{};
  const int result =
      argon2id_hash_encoded(kArgonPasses, kArgonKiB, 1, password.data(), password.size(),
                            salt.data(), salt.size(), 32, encoded.data(), encoded.size());
  return result == ARGON2_OK ? std::string(encoded.data()) : std::string();
}

std::string Lower(std::string text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
}

/// Attempts are counted per user and address.
std::string KeyOf(const SignInAttempt& attempt) {
  return Lower(attempt.user) + '\n' + attempt.address;
}

Result<void> CheckPassword(const std::string& user, const std::string& password) {
  const std::int64_t length = model::CodePoints(password);
  if (length < 12 || length > 128) {
    return Invalid("password", "the password must have 12 to 128 characters");
  }
  if (Lower(password).contains(Lower(user))) {
    return Invalid("password", "the password must not contain the user name");
  }
  return {};
}

store::Document MakeDocument(std::string_view kind, std::string id, const Json& json) {
  store::Document document;
  document.kind = kind;
  document.id = std::move(id);
  document.json = json.dump();
  return document;
}

Json ToJson(const Token& token) {
  return {{"user_id", token.user_id},       {"scope", token.scope},
          {"project_id", token.project_id}, {"methods", token.methods},
          {"issued_at", token.issued_at},   {"expires_at", token.expires_at}};
}

Token TokenOf(const Json& json) {
  return {.user_id = json.value("user_id", std::string()),
          .scope = json.value("scope", std::string()),
          .project_id = json.value("project_id", std::string()),
          .methods = json.value("methods", std::vector<std::string>()),
          .issued_at = json.value("issued_at", std::int64_t{0}),
          .expires_at = json.value("expires_at", std::int64_t{0})};
}

}  // namespace

std::int64_t Accounts::Now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(
             parts_.clock->WallNow().time_since_epoch())
      .count();
}

Result<void> Accounts::Load() {
  const auto list = [&](std::string_view kind) {
    return parts_.store->Read([&](store::Reader& reader) { return reader.ListAll(kind); });
  };
  ELB_ASSIGN_OR_RETURN(const std::vector<store::Document> users, list("user"));
  for (const store::Document& document : users) {
    const Json json = Json::parse(document.json, nullptr, false);
    users_.push_back({.id = document.id,
                      .name = json.value("name", std::string()),
                      .password_hash = json.value("password_hash", std::string())});
  }
  ELB_ASSIGN_OR_RETURN(const std::vector<store::Document> projects, list("project"));
  for (const store::Document& document : projects) {
    const Json json = Json::parse(document.json, nullptr, false);
    projects_.push_back({.id = document.id, .name = json.value("name", std::string())});
  }
  ELB_ASSIGN_OR_RETURN(const std::vector<store::StateEntry> tokens,
                       parts_.store->LoadState(kTokenArea));
  for (const store::StateEntry& entry : tokens) {
    const Json json = Json::parse(entry.value.value_or(""), nullptr, false);
    if (json.is_object()) {
      tokens_[entry.key] = TokenOf(json);
    }
  }
  return {};
}

Result<void> Accounts::CreateAdministrator(store::Store& store, Random& random,
                                           const std::string& name, const std::string& password,
                                           const std::string& project) {
  ELB_RETURN_IF_ERROR(CheckPassword(name, password));
  const std::string hash = HashPassword(random, password);
  if (hash.empty()) {
    return Internal("the password could not be hashed");
  }
  return store.Transact([&](store::Transaction& transaction) -> Result<void> {
    ELB_ASSIGN_OR_RETURN(const auto users, transaction.ListAll("user"));
    if (!users.empty()) {
      return Conflict("admin", "there is an administrator already");
    }
    const Json user{{"name", name},
                    {"password_hash", hash},
                    {"domain_id", kDomainId},
                    {"roles", Json::array({{{"scope", "system"}, {"role", "admin"}}})}};
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("user", NewHex32(random), user)));
    ELB_RETURN_IF_ERROR(
        transaction.Put(MakeDocument("domain", std::string(kDomainId), {{"name", kDomainName}})));
    return transaction.Put(
        MakeDocument("project", NewHex32(random), {{"name", project}, {"domain_id", kDomainId}}));
  });
}

void Accounts::CountFailure(const std::string& key) {
  if (attempts_.size() >= kAttemptsMax && !attempts_.contains(key)) {
    std::erase_if(attempts_, [now = Now()](const auto& entry) {
      return entry.second.locked_until <= now;  // Whoever makes up names crowds out no lock.
    });
  }
  Attempts& attempts = attempts_[key];
  ++attempts.failures;
  if (attempts.failures >= kFailuresFree) {
    const int doublings = std::min(attempts.failures - kFailuresFree, 10);
    attempts.locked_until = Now() + std::min(kLockMax, kLockFirst << doublings);
  }
}

bool PasswordCheck::Matches() const {
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

std::int64_t Accounts::LockedFor(const std::string& key) const {
  const auto found = attempts_.find(key);
  return found == attempts_.end() ? 0
                                  : std::max<std::int64_t>(found->second.locked_until - Now(), 0);
}

std::optional<PasswordCheck> Accounts::CheckFor(const SignInAttempt& attempt) const {
  if (LockedFor(KeyOf(attempt)) > 0) {
    return std::nullopt;
  }
  const User* known = FindUserByName(attempt.user);
  return PasswordCheck{.hash = known != nullptr ? known->password_hash : std::string(kHashOfNobody),
                       .password = attempt.password};
}

std::expected<const User*, SignInFailure> Accounts::SignIn(const SignInAttempt& attempt) {
  const std::string key = KeyOf(attempt);
  const std::optional<PasswordCheck> check = CheckFor(attempt);
  if (!check) {
    return std::unexpected(SignInFailure{.locked = true, .retry_after = LockedFor(key)});
  }
  const bool answered = attempt.verdict && attempt.verdict->hash == check->hash;
  const bool matches = answered ? attempt.verdict->matches : check->Matches();
  const User* known = FindUserByName(attempt.user);
  if (known == nullptr || !matches) {
    CountFailure(key);
    return std::unexpected(SignInFailure{});
  }
  attempts_.erase(key);
  return known;
}

Result<std::string> Accounts::Issue(Token token) {
  std::array<std::byte, 32> bits{};
  parts_.random->Fill(bits);
  std::string text = crypto::Base64UrlEncode(crypto::AsText(bits));
  token.issued_at = Now();
  token.expires_at =
      token.issued_at + std::chrono::duration_cast<std::chrono::seconds>(parts_.token_life).count();
  const std::string key = crypto::Sha256Hex(text);
  std::vector<store::StateEntry> entries{{.key = key, .value = ToJson(token).dump()}};
  std::erase_if(tokens_, [&](const auto& entry) {
    const bool over = entry.second.expires_at <= token.issued_at;
    if (over) {
      entries.push_back({.key = entry.first, .value = std::nullopt});
    }
    return over;
  });
  ELB_RETURN_IF_ERROR(parts_.store->PutState(kTokenArea, entries));
  tokens_[key] = std::move(token);
  return text;
}

const Token* Accounts::Find(const std::string& text) const {
  const auto found = tokens_.find(crypto::Sha256Hex(text));
  return found == tokens_.end() || found->second.expires_at <= Now() ? nullptr : &found->second;
}

Result<void> Accounts::Revoke(const std::string& text) {
  const std::string key = crypto::Sha256Hex(text);
  const store::StateEntry entry{.key = key, .value = std::nullopt};
  ELB_RETURN_IF_ERROR(parts_.store->PutState(kTokenArea, std::span(&entry, 1)));
  tokens_.erase(key);
  return {};
}

const User* Accounts::FindUser(const std::string& id) const {
  const auto found = std::ranges::find(users_, id, &User::id);
  return found == users_.end() ? nullptr : &*found;
}

const User* Accounts::FindUserByName(const std::string& name) const {
  const auto found = std::ranges::find_if(
      users_, [lower = Lower(name)](const User& user) { return Lower(user.name) == lower; });
  return found == users_.end() ? nullptr : &*found;
}

const Project* Accounts::FindProject(const std::string& id_or_name) const {
  const auto found = std::ranges::find_if(projects_, [&](const Project& project) {
    return project.id == id_or_name || project.name == id_or_name;
  });
  return found == projects_.end() ? nullptr : &*found;
}

}  // namespace elb::control
