#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace elb::http::h1 {

/// Appends text to a fixed span the caller owns (per-thread scratch). Running over the end is
/// remembered, never written: check `overflowed()` once at the end.
class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> space) : space_(space) {}

  void Append(std::string_view text);
  void AppendDecimal(std::uint64_t value);
  /// `name: value\r\n`
  void AppendField(std::string_view name, std::string_view value);
  void AppendField(std::string_view name, std::uint64_t value);
  /// `HTTP/1.1 <status> <reason>\r\n`; an empty reason becomes the standard phrase.
  void AppendStatusLine(int status, std::string_view reason);
  /// `<method> <target> HTTP/1.1\r\n`
  void AppendRequestLine(std::string_view method, std::string_view target);
  void End() { Append("\r\n"); }

  [[nodiscard]] std::string_view text() const { return {space_.data(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }

 private:
  std::span<char> space_;
  std::size_t size_ = 0;
  bool overflowed_ = false;
};

/// Reason phrase of the IANA registry of status codes, empty for unknown codes.
[[nodiscard]] std::string_view ReasonPhrase(int status);

/// Writes a chunk-size line for `bytes` (> 0) into `space` (>= 18 bytes); returns what was written.
[[nodiscard]] std::string_view ChunkHeader(std::uint64_t bytes, std::span<char> space);

/// The end of a chunk and the end of a chunked body without trailers.
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace elb::http::h1
