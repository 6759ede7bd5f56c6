#include "model/listener_extensions.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "model/common_fields.h"

namespace elb::model {
namespace {

const Schema& RequestIdSchema() {
  using T = RequestIdSettings;
  static const Schema schema{
      "request_id",
      {
          Field("mode", &T::mode)
              .Label("Request ID")
              .OneOf({"off", "always", "trusted"})
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("always: clients' own fields are replaced; trusted: kept from trusted peers."),
          Field("header", &T::header)
              .Label("Request ID Header")
              .Range(1, 40)
              .Pattern("[A-Za-z0-9-]+")
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("Header field that carries the ID."),
          Field("format", &T::format)
              .Label("Request ID Format")
              .OneOf({"hex", "uuid"})
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("How the ID is printed."),
          Field("response", &T::response)
              .Label("Request ID in Responses")
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("Whether answers carry the ID too."),
          Field("trusted_ipgroup_id", &T::trusted_ipgroup_id)
              .Label("Trusted Peers")
              .OnNull(Null::kReset)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("IP address group whose IDs are kept in mode trusted; null: all peers."),
      },
      UnknownKeys::kRefuse};
  return schema;
}

const Schema& FrontProxySchema() {
  using T = FrontProxySettings;
  static const Schema schema{
      "front_proxy",
      {
          Field("mode", &T::mode)
              .Label("Front Proxy")
              .OneOf({"off", "proxy_protocol", "x_forwarded_for", "forwarded"})
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("How a proxy in front tells the client's address."),
          Field("trusted_ipgroup_id", &T::trusted_ipgroup_id)
              .Label("Proxies")
              .OnNull(Null::kReset)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("IP address group of the proxies; mandatory unless mode is off."),
          Field("others", &T::others)
              .Label("Other Peers")
              .OneOf({"refuse", "direct"})
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Extension()
              .Doc("Peers outside the group: refused, or served as plain clients."),
      },
      UnknownKeys::kRefuse};
  return schema;
}

/// Field names that have a meaning of their own to the load balancer, or a form that an id breaks.
bool IsReservedHeader(std::string name) {
  static constexpr auto kReserved = std::to_array<std::string_view>({"accept-encoding",
                                                                     "authorization",
                                                                     "connection",
                                                                     "content-encoding",
                                                                     "content-length",
                                                                     "content-type",
                                                                     "cookie",
                                                                     "date",
                                                                     "expect",
                                                                     "forwarded",
                                                                     "host",
                                                                     "http2-settings",
                                                                     "keep-alive",
                                                                     "location",
                                                                     "proxy",
                                                                     "proxy-authorization",
                                                                     "proxy-connection",
                                                                     "server",
                                                                     "set-cookie",
                                                                     "te",
                                                                     "trailer",
                                                                     "transfer-encoding",
                                                                     "upgrade",
                                                                     "x-real-ip",
                                                                     "x-router-code"});
  std::ranges::transform(name, name.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  return name.starts_with("x-forwarded-") ||
         std::ranges::find(kReserved, name) != std::end(kReserved);
}

}  // namespace

const Schema& ListenerExtensionsSchema() {
  using T = ListenerExtensions;
  static const Schema schema{
      "extensions",
      Concat({ExtensionsBase(),
              {
                  Field("request_id", &T::request_id, RequestIdSchema())
                      .Label("Request ID")
                      .OnNull(Null::kReset)
                      .Set(Access::kCreateAndUpdate)
                      .Extension()
                      .Doc("Gives every request an ID that backends and clients see; HTTP and "
                           "HTTPS listeners."),
                  Field("front_proxy", &T::front_proxy, FrontProxySchema())
                      .Label("Front Proxy")
                      .OnNull(Null::kReset)
                      .Set(Access::kCreateAndUpdate)
                      .Extension()
                      .Doc("Takes the client's address from a proxy in front."),
                  Field("max_request_body", &T::max_request_body)
                      .Label("Largest Request Body (bytes)")
                      .Range(0, kRequestBodyMax)
                      .OnNull(Null::kReset)
                      .Set(Access::kCreateAndUpdate)
                      .Extension()
                      .Doc("Requests with a larger body are answered 413; HTTP and HTTPS "
                           "listeners."),
              }}),
      UnknownKeys::kRefuse};
  return schema;
}

Result<void> CheckListenerExtensions(const ListenerExtensions& extensions,
                                     const std::string& protocol) {
  const std::string path = "listener.extensions.";
  const bool l4 = protocol == "TCP" || protocol == "UDP";
  if (l4 && extensions.request_id != RequestIdSettings{}) {
    return Invalid(path + "request_id", "request_id is for HTTP and HTTPS listeners only");
  }
  if (l4 && extensions.max_request_body != kRequestBodyMax) {
    return Invalid(path + "max_request_body",
                   "max_request_body is for HTTP and HTTPS listeners only");
  }
  if (IsReservedHeader(extensions.request_id.header)) {
    return Invalid(path + "request_id.header",
                   extensions.request_id.header + " cannot carry a request ID");
  }
  const FrontProxySettings& front = extensions.front_proxy;
  if (protocol == "UDP" && front != FrontProxySettings{}) {
    return Invalid(path + "front_proxy", "front_proxy is not for UDP listeners");
  }
  if (l4 && (front.mode == "x_forwarded_for" || front.mode == "forwarded")) {
    return Invalid(path + "front_proxy.mode",
                   "header fields tell the client's address on HTTP and HTTPS listeners only");
  }
  if (front.mode != "off" && front.trusted_ipgroup_id.empty()) {
    return Missing(path + "front_proxy.trusted_ipgroup_id",
                   "a front proxy needs the IP address group of its addresses");
  }
  return {};
}

}  // namespace elb::model
