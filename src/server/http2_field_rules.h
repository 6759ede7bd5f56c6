#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace elb::server {

/// What makes the fields of one HTTP/2 request malformed (RFC 9113 section 8, data-plane.md 4.4).
/// nghttp2 could judge them too, but resets streams that data-plane.md wants answered. Pure.
class Http2FieldRules {
 public:
  /// The next field of the header block. False: the request is malformed.
  [[nodiscard]] bool TakeField(std::string_view name, std::string_view value);
  /// A field behind the content. False: the request is malformed.
  [[nodiscard]] static bool TakeTrailer(std::string_view name, std::string_view value);
  /// Whether the pseudo-header fields are those that the method needs. The authority is not looked
  /// at, except that of CONNECT.
  [[nodiscard]] bool HasWholeHead() const;
  /// What content-length says.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const { return content_length_; }

 private:
  [[nodiscard]] bool TakePseudoField(std::string_view name, std::string_view value);

  bool regular_ = false;  ///< A regular field was seen: no pseudo-header field may follow.
  bool method_ = false;
  bool scheme_ = false;
  bool path_ = false;
  bool authority_ = false;
  bool host_ = false;
  bool connect_ = false;
  bool options_ = false;
  bool rooted_path_ = false;
  bool asterisk_path_ = false;
  std::optional<std::uint64_t> content_length_;
};

}  // namespace elb::server
