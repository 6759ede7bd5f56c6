#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "model/field.h"
#include "model/listener.h"

namespace elb::model {
namespace {

enum class Form : std::uint8_t { kFlag, kAlias, kMode };

struct Known {
  std::string_view key;
  Form form;
  bool shown_always;
  bool flag_default;
  std::string_view doc;
};

/// Every key of api-v3.md 2.2, in the order of its table.
constexpr std::array kKnown = {
    Known{"X-Forwarded-ELB-IP", Form::kFlag, true, false,
          "Tells the backend the public address of the load balancer, or the private one without "
          "it."},
    Known{"X-Forwarded-Port", Form::kFlag, true, false, "Tells the backend the listener's port."},
    Known{"X-Forwarded-For-Port", Form::kFlag, true, false,
          "Tells the backend the client's source port."},
    Known{"X-Forwarded-Host", Form::kFlag, true, true, "Copies the client's Host."},
    Known{"X-Forwarded-Proto", Form::kFlag, false, false,
          "Tells the backend the listener's protocol, http or https."},
    Known{"X-Real-IP", Form::kFlag, false, false, "Tells the backend the client's address."},
    Known{"X-Forwarded-ELB-ID", Form::kFlag, false, false,
          "Tells the backend the load balancer's ID."},
    Known{"X-Forwarded-TLS-Certificate-ID", Form::kFlag, false, false,
          "Tells the backend the certificate's ID (HTTPS)."},
    Known{"X-Forwarded-TLS-Protocol", Form::kFlag, false, false,
          "Tells the backend the TLS version negotiated (HTTPS)."},
    Known{"X-Forwarded-TLS-Protocol-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-TLS-Protocol."},
    Known{"X-Forwarded-TLS-Cipher", Form::kFlag, false, false,
          "Tells the backend the cipher suite negotiated (HTTPS)."},
    Known{"X-Forwarded-TLS-Cipher-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-TLS-Cipher."},
    Known{"X-Forwarded-For-Processing-Mode", Form::kMode, false, false,
          "What to do with X-Forwarded-For: append, remove or preserve."},
    Known{"X-Forwarded-Clientcert-subjectdn-enable", Form::kFlag, false, false,
          "Tells the backend the subject of the client's certificate (HTTPS)."},
    Known{"X-Forwarded-Clientcert-subjectdn-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-subjectdn."},
    Known{"X-Forwarded-Clientcert-issuerdn-enable", Form::kFlag, false, false,
          "Tells the backend the issuer of the client's certificate (HTTPS)."},
    Known{"X-Forwarded-Clientcert-issuerdn-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-issuerdn."},
    Known{"X-Forwarded-Clientcert-fingerprint-enable", Form::kFlag, false, false,
          "Tells the backend the fingerprint of the client's certificate (HTTPS)."},
    Known{"X-Forwarded-Clientcert-fingerprint-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-fingerprint."},
    Known{"X-Forwarded-Clientcert-clientverify-enable", Form::kFlag, false, false,
          "Tells the backend whether the client's certificate was verified (HTTPS)."},
    Known{"X-Forwarded-Clientcert-clientverify-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-clientverify."},
    Known{"X-Forwarded-Clientcert-serialnumber-enable", Form::kFlag, false, false,
          "Tells the backend the serial number of the client's certificate (HTTPS)."},
    Known{"X-Forwarded-Clientcert-serialnumber-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-serialnumber."},
    Known{"X-Forwarded-Clientcert-enable", Form::kFlag, false, false,
          "Passes the client's certificate to the backend (HTTPS)."},
    Known{"X-Forwarded-Clientcert-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert."},
    Known{"X-Forwarded-Clientcert-ciphers-enable", Form::kFlag, false, false,
          "Tells the backend the cipher suites that the client offers (HTTPS)."},
    Known{"X-Forwarded-Clientcert-ciphers-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-ciphers."},
    Known{"X-Forwarded-Clientcert-end-enable", Form::kFlag, false, false,
          "Tells the backend when the client's certificate expires (HTTPS)."},
    Known{"X-Forwarded-Clientcert-end-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Clientcert-end."},
    Known{"X-Forwarded-Tls-Alpn-Protocol-enable", Form::kFlag, false, false,
          "Tells the backend the protocol negotiated by ALPN (HTTPS)."},
    Known{"X-Forwarded-Tls-Alpn-Protocol-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Tls-Alpn-Protocol."},
    Known{"X-Forwarded-Tls-Sni-enable", Form::kFlag, false, false,
          "Tells the backend the server name that the client asked for (HTTPS)."},
    Known{"X-Forwarded-Tls-Sni-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Tls-Sni."},
    Known{"X-Forwarded-Tls-Ja3-enable", Form::kFlag, false, false,
          "Tells the backend the client's JA3 fingerprint (HTTPS)."},
    Known{"X-Forwarded-Tls-Ja3-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Tls-Ja3."},
    Known{"X-Forwarded-Tls-Ja4-enable", Form::kFlag, false, false,
          "Tells the backend the client's JA4 fingerprint (HTTPS)."},
    Known{"X-Forwarded-Tls-Ja4-alias", Form::kAlias, false, false,
          "Header name to use instead of X-Forwarded-Tls-Ja4."},
};

constexpr const char* kAliasForm = "[A-Za-z0-9_-]{1,40}";

Result<InsertHeader> ReadOne(const Known& known, const Json& value, const std::string& path) {
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
  const bool good =
      known.form == Form::kAlias
          ? re2::RE2::FullMatch(header.text, kAliasForm)
          : header.text == "append" || header.text == "remove" || header.text == "preserve";
  if (!good) {
    return Invalid(path, known.form == Form::kAlias
                             ? fmt::format("{} must have 1 to 40 letters, digits, _ or -", path)
                             : fmt::format("{} must be append, remove or preserve", path));
  }
  return header;
}

FieldSpec Describe(const Known& known) {
  Field field = Field::Derived(std::string(known.key),
                               known.form == Form::kFlag ? ValueType::kFlag : ValueType::kText)
                    .Label(std::string(known.key))
                    .Set(Access::kCreateAndUpdate)
                    .Doc(std::string(known.doc));
  switch (known.form) {
    case Form::kFlag:
      return std::move(field).DefaultNote(known.flag_default ? "true" : "false");
    case Form::kAlias:
      return std::move(field).Range(1, 40).Pattern(kAliasForm);
    case Form::kMode:
      break;
  }
  return std::move(field).OneOf({"append", "remove", "preserve"}).DefaultNote("append");
}

}  // namespace

const Schema& InsertHeadersSchema() {
  static const Schema schema = [] {
    std::vector<FieldSpec> fields;
    fields.reserve(std::size(kKnown));
    for (const Known& known : kKnown) {
      fields.push_back(Describe(known));
    }
    return Schema("insert_headers", std::move(fields));
  }();
  return schema;
}

Result<void> MergeInsertHeaders(const Json& given, const std::string& path, Listener& listener) {
  if (given.is_null()) {
    listener.insert_headers.clear();
    return {};
  }
  if (!given.is_object()) {
    return Invalid(path, fmt::format("{} must be an object", path));
  }
  std::vector<InsertHeader> merged;
  for (const Known& known : kKnown) {
    const auto found = given.find(std::string(known.key));
    const auto old = std::ranges::find(listener.insert_headers, known.key, &InsertHeader::key);
    if (found != given.end()) {
      ELB_ASSIGN_OR_RETURN(InsertHeader header,
                           ReadOne(known, *found, fmt::format("{}.{}", path, known.key)));
      merged.push_back(std::move(header));
    } else if (old != listener.insert_headers.end()) {
      merged.push_back(*old);
    }
  }
  listener.insert_headers = std::move(merged);
  return {};
}

void WriteInsertHeaders(const Listener& listener, Purpose purpose, Json& out) {
  out = Json::object();
  for (const Known& known : kKnown) {
    const auto found = std::ranges::find(listener.insert_headers, known.key, &InsertHeader::key);
    if (found != listener.insert_headers.end()) {
      out[std::string(known.key)] = found->is_flag ? Json(found->flag) : Json(found->text);
    } else if (known.shown_always && listener.is_l7() && purpose != Purpose::kStored) {
      out[std::string(known.key)] = known.flag_default;
    }
  }
}

}  // namespace elb::model
