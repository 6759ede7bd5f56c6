#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contract/config_snapshot.h"
#include "http/message.h"

namespace elb::proxy {

/// What a redirect starts from.
struct RedirectRequest {
  const http::RequestHead* head = nullptr;
  const contract::ListenerConfig* listener = nullptr;
  IpAddress local;   ///< Where the client connected to: the VIP.
  bool tls = false;  ///< The client's connection.
};

/// Whether a Location could be made.
enum class LocationMade : std::uint8_t { kYes, kTooLong };

/// Appends the Location of REDIRECT_TO_LISTENER (data-plane.md 10.5):
/// `https://<host>[:<port>]<target as received>`. A request without Host is for the load balancer's
/// address: EIP, else VIP.
[[nodiscard]] LocationMade AppendListenerLocation(const RedirectRequest& request,
                                                  std::uint16_t port, std::string& location);

/// Target of REDIRECT_TO_URL, split into text and variables once (data-plane.md 10.6). Immutable,
/// thread-safe.
class UrlTemplate {
 public:
  UrlTemplate() = default;
  /// Empty protocol, host, port and path are those of the request; an empty query is none.
  explicit UrlTemplate(const contract::L7PolicyConfig& policy);

  [[nodiscard]] LocationMade AppendLocation(const RedirectRequest& request,
                                            std::string& location) const;

 private:
  enum class Variable : std::uint8_t { kNone, kProtocol, kHost, kPort, kPath, kQuery };
  /// Text, then perhaps a variable.
  struct Piece {
    std::string text;
    Variable variable = Variable::kNone;
  };
  using Part = std::vector<Piece>;
  struct Values;

  [[nodiscard]] static Part Split(std::string_view text, std::string_view otherwise);
  static void Append(const Part& part, const Values& values, std::string& location);
  void AppendPath(const Values& values, std::string& location) const;
  void AppendQuery(const Values& values, std::string& location) const;

  Part protocol_;
  Part host_;
  Part port_;
  Part path_;
  Part query_;
};

}  // namespace elb::proxy
