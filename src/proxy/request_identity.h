#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/ip.h"
#include "http/message.h"
#include "proxy/generation.h"
#include "proxy/request_id.h"

namespace elb::proxy {

/// Under which id one request is known to the log, to members and to its client
/// (api-extensions.md 10.2). Lives as long as its exchange.
class RequestIdentity {
 public:
  /// What the listener's settings make of `id` and of the client's own field, if `peer` is trusted
  /// with one. `request` outlives this.
  void Begin(const CompiledListener& listener, const http::RequestHead& request,
             const IpAddress& peer, const RequestId& id);

  /// Ours, as the listener prints it; empty before `Begin`.
  [[nodiscard]] std::string_view own() const { return {text_.data(), size_}; }
  /// The client's, when it was kept; else empty.
  [[nodiscard]] std::string_view external() const { return external_; }
  /// What the listener's header carries.
  [[nodiscard]] std::string_view value() const { return external_.empty() ? own() : external_; }

 private:
  std::array<char, RequestId::kTextMax> text_{};
  std::size_t size_ = 0;
  std::string_view external_;
};

/// True for `header` in any case and with `_` for `-`, which backends may fold together.
[[nodiscard]] bool IsSpellingOf(std::string_view name, std::string_view header);

/// Gives a response exactly one field `header`. Both are views: they outlive `fields`' use.
void SetField(http::FieldList& fields, std::string_view header, std::string_view value);

}  // namespace elb::proxy
