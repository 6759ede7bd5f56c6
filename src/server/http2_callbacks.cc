#include "server/http2_callbacks.h"

#include <nghttp2/nghttp2.h>

#include "base/assert.h"
#include "server/http2_session.h"

namespace elb::server {
namespace {

/// Encoded bytes and CONTINUATION frames of one header block (data-plane.md 4.1).
constexpr std::size_t kHeaderBlockBytesMax = 128 * 1024;
constexpr std::size_t kContinuationsMax = 16;
constexpr std::uint64_t kUnlimited = 1'000'000'000;

}  // namespace

/// What nghttp2 calls while it reads. Nothing here runs a handler: the session's scratch is in use.
struct Http2Callbacks {
  static Http2Session& Owner(void* user) { return *static_cast<Http2Session*>(user); }

  static Http2Stream* Find(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static std::string_view View(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
  }

  static bool IsRequestHead(const nghttp2_frame* frame) {
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  }

  /// Bounds header blocks as they are received, before they are decoded (CVE-2024-27316).
  static int OnBeginFrame(nghttp2_session* /*session*/, const nghttp2_frame_hd* head, void* user) {
    Http2Session& owner = Owner(user);
    if (head->type == NGHTTP2_HEADERS) {
      owner.head_block_bytes_ = head->length;
    } else if (head->type == NGHTTP2_CONTINUATION) {
      owner.head_block_bytes_ += head->length;
      owner.guard_.OnContentFrame(head->length == 0 &&
                                  (head->flags & NGHTTP2_FLAG_END_HEADERS) == 0);
    }
    if (owner.head_block_bytes_ > kHeaderBlockBytesMax) {
      owner.guard_.Trip();
    }
    return owner.guard_.tripped() ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
  }

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Session& owner = Owner(user);
    const std::int32_t id = frame->hd.stream_id;
    owner.head_since_ = owner.reactor().now();
    owner.head_stream_ = id;
    if (!IsRequestHead(frame)) {
      return 0;
    }
    owner.first_request_ = false;
    owner.guard_.OnStream();
    auto stream = std::make_unique<Http2Stream>(owner, id, owner.reactor());
    nghttp2_session_set_stream_user_data(session, id, stream.get());
    owner.streams_[id].stream = std::move(stream);
    return 0;
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                      std::size_t value_size, std::uint8_t /*flags*/, void* user) {
    Http2Stream* stream = Find(session, frame->hd.stream_id);
    if (stream == nullptr) {
      return 0;
    }
    const http::h1::Limits& limits = Owner(user).policy().limits();
    if (IsRequestHead(frame)) {
      stream->AddField(View(name, name_size), View(value, value_size), limits);
    } else {
      stream->AddTrailer(View(name, name_size), View(value, value_size), limits);
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Session& owner = Owner(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        OnHeadersEnd(session, frame, owner);
        break;
      case NGHTTP2_DATA:
        OnDataFrame(session, frame, owner);
        break;
      case NGHTTP2_RST_STREAM:
        owner.guard_.OnReset(owner.reactor().now());
        break;
      case NGHTTP2_PING:
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PRIORITY:
        owner.guard_.OnIdleFrame(owner.reactor().now());
        break;
      default:
        break;
    }
    return 0;
  }

  static void OnHeadersEnd(nghttp2_session* session, const nghttp2_frame* frame,
                           Http2Session& owner) {
    owner.head_since_ = MonotonicTime::max();
    Http2Stream* stream = Find(session, frame->hd.stream_id);
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    owner.guard_.OnContentFrame(false);
    if (stream == nullptr) {
      return;
    }
    if (!IsRequestHead(frame)) {
      if (end) {
        stream->CompleteBody();
      }
      if (!end || stream->is_malformed()) {
        owner.Reset(*stream, NGHTTP2_PROTOCOL_ERROR);
      }
      return;
    }
    stream->CompleteHead(end ? BodyEnd::kLast : BodyEnd::kMore, owner.policy().limits());
    if (stream->is_malformed()) {
      owner.Reset(*stream, NGHTTP2_PROTOCOL_ERROR);
    } else {
      owner.ready_.push_back(stream->id());
    }
  }

  static void OnDataFrame(nghttp2_session* session, const nghttp2_frame* frame,
                          Http2Session& owner) {
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool empty = frame->hd.length == 0 && !end;
    owner.guard_.OnContentFrame(empty);
    if (empty) {
      owner.guard_.OnIdleFrame(owner.reactor().now());
    }
    Http2Stream* stream = Find(session, frame->hd.stream_id);
    if (end && stream != nullptr && !stream->is_malformed()) {
      stream->CompleteBody();
      if (stream->is_malformed()) {
        owner.Reset(*stream, NGHTTP2_PROTOCOL_ERROR);
      }
    }
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static int OnData(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                    const std::uint8_t* data, std::size_t size, void* user) {
    Http2Stream* stream = Find(session, id);
    const bool was_well = stream != nullptr && !stream->is_malformed();
    if (was_well) {
      stream->CountContent(size);
      if (stream->is_malformed()) {
        Owner(user).Reset(*stream, NGHTTP2_PROTOCOL_ERROR);
      }
    }
    if (was_well && !stream->is_malformed() && !Owner(user).IsServed(id)) {
      stream->AddContent(View(data, size));
    } else {
      // Nobody will take it. The stream's own window closes.
      nghttp2_session_consume_connection(session, size);
    }
    return 0;
  }

  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Session& owner = Owner(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM && IsPeersFault(frame->rst_stream.error_code)) {
      owner.guard_.OnReset(owner.reactor().now());
    }
    const bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      if (Http2Stream* stream = Find(session, frame->hd.stream_id)) {
        owner.OnEndSent(*stream);
      }
    }
    return 0;
  }

  /// Resets that a client can make us send (CVE-2025-8671); handlers use other codes.
  static bool IsPeersFault(std::uint32_t error_code) {
    return error_code != NGHTTP2_NO_ERROR && error_code != NGHTTP2_INTERNAL_ERROR &&
           error_code != NGHTTP2_CANCEL;
  }

  static int OnStreamClose(nghttp2_session* session, std::int32_t id, std::uint32_t /*code*/,
                           void* user) {
    if (Http2Stream* stream = Find(session, id)) {
      nghttp2_session_set_stream_user_data(session, id, nullptr);
      Owner(user).OnStreamClosed(*stream);
    }
    return 0;
  }
};

nghttp2_session* MakeHttp2Session(Http2Session& owner) {
  nghttp2_session_callbacks* callbacks = nullptr;
  ELB_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, &Http2Callbacks::OnBeginFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Http2Callbacks::OnFrameSent);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                          &Http2Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Http2Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Http2Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Http2Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Http2Callbacks::OnStreamClose);
  nghttp2_option* options = nullptr;
  ELB_ASSERT(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_no_http_messaging(options, 1);  // Http2FieldRules judges messages.
  nghttp2_option_set_max_outbound_ack(options, 1000);
  nghttp2_option_set_max_settings(options, 32);
  nghttp2_option_set_max_continuations(options, kContinuationsMax);
  // AbuseGuard judges resets.
  nghttp2_option_set_stream_reset_rate_limit(options, kUnlimited, kUnlimited);
  nghttp2_session* session = nullptr;
  ELB_ASSERT(nghttp2_session_server_new2(&session, callbacks, &owner, options) == 0);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  return session;
}

}  // namespace elb::server
