// What a session hands to nghttp2 for its streams.

#include <nghttp2/nghttp2.h>
#include <algorithm>

#include "server/date_cache.h"
#include "server/http2_fields.h"
#include "server/http2_session.h"

namespace elb::server {
namespace {

/// Content of a response, pulled by nghttp2 as flow control allows.
// NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
ssize_t ReadContent(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t size,
                    std::uint32_t* flags, nghttp2_data_source* /*source*/, void* user) {
  auto* stream = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  if (stream == nullptr) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  if (stream->is_cut()) {
    static_cast<Http2Session*>(user)->Reset(*stream, stream->cut_code());
    return NGHTTP2_ERR_DEFERRED;
  }
  if (!stream->has_output()) {
    return NGHTTP2_ERR_DEFERRED;
  }
  bool end = false;
  const std::size_t count = stream->TakeOutput({reinterpret_cast<char*>(into), size}, end);
  if (end) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream->response_trailers().empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      static_cast<Http2Session*>(user)->SubmitTrailers(*stream);
    }
  }
  return static_cast<ssize_t>(count);
}

}  // namespace

void Http2Session::SubmitInformational(const Http2Stream& stream, int status,
                                       std::span<const http::Field> fields) {
  FieldBlock block(fields.size());
  const NumberText text(static_cast<std::uint64_t>(status));
  block.Add(":status", text.view());
  for (const http::Field& field : fields) {
    block.Add(field.name, field.value);
  }
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), nullptr, block.data(),
                         block.size(), nullptr);
  signal_->Notify();
}

void Http2Session::SubmitHead(Http2Stream& stream, const ResponseOut& head, bool has_content) {
  FieldBlock block(head.fields.size());
  const NumberText status(static_cast<std::uint64_t>(head.status));
  block.Add(":status", status.view());
  bool has_date = false;
  for (const http::Field& field : head.fields) {
    has_date = has_date || field.known == http::FieldName::kDate;
    block.Add(field.name, field.value);
  }
  if (!has_date) {
    block.Add("date", DateText(signal_->reactor().wall_now()));
  }
  const NumberText length(head.content_length.value_or(0));
  if (head.content_length && head.status != 204) {
    block.Add("content-length", length.view());
  }
  nghttp2_data_provider provider{.source = {.ptr = nullptr}, .read_callback = &ReadContent};
  nghttp2_submit_response(session_.get(), stream.id(), block.data(), block.size(),
                          has_content ? &provider : nullptr);
  signal_->Notify();
}

void Http2Session::SubmitTrailers(const Http2Stream& stream) {
  FieldBlock block(stream.response_trailers().size());
  for (const auto& [name, value] : stream.response_trailers()) {
    block.Add(name, value);
  }
  nghttp2_submit_trailer(session_.get(), stream.id(), block.data(), block.size());
}

std::size_t Http2Session::WindowOf(const Http2Stream& stream) const {
  const std::int32_t window =
      std::min(nghttp2_session_get_stream_remote_window_size(session_.get(), stream.id()),
               nghttp2_session_get_remote_window_size(session_.get()));
  return static_cast<std::size_t>(std::max(window, 0));
}

void Http2Session::ResumeContent(const Http2Stream& stream) {
  nghttp2_session_resume_data(session_.get(), stream.id());
  signal_->Notify();
}

void Http2Session::Reset(const Http2Stream& stream, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), error_code);
  signal_->Notify();
}

void Http2Session::Consume(const Http2Stream& stream, std::size_t bytes) {
  nghttp2_session_consume(session_.get(), stream.id(), bytes);
  signal_->Notify();
}

}  // namespace elb::server
