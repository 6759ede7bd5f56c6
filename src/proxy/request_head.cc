#include "proxy/request_head.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>

#include "http/cookie.h"
#include "proxy/request_identity.h"
#include "tls/server_stream.h"

namespace elb::proxy {
namespace {

using contract::ForwardedForMode;
using contract::InsertHeadersConfig;
using http::Field;
using http::FieldList;
using http::FieldName;
using http::h1::HeadWriter;

char Lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) {
      return false;
    }
  }
  return true;
}

bool IsHopByHop(FieldName name) {
  switch (name) {
    case FieldName::kConnection:
    case FieldName::kKeepAlive:
    case FieldName::kProxyConnection:
    case FieldName::kUpgrade:
    case FieldName::kTransferEncoding:
    case FieldName::kContentLength:
      return true;
    default:
      return false;
  }
}

/// Requests lose these as well (data-plane.md 4.7).
bool IsDroppedFromRequests(FieldName name) {
  return IsHopByHop(name) || name == FieldName::kProxy || name == FieldName::kTe ||
         name == FieldName::kHttp2Settings;
}

bool IsManaged(FieldName name) {
  return name >= FieldName::kXForwardedFor && name <= FieldName::kXForwardedClientcertEnd;
}

/// Nominating one of these in Connection has no effect.
bool IsProtectedFromNomination(FieldName name) {
  return name == FieldName::kHost || name == FieldName::kCookie ||
         name == FieldName::kAuthorization || IsManaged(name);
}

/// Names that the message's Connection fields nominate. Views into the message.
class Nominations {
 public:
  explicit Nominations(const FieldList& fields) {
    for (const Field& field : fields) {
      if (field.known == FieldName::kConnection) {
        Add(field.value);
      }
    }
  }

  [[nodiscard]] bool Contains(const Field& field) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (EqualIgnoringCase(names_[i], field.name)) {
        return !IsProtectedFromNomination(field.known);
      }
    }
    return false;
  }

 private:
  void Add(std::string_view value) {
    while (!value.empty() && count_ < names_.size()) {
      const std::size_t comma = value.find(',');
      std::string_view token = value.substr(0, comma);
      value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
      const std::size_t first = token.find_first_not_of(" \t");
      if (first == std::string_view::npos) {
        continue;
      }
      token = token.substr(first, token.find_last_not_of(" \t") - first + 1);
      if (!EqualIgnoringCase(token, "close") && !EqualIgnoringCase(token, "keep-alive")) {
        names_[count_++] = token;
      }
    }
  }

  std::array<std::string_view, 32> names_{};
  std::size_t count_ = 0;
};

/// Text of an address without allocation beyond the small string.
std::string AddressText(const IpAddress& address) { return address.ToString(); }

/// A managed name: which toggle rules it and what the client's copy becomes when it is off.
struct Toggle {
  bool on = false;
  bool passes_when_off = false;
};

Toggle ToggleOf(FieldName name, const InsertHeadersConfig& config, bool tls) {
  switch (name) {
    case FieldName::kXForwardedFor:
      return {.on = config.forwarded_for != ForwardedForMode::kPreserve, .passes_when_off = true};
    case FieldName::kXForwardedElbIp:
      return {.on = config.elb_ip, .passes_when_off = true};
    case FieldName::kXForwardedPort:
      return {.on = config.port, .passes_when_off = true};
    case FieldName::kXForwardedForPort:
      return {.on = config.for_port, .passes_when_off = true};
    case FieldName::kXForwardedHost:
      return {.on = config.host, .passes_when_off = true};
    case FieldName::kXForwardedProto:
      return {.on = config.proto, .passes_when_off = true};
    case FieldName::kXRealIp:
      return {.on = config.real_ip, .passes_when_off = true};
    case FieldName::kXForwardedElbId:
      return {.on = config.elb_id, .passes_when_off = true};
    default:
      break;
  }
  return {.on = tls, .passes_when_off = false};  // TLS facts: never the client's word.
}

/// Names under which this listener sets TLS facts; an alias of the configuration is the load
/// balancer's name as much as the usual one.
class AliasNames {
 public:
  explicit AliasNames(const InsertHeadersConfig& config) {
    for (const std::string* name :
         {&config.tls_protocol, &config.tls_cipher, &config.clientcert_subjectdn,
          &config.clientcert_issuerdn, &config.clientcert_fingerprint,
          &config.clientcert_clientverify, &config.clientcert_serialnumber, &config.clientcert,
          &config.clientcert_ciphers, &config.clientcert_end, &config.tls_alpn_protocol,
          &config.tls_sni, &config.tls_ja3, &config.tls_ja4}) {
      if (!name->empty()) {
        names_[count_++] = *name;
      }
    }
  }
  [[nodiscard]] bool Contains(std::string_view name) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (EqualIgnoringCase(names_[i], name)) {
        return true;
      }
    }
    return false;
  }

 private:
  std::array<std::string_view, 16> names_{};
  std::size_t count_ = 0;
};

class RequestHeadWriter {
 public:
  RequestHeadWriter(const RequestHeadInput& input, HeadWriter& writer)
      : request_(*input.request),
        config_(input.listener->insert_headers),
        input_(input),
        nominations_(request_.fields),
        aliases_(config_),
        writer_(writer) {}

  void Write() {
    writer_.AppendRequestLine(request_.method_text, request_.target);
    bool has_host = false;
    for (const Field& field : request_.fields) {
      if (field.known == FieldName::kHost) {
        WriteHost(has_host);
      } else if (field.known == FieldName::kCookie && !input_.hidden_cookies.empty()) {
        WriteCookie(field);
      } else if (Relays(field)) {
        writer_.AppendField(field.name, field.value);
      }
    }
    WriteHost(has_host);
    WriteForwardedFor();
    WriteToggles();
    if (SendsId()) {
      writer_.AppendField(input_.listener->request_id.header, input_.request_id);
    }
    if (input_.connection->tls != nullptr) {
      WriteTlsFacts();
    }
    WriteFraming();
  }

 private:
  void WriteHost(bool& written) {
    if (written) {
      return;
    }
    written = true;
    if (request_.authority.empty()) {
      writer_.AppendField("Host", AddressText(input_.connection->local().address));
    } else {
      writer_.AppendField("Host", request_.authority);
    }
  }

  /// Without the load balancer's own cookies; all else stays as it came.
  void WriteCookie(const Field& field) {
    if (!http::HasCookie(field.value, input_.hidden_cookies)) {
      writer_.AppendField(field.name, field.value);
      return;
    }
    std::string rest;
    http::WriteCookieWithout(field.value, input_.hidden_cookies, rest);
    if (!rest.empty()) {
      writer_.AppendField(field.name, rest);
    }
  }

  [[nodiscard]] bool Relays(const Field& field) const {
    if (IsDroppedFromRequests(field.known) || nominations_.Contains(field)) {
      return false;
    }
    if (IsManaged(field.known)) {
      const Toggle toggle = ToggleOf(field.known, config_, input_.connection->tls != nullptr);
      return !toggle.on && toggle.passes_when_off;
    }
    return !http::IsDisguisedManagedName(field.name) && !aliases_.Contains(field.name) &&
           !(SendsId() && IsSpellingOf(field.name, input_.listener->request_id.header));
  }

  [[nodiscard]] bool SendsId() const { return !input_.request_id.empty(); }

  void WriteForwardedFor() {
    if (config_.forwarded_for != ForwardedForMode::kAppend) {
      return;
    }
    writer_.Append("X-Forwarded-For: ");
    for (const Field& field : request_.fields) {
      if (field.known == FieldName::kXForwardedFor && !field.value.empty()) {
        writer_.Append(field.value);
        writer_.Append(", ");
      }
    }
    writer_.Append(AddressText(input_.connection->client.address));
    writer_.Append("\r\n");
  }

  void WriteToggles() {
    const contract::ListenerConfig& listener = *input_.listener;
    if (config_.elb_ip) {
      const auto& eip = listener.load_balancer.eip;
      writer_.AppendField("X-Forwarded-ELB-IP",
                          AddressText(eip ? *eip : input_.connection->local().address));
    }
    if (config_.port) {
      writer_.AppendField("X-Forwarded-Port", listener.port);
    }
    if (config_.for_port) {
      writer_.AppendField("X-Forwarded-For-Port", input_.connection->client.port);
    }
    if (config_.host && !request_.authority.empty()) {
      writer_.AppendField("X-Forwarded-Host", request_.authority);
    }
    if (config_.proto) {
      writer_.AppendField("X-Forwarded-Proto",
                          input_.connection->tls != nullptr ? "https" : "http");
    }
    if (config_.real_ip) {
      writer_.AppendField("X-Real-IP", AddressText(*input_.client));
    }
    if (config_.elb_id) {
      writer_.AppendField("X-Forwarded-ELB-ID", listener.load_balancer.id.value());
    }
  }

  void WriteOptional(const std::string& name, std::string_view value) {
    if (!name.empty() && !value.empty()) {
      writer_.AppendField(name, value);
    }
  }

  void WriteTlsFacts() {
    tls::ServerStream& stream = *input_.connection->tls;
    const tls::Facts& facts = stream.facts();
    if (config_.tls_certificate_id) {
      writer_.AppendField("X-Forwarded-TLS-Certificate-ID", facts.certificate_id);
    }
    WriteOptional(config_.tls_protocol, facts.version);
    WriteOptional(config_.tls_cipher, facts.cipher);
    WriteOptional(config_.tls_sni, facts.sni);
    if (facts.alpn != tls::Alpn::kNone) {
      WriteOptional(config_.tls_alpn_protocol, facts.alpn == tls::Alpn::kHttp2 ? "h2" : "http/1.1");
    }
    if (!config_.clientcert_ciphers.empty() || !config_.tls_ja3.empty() ||
        !config_.tls_ja4.empty()) {
      const tls::ClientHelloFacts& hello = stream.client_hello();
      WriteOptional(config_.clientcert_ciphers, hello.ciphers);
      WriteOptional(config_.tls_ja3, hello.ja3);
      WriteOptional(config_.tls_ja4, hello.ja4);
    }
    WriteOptional(config_.clientcert_clientverify,
                  facts.has_client_certificate ? "SUCCESS" : "NONE");
    if (facts.has_client_certificate) {
      WriteClientCertificate(stream);
    }
  }

  void WriteClientCertificate(tls::ServerStream& stream) {
    if (config_.clientcert_subjectdn.empty() && config_.clientcert_issuerdn.empty() &&
        config_.clientcert_fingerprint.empty() && config_.clientcert_serialnumber.empty() &&
        config_.clientcert.empty() && config_.clientcert_end.empty()) {
      return;
    }
    const tls::ClientCertificateFacts& certificate = stream.client_certificate();
    WriteOptional(config_.clientcert_subjectdn, certificate.subject);
    WriteOptional(config_.clientcert_issuerdn, certificate.issuer);
    WriteOptional(config_.clientcert_fingerprint, certificate.fingerprint);
    WriteOptional(config_.clientcert_serialnumber, certificate.serial);
    WriteOptional(config_.clientcert, certificate.pem_escaped);
    WriteOptional(config_.clientcert_end, certificate.not_after);
  }

  void WriteFraming() {
    if (input_.upgrade) {
      writer_.Append("Connection: upgrade\r\nUpgrade: websocket\r\n");
    } else if (request_.accepts_trailers) {
      writer_.Append("Connection: TE\r\nTE: trailers\r\n");
    }
    if (input_.framing == UpstreamFraming::kLength) {
      writer_.AppendField("Content-Length", request_.content_length);
    } else if (input_.framing == UpstreamFraming::kChunked) {
      writer_.AppendField("Transfer-Encoding", "chunked");
    }
    writer_.End();
  }

  const http::RequestHead& request_;
  const InsertHeadersConfig& config_;
  const RequestHeadInput& input_;
  Nominations nominations_;
  AliasNames aliases_;
  HeadWriter& writer_;
};

/// Methods whose requests declare no length when they have no content (RFC 9110 section 8.6).
bool UsuallyHasNoContent(http::Method method) {
  return method == http::Method::kGet || method == http::Method::kHead ||
         method == http::Method::kOptions || method == http::Method::kDelete;
}

}  // namespace

UpstreamFraming ChooseUpstreamFraming(const http::RequestHead& request) {
  switch (request.framing) {
    case http::Framing::kLength:
      return UpstreamFraming::kLength;
    case http::Framing::kChunked:
    case http::Framing::kUntilEnd:
      return UpstreamFraming::kChunked;
    case http::Framing::kNone:
      break;
  }
  const bool says_length_0 =
      request.version == http::Version::kHttp2 && !UsuallyHasNoContent(request.method);
  return says_length_0 ? UpstreamFraming::kLength : UpstreamFraming::kNone;
}

void WriteRequestHead(const RequestHeadInput& input, HeadWriter& writer) {
  RequestHeadWriter(input, writer).Write();
}

void FilterResponseFields(const http::ResponseHead& response, FieldList& fields) {
  const Nominations nominations(response.fields);
  fields.clear();
  for (const Field& field : response.fields) {
    if (!IsHopByHop(field.known) && !nominations.Contains(field)) {
      fields.push_back(field);
    }
  }
}

}  // namespace elb::proxy
