#include "proxy/request_identity.h"

#include <algorithm>
#include <span>

#include "proxy/access.h"

namespace elb::proxy {
namespace {

using contract::RequestIdConfig;
using contract::RequestIdMode;

constexpr std::size_t kExternalMax = 128;

char Folded(char letter) {
  if (letter == '_') {
    return '-';
  }
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

bool IsIdCharacter(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= 'a' && letter <= 'z') || std::string_view("._:+/=@-").contains(letter);
}

bool IsUsable(std::string_view value) {
  return !value.empty() && value.size() <= kExternalMax &&
         std::ranges::all_of(value, &IsIdCharacter);
}

/// The value of the one field `header`; empty: none, several in whatever spelling, or unusable.
std::string_view ClientsOwn(const http::RequestHead& request, std::string_view header) {
  const http::Field* found = nullptr;
  for (const http::Field& field : request.fields) {
    if (IsSpellingOf(field.name, header)) {
      if (found != nullptr) {
        return {};
      }
      found = &field;
    }
  }
  const bool usable = found != nullptr && !found->name.contains('_') && IsUsable(found->value);
  return usable ? found->value : std::string_view();
}

}  // namespace

bool IsSpellingOf(std::string_view name, std::string_view header) {
  return std::ranges::equal(name, header, {}, &Folded, &Folded);
}

void SetField(http::FieldList& fields, std::string_view header, std::string_view value) {
  std::erase_if(fields, [&](const http::Field& field) { return IsSpellingOf(field.name, header); });
  fields.push_back({.name = header, .value = value});
}

void RequestIdentity::Begin(const CompiledListener& listener, const http::RequestHead& request,
                            const IpAddress& peer, const RequestId& id) {
  const RequestIdConfig& config = listener.config->request_id;
  size_ =
      id.Print(config.uuid_format ? RequestIdFormat::kUuid : RequestIdFormat::kHex, text_).size();
  const bool trusted = config.trusted.empty() ||
                       (listener.id_senders != nullptr && listener.id_senders->Contains(peer));
  if (config.mode == RequestIdMode::kTrusted && trusted) {
    external_ = ClientsOwn(request, config.header);
  }
}

}  // namespace elb::proxy
