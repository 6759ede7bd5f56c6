#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/testing/http2_answer.h"

namespace elb::server::testing {

using FieldPairs = std::vector<std::pair<std::string, std::string>>;

/// A client of libnghttp2 over memory. Requests go out as they are given: they may be malformed.
class Http2Client {
 public:
  using Answer = Http2Answer;
  using GoAway = Http2GoAway;

  /// `auto_window` false: windows open by `Consume` alone.
  explicit Http2Client(bool auto_window = true) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Http2Client::OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Http2Client::OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Http2Client::OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Http2Client::OnClose);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, auto_window ? 0 : 1);
    nghttp2_option_set_peer_max_concurrent_streams(options, 1000);
    nghttp2_option_set_max_outbound_ack(options, 1'000'000);
    nghttp2_option_set_max_send_header_block_length(options, 1'000'000);
    nghttp2_session_client_new2(&session_, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  /// A request without content.
  std::int32_t Request(const FieldPairs& fields) { return Submit(fields, nullptr); }
  /// A request whose content comes by `Content`.
  std::int32_t Open(const FieldPairs& fields) {
    nghttp2_data_provider provider{.source = {.ptr = this}, .read_callback = &Http2Client::Read};
    return Submit(fields, &provider);
  }
  void Content(std::int32_t id, std::string_view bytes, bool end) {
    uploads_[id].bytes += bytes;
    uploads_[id].end = end;
    nghttp2_session_resume_data(session_, id);
  }
  /// Ends the content of `id` with trailers.
  void Trailers(std::int32_t id, const FieldPairs& fields) {
    uploads_[id].trailers = fields;
    Content(id, {}, true);
  }
  void Reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
  }
  void Ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
  void Settings(std::int32_t id, std::uint32_t value) {
    const nghttp2_settings_entry entry{id, value};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  /// Opens the window of the connection.
  void OpenWindow(std::int32_t size) {
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, size);
  }
  void Consume(std::int32_t id, std::size_t bytes) { nghttp2_session_consume(session_, id, bytes); }

  [[nodiscard]] std::string Output() {
    std::string text;
    const std::uint8_t* data = nullptr;
    while (true) {
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0) {
        return text;
      }
      text.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
  }
  void Feed(std::string_view bytes) {
    error = nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                     bytes.size());
  }

  Answer& operator[](std::int32_t id) { return answers_[id]; }
  /// What the server would still take of a stream's content / of all.
  [[nodiscard]] std::int32_t StreamWindow(std::int32_t id) const {
    return nghttp2_session_get_stream_remote_window_size(session_, id);
  }
  [[nodiscard]] std::int32_t ConnectionWindow() const {
    return nghttp2_session_get_remote_window_size(session_);
  }
  [[nodiscard]] std::uint32_t RemoteSetting(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(session_, id);
  }
  [[nodiscard]] std::size_t uploaded(std::int32_t id) { return uploads_[id].sent; }

  std::vector<GoAway> goaways;
  std::vector<std::int32_t> settings_ids;  ///< Of the first SETTINGS frame.
  ssize_t error = 0;

 private:
  struct Upload {
    std::string bytes;
    FieldPairs trailers;
    std::size_t sent = 0;
    bool end = false;
  };

  static std::vector<nghttp2_nv> Pack(const FieldPairs& fields) {
    std::vector<nghttp2_nv> packed;
    for (const auto& [name, value] : fields) {
      packed.push_back({.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                        .namelen = name.size(),
                        .valuelen = value.size(),
                        .flags = NGHTTP2_NV_FLAG_NONE});
    }
    return packed;
  }
  std::int32_t Submit(const FieldPairs& fields, const nghttp2_data_provider* provider) {
    const std::vector<nghttp2_nv> packed = Pack(fields);
    return nghttp2_submit_request(session_, nullptr, packed.data(), packed.size(), provider,
                                  nullptr);
  }
  static ssize_t Read(nghttp2_session* session, std::int32_t id, std::uint8_t* into,
                      std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                      void* /*user*/) {
    Upload& upload = static_cast<Http2Client*>(source->ptr)->uploads_[id];
    const std::size_t count = std::min(size, upload.bytes.size());
    if (count == 0 && !upload.end) {
      return NGHTTP2_ERR_DEFERRED;
    }
    upload.bytes.copy(reinterpret_cast<char*>(into), count);
    upload.bytes.erase(0, count);
    upload.sent += count;
    if (upload.end && upload.bytes.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!upload.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const std::vector<nghttp2_nv> packed = Pack(upload.trailers);
        nghttp2_submit_trailer(session, id, packed.data(), packed.size());
      }
    }
    return static_cast<ssize_t>(count);
  }
  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                      std::size_t value_size, std::uint8_t /*flags*/, void* user) {
    std::string& head = static_cast<Http2Client*>(user)->answers_[frame->hd.stream_id].head;
    head.append(reinterpret_cast<const char*>(name), name_size).append(": ");
    head.append(reinterpret_cast<const char*>(value), value_size).append("\n");
    return 0;
  }
  static int OnData(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t id,
                    const std::uint8_t* data, std::size_t size, void* user) {
    static_cast<Http2Client*>(user)->answers_[id].content.append(
        reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    auto& self = *static_cast<Http2Client*>(user);
    Answer& answer = self.answers_[frame->hd.stream_id];
    const bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    answer.ended |= carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      answer.resets.push_back(frame->rst_stream.error_code);
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      self.goaways.push_back(
          {.last_id = frame->goaway.last_stream_id, .code = frame->goaway.error_code});
    } else if (frame->hd.type == NGHTTP2_SETTINGS && self.settings_ids.empty()) {
      for (std::size_t i = 0; i < frame->settings.niv; ++i) {
        self.settings_ids.push_back(frame->settings.iv[i].settings_id);
      }
    }
    return 0;
  }
  static int OnClose(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t code,
                     void* user) {
    static_cast<Http2Client*>(user)->answers_[id].closed = code;
    return 0;
  }

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Answer> answers_;
  std::map<std::int32_t, Upload> uploads_;
};

}  // namespace elb::server::testing
