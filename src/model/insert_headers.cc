#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "model/listener.h"

namespace elb::model {
namespace {

enum class Form : std::uint8_t { kFlag, kAlias, kMode };

struct Known {
  std::string_view key;
  Form form;
  bool shown_always;
  bool flag_default;
};

/// Every key of api-v3.md 2.2, in the order of its table.
constexpr std::array kKnown = {
    Known{"X-Forwarded-ELB-IP", Form::kFlag, true, false},
    Known{"X-Forwarded-Port", Form::kFlag, true, false},
    Known{"X-Forwarded-For-Port", Form::kFlag, true, false},
    Known{"X-Forwarded-Host", Form::kFlag, true, true},
    Known{"X-Forwarded-Proto", Form::kFlag, false, false},
    Known{"X-Real-IP", Form::kFlag, false, false},
    Known{"X-Forwarded-ELB-ID", Form::kFlag, false, false},
    Known{"X-Forwarded-TLS-Certificate-ID", Form::kFlag, false, false},
    Known{"X-Forwarded-TLS-Protocol", Form::kFlag, false, false},
    Known{"X-Forwarded-TLS-Protocol-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-TLS-Cipher", Form::kFlag, false, false},
    Known{"X-Forwarded-TLS-Cipher-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-For-Processing-Mode", Form::kMode, false, false},
    Known{"X-Forwarded-Clientcert-subjectdn-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-subjectdn-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-issuerdn-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-issuerdn-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-fingerprint-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-fingerprint-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-clientverify-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-clientverify-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-serialnumber-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-serialnumber-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-ciphers-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-ciphers-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Clientcert-end-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Clientcert-end-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Tls-Alpn-Protocol-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Tls-Alpn-Protocol-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Tls-Sni-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Tls-Sni-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Tls-Ja3-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Tls-Ja3-alias", Form::kAlias, false, false},
    Known{"X-Forwarded-Tls-Ja4-enable", Form::kFlag, false, false},
    Known{"X-Forwarded-Tls-Ja4-alias", Form::kAlias, false, false},
};

Result<InsertHeader> ReadOne(const Known& known, const Json& value) {
  const std::string path = fmt::format("listener.insert_headers.{}", known.key);
  InsertHeader header{.key = std::string(known.key), .is_flag = known.form == Form::kFlag};
  if (header.is_flag) {
    if (!value.is_boolean()) {
      return Invalid(path, fmt::format("{} must be true or false", path));
    }
    header.flag = value.get<bool>();
    return header;
  }
  if (!value.is_string()) {
    return Invalid(path, fmt::format("{} must be a string", path));
  }
  header.text = value.get<std::string>();
  static const re2::RE2 alias("[A-Za-z0-9_-]{1,40}");
  const bool good =
      known.form == Form::kAlias
          ? re2::RE2::FullMatch(header.text, alias)
          : header.text == "append" || header.text == "remove" || header.text == "preserve";
  if (!good) {
    return Invalid(path, known.form == Form::kAlias
                             ? fmt::format("{} must have 1 to 40 letters, digits, _ or -", path)
                             : fmt::format("{} must be append, remove or preserve", path));
  }
  return header;
}

}  // namespace

Result<void> MergeInsertHeaders(const Json& given, Listener& listener) {
  if (given.is_null()) {
    listener.insert_headers.clear();
    return {};
  }
  if (!given.is_object()) {
    return Invalid("listener.insert_headers", "insert_headers must be an object");
  }
  for (const Known& known : kKnown) {
    const auto found = given.find(std::string(known.key));
    if (found == given.end()) {
      continue;
    }
    ELB_ASSIGN_OR_RETURN(InsertHeader header, ReadOne(known, *found));
    std::erase_if(listener.insert_headers,
                  [&](const InsertHeader& old) { return old.key == known.key; });
    listener.insert_headers.push_back(std::move(header));
  }
  return {};
}

Json ShowInsertHeaders(const Listener& listener) {
  Json shown = Json::object();
  for (const Known& known : kKnown) {
    const auto found = std::ranges::find(listener.insert_headers, known.key, &InsertHeader::key);
    if (found != listener.insert_headers.end()) {
      shown[std::string(known.key)] = found->is_flag ? Json(found->flag) : Json(found->text);
    } else if (known.shown_always && listener.is_l7()) {
      shown[std::string(known.key)] = known.flag_default;
    }
  }
  return shown;
}

}  // namespace elb::model
