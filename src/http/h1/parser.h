#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace elb::http::h1 {

/// Bounds the codec enforces (data-plane.md 4.1); the owner passes `proxy/limits.h` values.
struct Limits {
  std::size_t target_bytes_max = 16 * 1024;
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t fields_max = 256;
  std::size_t method_bytes_max = 32;
  std::size_t chunk_extension_bytes_max = 16 * 1024;  ///< Per body.
  std::size_t trailer_bytes_max = 16 * 1024;
  std::uint64_t request_body_bytes_max = 10'737'418'240;
};

/// Why a message was refused. Maps one to one to a status and an `error_reason` of
/// data-plane.md 12.
enum class Refusal : std::uint8_t {
  kNone,
  kMalformed,           ///< 400 malformed_request
  kBadFraming,          ///< 400 bad_framing
  kHeaderTooLarge,      ///< 400 header_too_large
  kUriTooLong,          ///< 414 uri_too_long
  kMethodNotAllowed,    ///< 405 method_not_allowed (TRACE: kept; CONNECT: closed)
  kUnsupportedTe,       ///< 501 unsupported_te
  kUnsupportedVersion,  ///< 505 unsupported_version
};

enum class ParseStatus : std::uint8_t { kNeedMore, kDone, kRefused };

/// Where the first line of a head starts that was not complete when it was last looked at. While
/// that line does not end, only it is read again; a line end means that the head is read anew,
/// because the buffer may have moved.
struct OpenLine {
  std::size_t scanned = 0;  ///< Bytes looked at.
  std::size_t head = 0;     ///< Where the head starts: behind empty lines.
  std::size_t start = 0;
  std::size_t fields = 0;  ///< Complete field lines before it.
  bool is_field = false;   ///< It belongs to the fields, not to the first line.
};

/// Incremental strict parser of one request head (RFC 9112, data-plane.md 4.2 and 4.3). Pure.
///
/// The caller keeps one contiguous buffer with everything received since the end of the previous
/// message and calls `Parse` each time it has grown; the parser remembers how far it looked. The
/// buffer may move between calls, not after kDone while `head` is in use. However the bytes were
/// cut, the result is the same, and a refusal comes with the first byte that makes it certain,
/// except for rules over several fields (Host, framing) and methods that are not allowed, which are
/// looked at once the head is complete. A refusal is final until `Reset`.
class RequestParser {
 public:
  explicit RequestParser(const Limits& limits) : limits_(&limits) {}

  /// kDone: `head` is complete, `consumed()` bytes of the buffer belong to it (leading empty lines
  /// included). kRefused: `refusal()` says why; nothing behind may be read; `head.fields` are whole
  /// if `head.head_bytes` is not 0. Else `head` is of no use and may be another at the next call.
  [[nodiscard]] ParseStatus Parse(std::string_view buffer, RequestHead& head);

  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  /// Forgets everything; for the next message.
  void Reset();

 private:
  const Limits* limits_;
  OpenLine open_;
  std::size_t consumed_ = 0;
  Refusal refusal_ = Refusal::kNone;
  std::string rewritten_target_;  ///< `http://host?query` has no view in origin-form.
};

/// Incremental strict parser of one response head (data-plane.md 4.8).
class ResponseParser {
 public:
  explicit ResponseParser(const Limits& limits) : limits_(&limits) {}

  /// `request` decides about the body: none for HEAD. kRefused: answer 502. `head` as in
  /// RequestParser.
  [[nodiscard]] ParseStatus Parse(std::string_view buffer, Method request, ResponseHead& head);

  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  void Reset();

 private:
  const Limits* limits_;
  OpenLine open_;
  std::size_t consumed_ = 0;
  Refusal refusal_ = Refusal::kNone;
};

}  // namespace elb::http::h1
