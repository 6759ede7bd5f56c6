#include "tls/server_names.h"

#include <absl/strings/ascii.h>
#include <absl/strings/string_view.h>

#include <algorithm>

#include "base/ip.h"

namespace elb::tls {
namespace {

constexpr std::size_t kNameBytesMax = 253;
constexpr std::string_view kWildcard = "*.";

/// Visible ASCII. Host names have less, but what is configured decides about that.
bool IsNameByte(char byte) { return byte > ' ' && byte <= '~'; }

}  // namespace

std::string NormalServerName(std::string_view name) {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  const bool empty_label =
      name.empty() || name.starts_with('.') || name.ends_with('.') || name.contains("..");
  if (empty_label || name.size() > kNameBytesMax || !std::ranges::all_of(name, &IsNameByte)) {
    return {};
  }
  return absl::AsciiStrToLower({name.data(), name.size()});
}

void ServerNames::Add(std::string_view name, crypto::KeyType type, std::size_t index) {
  const bool wildcard = name.starts_with(kWildcard);
  Map& map = wildcard ? wildcard_ : exact_;
  NamedCertificates& found = map[std::string(name.substr(wildcard ? kWildcard.size() : 0))];
  std::size_t& slot = type == crypto::KeyType::kEc ? found.ec : found.rsa;
  if (slot == NamedCertificates::kNone) {
    slot = index;
  }
}

const NamedCertificates* ServerNames::Find(std::string_view name) const {
  if (name.empty() || (exact_.empty() && wildcard_.empty()) || IpAddress::Parse(name)) {
    return nullptr;
  }
  if (const NamedCertificates* found = Lookup(exact_, name)) {
    return found;
  }
  // From the longest suffix to the shortest; `kWildcard` looks at the first one only.
  std::size_t dot = name.find('.');
  while (dot != std::string_view::npos) {
    const NamedCertificates* found = Lookup(wildcard_, name.substr(dot + 1));
    if (found != nullptr || match_ == SniMatch::kWildcard) {
      return found;
    }
    dot = name.find('.', dot + 1);
  }
  return nullptr;
}

const NamedCertificates* ServerNames::Lookup(const Map& map, std::string_view name) {
  const auto found = map.find(absl::string_view(name.data(), name.size()));
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace elb::tls
