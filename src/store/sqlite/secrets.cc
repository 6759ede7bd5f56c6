#include "store/sqlite/secrets.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace elb::store::sqlite {
namespace {

// A row holds name and sealed value of each secret in turn, each as "<length>:<bytes>".
void Append(std::string& out, std::string_view part) {
  out += fmt::format("{}:", part.size());
  out += part;
}

/// Takes the next part off `rest`; `nullopt` when it is damaged.
std::optional<std::string_view> Take(std::string_view& rest) {
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string digits(rest.substr(0, colon));
  std::size_t size = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  rest.remove_prefix(colon + 1);
  if (failure != std::errc() || end != digits.data() + digits.size() || size > rest.size()) {
    return std::nullopt;
  }
  const std::string_view part = rest.substr(0, size);
  rest.remove_prefix(size);
  return part;
}

std::string BelongsTo(Key key, std::string_view field) {
  return crypto::AssociatedData({"document", key.project, key.kind, key.id, field});
}

std::unexpected<Error> About(Key key, std::string_view problem) {
  return Failure(ErrorKind::kStorage, std::string(key.id),
                 fmt::format("secrets of {} {}: {}", key.kind, key.id, problem));
}

}  // namespace

Result<std::string> SealSecrets(const crypto::Sealer& sealer, Key key, const Secrets& secrets) {
  std::string stored;
  for (const auto& [field, plaintext] : secrets) {
    ELB_ASSIGN_OR_RETURN(const std::string sealed, sealer.Seal(plaintext, BelongsTo(key, field)));
    Append(stored, field);
    Append(stored, sealed);
  }
  return stored;
}

Result<Secrets> UnsealSecrets(const crypto::Sealer& sealer, Key key, std::string_view stored) {
  Secrets secrets;
  while (!stored.empty()) {
    const auto field = Take(stored);
    const auto sealed = field ? Take(stored) : std::nullopt;
    if (!sealed) {
      return About(key, "they are damaged");
    }
    auto plaintext = sealer.Unseal(*sealed, BelongsTo(key, *field));
    if (!plaintext) {
      return About(key, plaintext.error().message);
    }
    secrets.emplace(*field, *std::move(plaintext));
  }
  return secrets;
}

}  // namespace elb::store::sqlite
