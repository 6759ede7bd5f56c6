#pragma once

#include "base/ip.h"
#include "contract/config_snapshot.h"
#include "http/message.h"
#include "proxy/access.h"

namespace elb::proxy {

/// Whom a request comes from by the word of the proxies in front (api-extensions.md 10.3): the last
/// address, from the right, of its X-Forwarded-For fields or of the `for` parameters of its
/// Forwarded fields (RFC 7239), as `mode` says, that is not in `proxies`.
///
/// `peer` is one of the proxies. Fields are read from their end, where the nearest proxy wrote, and
/// no further than to the client, so that nothing a client sends ahead of it counts. An element
/// that is no address (`unknown`, an obfuscated identifier, malformed) ends the search at the proxy
/// that wrote it; when all are proxies the outermost one is the client. The port is 0 when it is
/// not told. Pure.
[[nodiscard]] Endpoint ForwardedClient(const http::RequestHead& request,
                                       contract::FrontProxyMode mode, const AddressSet& proxies,
                                       const Endpoint& peer);

}  // namespace elb::proxy
