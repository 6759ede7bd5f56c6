#include "daemon/kept_state.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "crypto/encoding.h"

namespace elb::daemon {
namespace {

using contract::HealthReason;
using contract::MemberStatus;
using contract::SavedMemberHealth;
using Json = nlohmann::json;

constexpr std::string_view kHealthArea = "member_health";
constexpr std::string_view kTicketArea = "ticket_keys";
constexpr std::string_view kStickyArea = "sticky_keys";

std::string KeyOf(const SavedMemberHealth& saved) {
  return saved.pool.value() + '/' + saved.member.value();
}

std::int64_t Seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string ToText(const contract::MemberHealth& health) {
  return Json{{"status", static_cast<int>(health.status)},
              {"probed", health.probed},
              {"reason", static_cast<int>(health.reason)},
              {"response_code", health.response_code},
              {"since", Seconds(health.since)}}
      .dump();
}

/// Nothing when the text or the key was not written by us.
std::optional<SavedMemberHealth> FromEntry(const store::StateEntry& entry) {
  const Json json = Json::parse(entry.value.value_or(""), nullptr, false);
  const std::size_t slash = entry.key.find('/');
  if (!json.is_object() || slash == std::string::npos) {
    return std::nullopt;
  }
  const int status = json.value("status", 0);
  const int reason = json.value("reason", 0);
  if (status < 0 || status > static_cast<int>(MemberStatus::kOffline) || reason < 0 ||
      reason > static_cast<int>(HealthReason::kResponseMismatch)) {
    return std::nullopt;
  }
  return SavedMemberHealth{
      .pool = PoolId(entry.key.substr(0, slash)),
      .member = MemberId(entry.key.substr(slash + 1)),
      .health = {.status = static_cast<MemberStatus>(status),
                 .probed = json.value("probed", false),
                 .reason = static_cast<HealthReason>(reason),
                 .response_code = json.value("response_code", 0),
                 .since = WallTime(std::chrono::seconds(json.value("since", std::int64_t{0})))}};
}

template <std::size_t kSize>
std::string Encode(const std::array<std::byte, kSize>& bytes) {
  return crypto::Base64UrlEncode(crypto::AsText(bytes));
}

template <std::size_t kSize>
bool Decode(const std::string& text, std::array<std::byte, kSize>& into) {
  const auto bytes = crypto::Base64UrlDecode(text);
  if (!bytes || bytes->size() != kSize) {
    return false;
  }
  std::memcpy(into.data(), bytes->data(), kSize);
  return true;
}

}  // namespace

void KeptState::Attach(store::Store& store, control::Executor& executor) {
  const MutexLock lock(mutex_);
  store_ = &store;
  executor_ = &executor;
  if (!waiting_.empty()) {
    executor_->Run([this] { Flush(); });
  }
}

void KeptState::Detach() {
  const MutexLock lock(mutex_);
  executor_ = nullptr;
}

void KeptState::OnHealth(const SavedMemberHealth& saved) {
  const MutexLock lock(mutex_);
  const bool idle = waiting_.empty();
  waiting_[KeyOf(saved)] = ToText(saved.health);
  if (idle && executor_ != nullptr) {
    executor_->Run([this] { Flush(); });
  }
}

void KeptState::Flush() {
  std::map<std::string, std::string> batch;
  {
    const MutexLock lock(mutex_);
    batch = std::exchange(waiting_, {});
  }
  std::vector<store::StateEntry> entries;
  entries.reserve(batch.size());
  for (auto& [key, value] : batch) {
    entries.push_back({.key = key, .value = std::move(value)});
  }
  // A failure loses nothing that the next probes do not find out again.
  static_cast<void>(store_->PutState(kHealthArea, entries));
}

Result<std::vector<SavedMemberHealth>> KeptState::LoadHealth() {
  ELB_ASSIGN_OR_RETURN(const std::vector<store::StateEntry> entries,
                       store_->LoadState(kHealthArea));
  std::vector<SavedMemberHealth> saved;
  for (const store::StateEntry& entry : entries) {
    if (auto health = FromEntry(entry)) {
      saved.push_back(*std::move(health));
    }
  }
  return saved;
}

Result<void> KeptState::ForgetOthers(const control::State& state) {
  ELB_ASSIGN_OR_RETURN(const std::vector<store::StateEntry> entries,
                       store_->LoadState(kHealthArea));
  std::vector<store::StateEntry> gone;
  for (const store::StateEntry& entry : entries) {
    const auto saved = FromEntry(entry);
    if (!saved || state.members.Find(saved->member.value()) == nullptr) {
      gone.push_back({.key = entry.key, .value = std::nullopt});
    }
  }
  return gone.empty() ? Result<void>() : store_->PutState(kHealthArea, gone);
}

Result<void> KeptState::SaveTicketKeys(const tls::TicketKeys& keys) {
  Json list = Json::array();
  for (const tls::TicketKey& key : keys.Keys()) {
    list.push_back({{"name", Encode(key.name)},
                    {"cipher_key", Encode(key.cipher_key)},
                    {"mac_key", Encode(key.mac_key)},
                    {"created_at", Seconds(key.created_at)}});
  }
  const store::StateEntry entry{.key = "ring", .value = list.dump()};
  return store_->PutState(kTicketArea, std::span(&entry, 1), store::Protection::kSealed);
}

Result<void> KeptState::LoadTicketKeys(tls::TicketKeys& keys) {
  ELB_ASSIGN_OR_RETURN(const std::vector<store::StateEntry> entries,
                       store_->LoadState(kTicketArea));
  std::vector<tls::TicketKey> ring;
  for (const store::StateEntry& entry : entries) {
    const Json list = Json::parse(entry.value.value_or(""), nullptr, false);
    for (const Json& item : list.is_array() ? list : Json::array()) {
      tls::TicketKey key;
      if (Decode(item.value("name", std::string()), key.name) &&
          Decode(item.value("cipher_key", std::string()), key.cipher_key) &&
          Decode(item.value("mac_key", std::string()), key.mac_key)) {
        key.created_at = WallTime(std::chrono::seconds(item.value("created_at", std::int64_t{0})));
        ring.push_back(key);
      }
    }
  }
  keys.Restore(std::move(ring));
  return {};
}

Result<void> KeptState::SaveStickyKeys(const balancer::StickyKeys& keys) {
  Json list = Json::array();
  for (const balancer::StickyKey& key : keys.Keys()) {
    list.push_back(
        {{"id", key.id}, {"secret", Encode(key.secret)}, {"created_at", Seconds(key.created_at)}});
  }
  const store::StateEntry entry{.key = "ring", .value = list.dump()};
  return store_->PutState(kStickyArea, std::span(&entry, 1), store::Protection::kSealed);
}

Result<void> KeptState::LoadStickyKeys(balancer::StickyKeys& keys) {
  ELB_ASSIGN_OR_RETURN(const std::vector<store::StateEntry> entries,
                       store_->LoadState(kStickyArea));
  std::vector<balancer::StickyKey> ring;
  for (const store::StateEntry& entry : entries) {
    const Json list = Json::parse(entry.value.value_or(""), nullptr, false);
    for (const Json& item : list.is_array() ? list : Json::array()) {
      balancer::StickyKey key{.id = item.value("id", std::uint8_t{0})};
      if (Decode(item.value("secret", std::string()), key.secret)) {
        key.created_at = WallTime(std::chrono::seconds(item.value("created_at", std::int64_t{0})));
        ring.push_back(key);
      }
    }
  }
  keys.Restore(std::move(ring));
  return {};
}

}  // namespace elb::daemon
