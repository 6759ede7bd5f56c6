/// The header of the PROXY protocol, as a proxy's peer sends it.

#include "proxy/proxy_header.h"

#include <string>

#include "check.h"
#include "cuts.h"
#include "proxy/limits.h"

namespace elb::fuzz {
namespace {

using proxy::ParseProxyHeader;
using proxy::ProxyHeader;
using Status = ProxyHeader::Status;

bool Same(const ProxyHeader& one, const ProxyHeader& other) {
  return one.status == other.status && one.bytes == other.bytes && one.client == other.client;
}

/// `client` as a proxy would say it in version 1.
std::string Written(const Endpoint& client) {
  const bool v4 = client.address.family() == IpFamily::kV4;
  const std::string address = client.address.ToString();
  const std::string port = std::to_string(client.port);
  return std::string("PROXY ") + (v4 ? "TCP4 " : "TCP6 ") + address + " " + address + " " + port +
         " " + port + "\r\n";
}

void Reads(std::string_view bytes) {
  const ProxyHeader whole = ParseProxyHeader(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Tight part(bytes.substr(0, size));
    const ProxyHeader header = ParseProxyHeader(part.view());
    if (header.status != Status::kNeedMore) {
      Require(Same(header, whole), "once it is decided more bytes change nothing");
      break;
    }
    Require(whole.status != Status::kDone || size < whole.bytes, "a whole header is seen as one");
  }
  if (whole.status != Status::kDone) {
    return;
  }
  Require(whole.bytes <= bytes.size() && whole.bytes <= proxy::kProxyHeaderBytesMax,
          "a header has its limit");
  if (whole.client) {
    const std::string written = Written(*whole.client);
    const ProxyHeader again = ParseProxyHeader(written);
    Require(again.status == Status::kDone && again.client == whole.client,
            "a client survives being written", written);
  }
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  elb::fuzz::Reads(elb::fuzz::Text(data, size));
  return 0;
}
