#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "crypto/certificate.h"
#include "tls/server_context.h"

namespace elb::tls {

/// Lower case, without one trailing dot. Empty when the name matches nothing: empty label, longer
/// than 253 bytes, or bytes that a host name never has (data-plane.md 2.4).
[[nodiscard]] std::string NormalServerName(std::string_view name);

/// Which certificates carry a name: at most one per kind of key.
struct NamedCertificates {
  static constexpr std::size_t kNone = SIZE_MAX;
  std::size_t ec = kNone;   ///< Index given to `Add`.
  std::size_t rsa = kNone;  ///< Index given to `Add`.
  friend bool operator==(const NamedCertificates&, const NamedCertificates&) = default;
};

/// Certificates by server name: hash maps, so that a lookup costs the same among ten names and ten
/// thousand. Pure; immutable once filled.
class ServerNames {
 public:
  explicit ServerNames(SniMatch match) : match_(match) {}

  /// The first certificate added for a name and kind of key stays.
  void Add(std::string_view name, crypto::KeyType type, std::size_t index);
  /// `name` as made by `NormalServerName`. Null: none, so the default certificate.
  [[nodiscard]] const NamedCertificates* Find(std::string_view name) const;

 private:
  using Map = absl::flat_hash_map<std::string, NamedCertificates>;
  [[nodiscard]] static const NamedCertificates* Lookup(const Map& map, std::string_view name);

  SniMatch match_;
  Map exact_;
  Map wildcard_;  ///< By what follows `*.`.
};

}  // namespace elb::tls
