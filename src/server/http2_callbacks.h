#pragma once

struct nghttp2_session;

namespace elb::server {

class Http2Session;

/// A server session whose events go to `owner`. The caller owns it.
[[nodiscard]] nghttp2_session* MakeHttp2Session(Http2Session& owner);

}  // namespace elb::server
