#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "http/field_name.h"

namespace elb::http {

enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kOptions,
  kPatch,
  kTrace,
  kConnect,
  kOther
};

/// Methods are case-sensitive (RFC 9110 section 9.1): `get` is kOther.
[[nodiscard]] Method MethodOf(std::string_view text);

/// Idempotent for retries (data-plane.md 5.6): GET HEAD OPTIONS PUT DELETE. Anything else,
/// unknown methods included, may have been executed once it was sent.
[[nodiscard]] constexpr bool IsIdempotent(Method method) {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions ||
         method == Method::kPut || method == Method::kDelete;
}

/// HTTP version of a message as it was received.
enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };

/// One field line. `name` and `value` view into the buffer that holds the head; `value` has no
/// surrounding white space. `known` is the interned name, so that the proxy compares integers.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldName known = FieldName::kOther;
};

/// Field lines in the order received. Cleared and reused: capacity stays.
using FieldList = std::vector<Field>;

/// How a message's body is delimited.
enum class Framing : std::uint8_t {
  kNone,      ///< No body.
  kLength,    ///< Content-Length bytes (may be 0).
  kChunked,   ///< HTTP/1.1 chunked coding.
  kUntilEnd,  ///< Until the stream ends: HTTP/2 without length, HTTP/1 responses until close.
};

/// A complete, validated request head. All views point into the buffer it was parsed from and live
/// as long as that buffer is neither moved nor released.
struct RequestHead {
  Method method = Method::kGet;
  std::string_view method_text;  ///< As received, case kept.
  /// Origin-form (absolute-form: its path and query), or `*`; the authority of an HTTP/2 CONNECT.
  std::string_view target;
  std::string_view path;   ///< Target up to `?`, raw.
  std::string_view query;  ///< Behind `?`, raw; empty if none.
  /// Authority the request is for: that of an absolute-form target, else Host, else `:authority`.
  /// With port if given. Empty only for HTTP/1.0 without Host.
  std::string_view authority;
  Version version = Version::kHttp11;
  FieldList fields;  ///< Every field line, framing and hop-by-hop ones included.
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  ///< With Framing::kLength.
  std::size_t head_bytes = 0;        ///< Bytes of request line and fields as received.
  bool keep_alive = true;            ///< What the version and Connection say.
  bool expect_continue = false;      ///< `Expect: 100-continue`.
  bool expect_unknown = false;       ///< Some other expectation: 417.
  bool accepts_trailers = false;     ///< `TE: trailers`.
  bool upgrade_websocket = false;    ///< Acceptable WebSocket upgrade (data-plane.md 4.6).

  void Clear() {
    FieldList kept = std::move(fields);
    kept.clear();
    *this = RequestHead{};
    fields = std::move(kept);
  }
};

/// A complete, validated response head; lifetime as RequestHead.
struct ResponseHead {
  int status = 0;
  std::string_view reason;
  Version version = Version::kHttp11;
  FieldList fields;
  Framing framing = Framing::kNone;  ///< Takes HEAD, 1xx, 204 and 304 into account.
  std::uint64_t content_length = 0;
  std::size_t head_bytes = 0;
  bool keep_alive = true;

  void Clear() {
    FieldList kept = std::move(fields);
    kept.clear();
    *this = ResponseHead{};
    fields = std::move(kept);
  }
};

}  // namespace elb::http
