#pragma once

#include <cstdint>
#include <string>

#include "model/schema.h"

namespace elb::model {

/// `extensions.request_id` (api-extensions.md 10.2).
struct RequestIdSettings {
  std::string mode = "off";
  std::string header = "X-Request-Id";
  std::string format = "hex";
  bool response = true;
  std::string trusted_ipgroup_id;  ///< Empty: every peer.
  friend bool operator==(const RequestIdSettings&, const RequestIdSettings&) = default;
};

/// `extensions.front_proxy` (api-extensions.md 10.3).
struct FrontProxySettings {
  std::string mode = "off";
  std::string trusted_ipgroup_id;
  std::string others = "refuse";
  friend bool operator==(const FrontProxySettings&, const FrontProxySettings&) = default;
};

inline constexpr std::int64_t kRequestBodyMax = 10'737'418'240;

/// What listeners have beyond the vendor's API.
struct ListenerExtensions {
  RequestIdSettings request_id;
  FrontProxySettings front_proxy;
  std::int64_t max_request_body = kRequestBodyMax;  ///< Bytes.
  friend bool operator==(const ListenerExtensions&, const ListenerExtensions&) = default;
};

[[nodiscard]] const Schema& ListenerExtensionsSchema();

/// Layer 4 listeners have the defaults only; PROXY protocol also goes with TCP; a front proxy
/// needs the group of its addresses; ids go into no field of another meaning. Errors: kInvalid,
/// kMissing.
[[nodiscard]] Result<void> CheckListenerExtensions(const ListenerExtensions& extensions,
                                                   const std::string& protocol);

}  // namespace elb::model
