#include "proxy/upstream_name.h"

#include "base/ip.h"

namespace elb::proxy {

std::string_view BackendServerName(const http::RequestHead& request) {
  const std::string_view host = request.authority.substr(0, request.authority.find(':'));
  if (host.empty() || host.front() == '[' || IpAddress::Parse(host)) {
    return {};
  }
  return host;
}

AttemptFailure FailureOfConnect(const Fault& fault) {
  switch (fault.code) {
    case FaultCode::kRefused:
    case FaultCode::kReset:
    case FaultCode::kClosed:
      return AttemptFailure::kConnectRefused;
    case FaultCode::kTimeout:
      return AttemptFailure::kConnectTimeout;
    case FaultCode::kTls:
    case FaultCode::kProtocol:
      return AttemptFailure::kTls;
    default:
      return AttemptFailure::kConnectUnreachable;
  }
}

}  // namespace elb::proxy
