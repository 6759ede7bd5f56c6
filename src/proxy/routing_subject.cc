#include "proxy/routing_subject.h"

#include <algorithm>
#include <cstddef>

#include "http/uri.h"

namespace elb::proxy {
namespace {

constexpr std::string_view kJoint = ", ";

char Lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
}

/// Appends to an arena whose capacity is reserved, so that earlier views stay.
std::string_view Keep(std::string& arena, std::string_view text) {
  const std::size_t start = arena.size();
  arena += text;
  return std::string_view(arena).substr(start);
}

/// The same in lower case.
std::string_view KeepLower(std::string& arena, std::string_view text) {
  const std::string_view kept = Keep(arena, text);
  std::ranges::transform(kept, arena.end() - static_cast<std::ptrdiff_t>(kept.size()), &Lower);
  return kept;
}

/// The slot of a field name in any case. `space` is overwritten.
std::optional<KeySlot> SlotOfField(const KeyTable& table, std::string_view name,
                                   std::string& space) {
  if (name.size() > table.key_bytes_max()) {
    return std::nullopt;
  }
  space.assign(name);
  std::ranges::transform(space, space.begin(), &Lower);
  return table.Find(space);
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), &Lower);
  return lower;
}

KeySlot KeyTable::Add(std::string_view key) {
  key_bytes_max_ = std::max(key_bytes_max_, key.size());
  return slots_.try_emplace(key, static_cast<KeySlot>(slots_.size())).first->second;
}

std::optional<KeySlot> KeyTable::Find(std::string_view key) const {
  const auto found = slots_.find(key);
  return found == slots_.end() ? std::nullopt : std::optional(found->second);
}

void KeyedValues::Reset(std::size_t slots) {
  ends_.assign(slots, Ends{});
  entries_.clear();
}

void KeyedValues::Add(KeySlot slot, std::string_view value) {
  const auto added = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({.value = value});
  Ends& ends = ends_[slot];
  if (ends.first == kNone) {
    ends.first = added;
  } else {
    entries_[ends.last].next = added;
  }
  ends.last = added;
}

void KeyedValues::JoinRepeated(std::string_view joint, std::string& arena) {
  for (KeySlot slot = 0; slot < ends_.size(); ++slot) {
    const Ends ends = ends_[slot];
    if (ends.first == ends.last) {
      continue;
    }
    const std::size_t start = arena.size();
    for (std::uint32_t at = ends.first; at != kNone; at = entries_[at].next) {
      arena += at == ends.first ? std::string_view{} : joint;
      arena += entries_[at].value;
    }
    Add(slot, std::string_view(arena).substr(start));
  }
}

std::string_view RoutingSubject::host() {
  if (!host_) {
    host_ = http::MatchHost(request_->head->authority, scratch_->host);
  }
  return *host_;
}

std::string_view RoutingSubject::path() {
  if (!path_) {
    path_ = http::MatchPath(request_->head->path, scratch_->path);
  }
  return *path_;
}

const KeyedValues& RoutingSubject::headers() {
  if (!has_headers_) {
    has_headers_ = true;
    GatherHeaders();
  }
  return scratch_->headers;
}

const KeyedValues& RoutingSubject::query() {
  if (!has_query_) {
    has_query_ = true;
    GatherQuery();
  }
  return scratch_->query;
}

void RoutingSubject::GatherHeaders() {
  const KeyTable& table = keys_->headers;
  KeyedValues& values = scratch_->headers;
  std::string& arena = scratch_->header_arena;
  const http::RequestHead& head = *request_->head;
  values.Reset(table.size());
  arena.clear();
  std::size_t bytes = head.authority.size();
  for (const http::Field& field : head.fields) {
    bytes += 2 * field.value.size() + kJoint.size();  // Alone, and joined with those of its name.
  }
  arena.reserve(bytes);
  bool several = false;
  for (const http::Field& field : head.fields) {
    if (const auto slot = SlotOfField(table, field.name, scratch_->text)) {
      several = several || values.Has(*slot);
      values.Add(*slot, KeepLower(arena, field.value));
    }
  }
  // HTTP/2 has :authority instead; rules ask the same of both versions.
  if (const auto host = table.Find("host"); host && !values.Has(*host)) {
    values.Add(*host, KeepLower(arena, head.authority));
  }
  if (several) {
    values.JoinRepeated(kJoint, arena);
  }
}

void RoutingSubject::GatherQuery() {
  const KeyTable& table = keys_->query;
  KeyedValues& values = scratch_->query;
  std::string& arena = scratch_->query_arena;
  std::string_view query = request_->head->query;
  values.Reset(table.size());
  arena.clear();
  arena.reserve(query.size());
  http::QueryParameter parameter;
  while (http::NextQueryParameter(query, parameter)) {
    if (const auto slot = table.Find(http::DecodeQueryText(parameter.key, scratch_->text))) {
      values.Add(*slot, Keep(arena, http::DecodeQueryText(parameter.value, scratch_->text)));
    }
  }
}

}  // namespace elb::proxy
