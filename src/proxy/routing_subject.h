#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/ip.h"
#include "http/message.h"

namespace elb::proxy {

/// What forwarding rules look at.
struct RouteRequest {
  const http::RequestHead* head = nullptr;
  const IpAddress* client = nullptr;  ///< Whom the request comes from.
};

/// Number of a key among those that a listener's rules name.
using KeySlot = std::uint32_t;

/// Lets a table of texts be searched with views.
struct TextHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's word.
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

/// Keys of HEADER rules (lower case) or of QUERY_STRING rules of one listener.
class KeyTable {
 public:
  /// The slot of `key`, a new one for a new key.
  [[nodiscard]] KeySlot Add(std::string_view key);
  [[nodiscard]] std::optional<KeySlot> Find(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  /// Longer texts are no key of the table.
  [[nodiscard]] std::size_t key_bytes_max() const { return key_bytes_max_; }

 private:
  absl::flat_hash_map<std::string, KeySlot, TextHash, std::equal_to<>> slots_;
  std::size_t key_bytes_max_ = 0;
};

struct KeyTables {
  KeyTable headers;
  KeyTable query;
};

/// Values of one request by key. Reused: capacity stays.
class KeyedValues {
 public:
  void Reset(std::size_t slots);
  void Add(KeySlot slot, std::string_view value);
  [[nodiscard]] bool Has(KeySlot slot) const { return ends_[slot].first != kNone; }
  /// Adds, for each slot with several values, all of them joined by `joint`. `arena` holds the text
  /// and must have the capacity for it.
  void JoinRepeated(std::string_view joint, std::string& arena);

  /// True when `predicate` holds for some value of `slot`.
  template <typename Predicate>
  [[nodiscard]] bool Any(KeySlot slot, const Predicate& predicate) const {
    for (std::uint32_t at = ends_[slot].first; at != kNone; at = entries_[at].next) {
      if (predicate(entries_[at].value)) {
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Entry {
    std::string_view value;
    std::uint32_t next = kNone;
  };
  struct Ends {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  std::vector<Ends> ends_;  ///< By slot.
  std::vector<Entry> entries_;
};

/// Memory that deciding about a request takes; one per worker, so that a decision allocates nothing
/// once capacities have grown. Bounded by the largest request head.
struct RoutingScratch {
  std::string host;
  std::string path;
  std::string text;
  std::string header_arena;
  std::string query_arena;
  KeyedValues headers;
  KeyedValues query;
  std::vector<std::uint8_t> verdicts;
  std::string location;
};

/// One request as rules see it (data-plane.md 10.3); each fact is made when first asked for.
/// Lives during one decision.
class RoutingSubject {
 public:
  RoutingSubject(const RouteRequest& request, const KeyTables& keys, RoutingScratch& scratch)
      : request_(&request), keys_(&keys), scratch_(&scratch) {}

  /// Lower case, without port, brackets and trailing dot; empty when the request has none.
  [[nodiscard]] std::string_view host();
  /// Normalised.
  [[nodiscard]] std::string_view path();
  /// Lower-cased values: each field line, and where there are several also all of them joined.
  [[nodiscard]] const KeyedValues& headers();
  /// Decoded values.
  [[nodiscard]] const KeyedValues& query();
  [[nodiscard]] http::Method method() const { return request_->head->method; }
  [[nodiscard]] const IpAddress& client() const { return *request_->client; }

 private:
  void GatherHeaders();
  void GatherQuery();

  const RouteRequest* request_;
  const KeyTables* keys_;
  RoutingScratch* scratch_;
  std::optional<std::string_view> host_;
  std::optional<std::string_view> path_;
  bool has_headers_ = false;
  bool has_query_ = false;
};

/// ASCII letters in lower case.
[[nodiscard]] std::string LowerCase(std::string_view text);

}  // namespace elb::proxy
