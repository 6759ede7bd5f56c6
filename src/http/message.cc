#include "http/message.h"

#include <array>
#include <utility>

namespace elb::http {

Method MethodOf(std::string_view text) {
  using Entry = std::pair<std::string_view, Method>;
  static constexpr std::array kMethods = {
      Entry{"GET", Method::kGet},         Entry{"POST", Method::kPost},
      Entry{"HEAD", Method::kHead},       Entry{"PUT", Method::kPut},
      Entry{"DELETE", Method::kDelete},   Entry{"OPTIONS", Method::kOptions},
      Entry{"PATCH", Method::kPatch},     Entry{"TRACE", Method::kTrace},
      Entry{"CONNECT", Method::kConnect},
  };
  for (const auto& [name, method] : kMethods) {
    if (name == text) {
      return method;
    }
  }
  return Method::kOther;
}

}  // namespace elb::http
