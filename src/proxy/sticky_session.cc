#include "proxy/sticky_session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>

#include "http/cookie.h"
#include "http/h1/fields.h"
#include "proxy/limits.h"

namespace elb::proxy {
namespace {

using balancer::MemberIndex;
using balancer::StickyReason;
using http::FieldName;

/// Values of one cookie in a request, in their order. Views into the request.
class CookieValues {
 public:
  CookieValues(const http::RequestHead& request, std::string_view name) {
    for (const http::Field& field : request.fields) {
      if (field.known == FieldName::kCookie) {
        Collect(field.value, name);
      }
    }
  }
  [[nodiscard]] std::span<const std::string_view> values() const {
    return {values_.data(), count_};
  }

 private:
  void Collect(std::string_view text, std::string_view name) {
    http::CookiePair pair;
    while (count_ < values_.size() && http::NextCookiePair(text, pair)) {
      if (pair.name == name) {
        values_[count_++] = pair.value;
      }
    }
  }

  std::array<std::string_view, kStickyCookiesMax> values_{};
  std::size_t count_ = 0;
};

/// `s-maxage` with a value above zero; quotes are tolerated as caches do.
bool IsPositiveAge(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text.find_first_of("123456789") != std::string_view::npos;
}

bool IsSharingDirective(std::string_view directive) {
  constexpr std::string_view kSharedAge = "s-maxage=";
  if (directive.size() > kSharedAge.size() &&
      http::h1::EqualsIgnoringCase(directive.substr(0, kSharedAge.size()), kSharedAge)) {
    return IsPositiveAge(directive.substr(kSharedAge.size()));
  }
  return http::h1::EqualsIgnoringCase(directive, "public");
}

/// Length of the directive at the front: up to a comma that stands outside quotes.
std::size_t DirectiveLength(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      return i;
    }
  }
  return text.size();
}

bool IsSharedCacheable(std::string_view cache_control) {
  while (!cache_control.empty()) {
    const std::size_t length = DirectiveLength(cache_control);
    if (IsSharingDirective(http::h1::TrimSpace(cache_control.substr(0, length)))) {
      return true;
    }
    cache_control.remove_prefix(std::min(length + 1, cache_control.size()));
  }
  return false;
}

/// The cookie of this name that the field sets.
std::optional<http::SetCookie> CookieSetBy(const http::Field& field, std::string_view name) {
  if (field.known == FieldName::kSetCookie) {
    auto cookie = http::ParseSetCookie(field.value);
    if (cookie && cookie->name == name) {
      return cookie;
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsSharedCacheable(const http::FieldList& fields) {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return field.known == FieldName::kCacheControl && IsSharedCacheable(field.value);
  });
}

void StickySession::Begin(const CompiledPool& pool, const http::RequestHead& request,
                          WorkerContext& worker) {
  pool_ = &pool;
  stickiness_ = pool.stickiness.get();
  request_ = &request;
  worker_ = &worker;
  if (stickiness_ != nullptr) {
    const CookieValues cookies(request, stickiness_->cookie_name());
    decision_ = stickiness_->Decide(
        cookies.values(), *pool.scheduler,
        {.monotonic = worker.reactor->now(), .wall = worker.reactor->wall_now()});
  }
}

std::optional<MemberIndex> StickySession::Choose(const balancer::PickContext& context) {
  std::optional<MemberIndex> member;
  if (decision_.reason == StickyReason::kHashed) {
    member =
        context.tried.empty() ? decision_.member : pool_->scheduler->ByHash(decision_.key, context);
  } else if (context.tried.empty()) {
    member = decision_.member;
  }
  if (!member || !pool_->scheduler->Take(*member)) {
    return std::nullopt;
  }
  pool_->runtime->counters.Add(worker_->index, PoolCounter::kStickyHits);
  return member;
}

void StickySession::OnResponse(const http::ResponseHead& head, MemberIndex member,
                               balancer::ClientTransport transport, http::FieldList& fields) {
  if (stickiness_ == nullptr) {
    return;
  }
  if (rebound(member)) {
    pool_->runtime->counters.Add(worker_->index, PoolCounter::kStickyRebinds);
  }
  if (stickiness_->own_cookie()) {
    WriteOwnCookie(head, member, transport, fields);
  } else {
    LearnFrom(head, member);
  }
}

void StickySession::WriteOwnCookie(const http::ResponseHead& head, MemberIndex member,
                                   balancer::ClientTransport transport, http::FieldList& fields) {
  const std::string_view name = stickiness_->cookie_name();
  std::erase_if(fields,
                [&](const http::Field& field) { return CookieSetBy(field, name).has_value(); });
  const bool good = decision_.reason == StickyReason::kBound && decision_.member == member;
  if ((good && !decision_.renew) || IsSharedCacheable(head.fields)) {
    return;
  }
  set_cookie_ = stickiness_->SetCookieFor(member, worker_->reactor->wall_now(), transport);
  fields.push_back({.name = "Set-Cookie", .value = set_cookie_, .known = FieldName::kSetCookie});
}

void StickySession::LearnFrom(const http::ResponseHead& head, MemberIndex member) {
  const MonotonicTime now = worker_->reactor->now();
  if (rebound(member)) {
    stickiness_->Rebind(decision_, member, now);
  }
  const auto wall_now = std::chrono::floor<std::chrono::seconds>(worker_->reactor->wall_now());
  for (const http::Field& field : head.fields) {
    const auto cookie = CookieSetBy(field, stickiness_->cookie_name());
    if (!cookie) {
      continue;
    }
    const auto lifetime = cookie->Lifetime(wall_now);
    if (lifetime && *lifetime <= std::chrono::seconds{0}) {
      stickiness_->Forget(cookie->value);
      ForgetRequestValues();
    } else if (!cookie->value.empty()) {
      stickiness_->Learn(cookie->value, member, now, lifetime);
    }
  }
}

/// A deletion cookie mostly has no value of its own: it ends the session that the request named.
void StickySession::ForgetRequestValues() {
  const CookieValues cookies(*request_, stickiness_->cookie_name());
  for (const std::string_view value : cookies.values()) {
    stickiness_->Forget(value);
  }
}

}  // namespace elb::proxy
