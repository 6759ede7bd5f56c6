#include "http/h1/request_rules.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "http/h1/fields.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

/// Length of `http://` or `https://` at the front, any case; 0 if neither.
std::size_t SchemeLength(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return 0;
}

/// Splits an absolute-form target behind its scheme. Userinfo fails as a character of the host.
bool SplitAbsolute(RequestHead& head, std::string_view behind_scheme, std::string& rewritten) {
  const std::size_t end = std::min(behind_scheme.find_first_of("/?"), behind_scheme.size());
  head.authority = behind_scheme.substr(0, end);
  const std::string_view local = behind_scheme.substr(end);
  if (local.starts_with('/')) {
    head.target = local;
  } else if (local.empty()) {
    // RFC 9112 section 3.2.4: the asterisk-form in its absolute spelling.
    head.target = head.method == Method::kOptions ? "*" : "/";
  } else {
    rewritten.assign("/").append(local);
    head.target = rewritten;
  }
  return IsValidAuthority(head.authority);
}

/// The fields that rules exist for; of a repeated one, the last.
struct NotedFields {
  const Field* host = nullptr;
  const Field* length = nullptr;
  const Field* coding = nullptr;
  const Field* upgrade = nullptr;
  bool host_repeated = false;
  bool framing_repeated = false;
  bool connection = false;
};

void Note(const Field& field, const Field*& place, bool& repeated) {
  repeated = repeated || place != nullptr;
  place = &field;
}

void NoteExpect(RequestHead& head, std::string_view value) {
  if (!EqualsIgnoringCase(value, "100-continue")) {
    head.expect_unknown = true;
  } else if (head.version != Version::kHttp10) {  // RFC 9110 section 10.1.1.
    head.expect_continue = true;
  }
}

void NoteTe(RequestHead& head, std::string_view list) {
  std::string_view element;
  while (NextListElement(list, element)) {
    head.accepts_trailers = head.accepts_trailers || EqualsIgnoringCase(element, "trailers");
  }
}

NotedFields NoteFields(RequestHead& head) {
  NotedFields noted;
  for (const Field& field : head.fields) {
    switch (field.known) {
      case FieldName::kHost:
        Note(field, noted.host, noted.host_repeated);
        break;
      case FieldName::kContentLength:
        Note(field, noted.length, noted.framing_repeated);
        break;
      case FieldName::kTransferEncoding:
        Note(field, noted.coding, noted.framing_repeated);
        break;
      case FieldName::kConnection:
        noted.connection = true;
        break;
      case FieldName::kUpgrade:
        noted.upgrade = &field;
        break;
      case FieldName::kExpect:
        NoteExpect(head, field.value);
        break;
      case FieldName::kTe:
        NoteTe(head, field.value);
        break;
      default:
        break;
    }
  }
  return noted;
}

Refusal CheckHost(RequestHead& head, const NotedFields& noted) {
  if (noted.host == nullptr) {
    return head.version == Version::kHttp10 ? Refusal::kNone : Refusal::kMalformed;
  }
  if (noted.host_repeated || !IsValidAuthority(noted.host->value)) {
    return Refusal::kMalformed;
  }
  if (head.authority.empty()) {
    head.authority = noted.host->value;
  }
  return Refusal::kNone;
}

/// A list of codings other than `chunked` or `identity` alone: is it unknown or ambiguous?
Refusal JudgeCodings(std::string_view list) {
  std::size_t chunked = 0;
  bool last_is_chunked = false;
  for (bool more = true; more;) {
    const std::size_t comma = list.find(',');
    const std::string_view element = TrimSpace(list.substr(0, comma));
    const std::size_t name_size = TokenLength(element);
    const std::string_view parameters = TrimSpace(element.substr(name_size));
    last_is_chunked = EqualsIgnoringCase(element.substr(0, name_size), "chunked");
    if (name_size == 0 || (!parameters.empty() && (last_is_chunked || parameters[0] != ';'))) {
      return Refusal::kBadFraming;
    }
    chunked += last_is_chunked ? 1 : 0;
    more = comma != std::string_view::npos;
    list.remove_prefix(more ? comma + 1 : list.size());
  }
  const bool ambiguous = chunked > 1 || (chunked == 1 && !last_is_chunked);
  return ambiguous ? Refusal::kBadFraming : Refusal::kUnsupportedTe;
}

/// RFC 9112 section 6.3, without any of its second chances (data-plane.md 4.3).
Refusal CheckFraming(RequestHead& head, const NotedFields& noted) {
  if (noted.framing_repeated) {
    return Refusal::kBadFraming;
  }
  if (noted.coding != nullptr) {
    if (noted.length != nullptr || head.version == Version::kHttp10) {
      return Refusal::kBadFraming;
    }
    if (EqualsIgnoringCase(noted.coding->value, "chunked")) {
      head.framing = Framing::kChunked;
      return Refusal::kNone;
    }
    return EqualsIgnoringCase(noted.coding->value, "identity") ? Refusal::kNone
                                                               : JudgeCodings(noted.coding->value);
  }
  if (noted.length != nullptr) {
    if (!ParseContentLength(noted.length->value, head.content_length)) {
      return Refusal::kBadFraming;
    }
    head.framing = Framing::kLength;
  }
  return Refusal::kNone;
}

/// True when `websocket` is among the protocols offered (data-plane.md 4.6: others are ignored).
bool OffersWebSocket(const FieldList& fields) {
  for (const Field& field : fields) {
    if (field.known != FieldName::kUpgrade) {
      continue;
    }
    std::string_view list = field.value;
    std::string_view element;
    while (NextListElement(list, element)) {
      if (EqualsIgnoringCase(element, "websocket")) {
        return true;
      }
    }
  }
  return false;
}

void ReadConnectionRules(RequestHead& head, const NotedFields& noted) {
  const ConnectionOptions connection =
      noted.connection ? ReadConnection(head.fields) : ConnectionOptions{};
  head.keep_alive =
      !connection.close && (head.version != Version::kHttp10 || connection.keep_alive);
  if (noted.upgrade == nullptr || !connection.upgrade) {
    return;
  }
  const bool no_body = head.framing == Framing::kNone ||
                       (head.framing == Framing::kLength && head.content_length == 0);
  head.upgrade_websocket = no_body && head.method == Method::kGet &&
                           head.version == Version::kHttp11 && OffersWebSocket(head.fields);
}

}  // namespace

Refusal ReadTargetForm(RequestHead& head, std::string& rewritten) {
  if (head.method == Method::kConnect) {
    return Refusal::kMethodNotAllowed;
  }
  if (head.target == "*") {
    if (head.method != Method::kOptions) {
      return Refusal::kMalformed;
    }
  } else if (head.target.front() != '/') {
    const std::size_t scheme = SchemeLength(head.target);
    if (scheme == 0 || !SplitAbsolute(head, head.target.substr(scheme), rewritten)) {
      return Refusal::kMalformed;
    }
  }
  const std::size_t question = head.target.find('?');
  head.path = head.target.substr(0, question);
  head.query =
      question == std::string_view::npos ? std::string_view{} : head.target.substr(question + 1);
  return head.path.contains("%00") ? Refusal::kMalformed : Refusal::kNone;
}

Refusal ApplyFieldRules(RequestHead& head) {
  const NotedFields noted = NoteFields(head);
  if (const Refusal refusal = CheckHost(head, noted); refusal != Refusal::kNone) {
    return refusal;
  }
  if (const Refusal refusal = CheckFraming(head, noted); refusal != Refusal::kNone) {
    return refusal;
  }
  ReadConnectionRules(head, noted);
  return Refusal::kNone;
}

}  // namespace elb::http::h1
