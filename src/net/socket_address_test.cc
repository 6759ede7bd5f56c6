#include "net/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace elb::net {
namespace {

Endpoint At(std::string_view address, std::uint16_t port) {
  return {.address = *IpAddress::Parse(address), .port = port};
}

TEST(SocketAddressTest, WritesIpv4InNetworkOrder) {
  sockaddr_storage storage{};

  EXPECT_EQ(ToSocketAddress(At("192.0.2.1", 8080), storage), sizeof(sockaddr_in));

  sockaddr_in address{};
  std::memcpy(&address, &storage, sizeof(address));
  EXPECT_EQ(address.sin_family, AF_INET);
  EXPECT_EQ(ntohs(address.sin_port), 8080);
  EXPECT_EQ(ntohl(address.sin_addr.s_addr), 0xc0000201U);
}

TEST(SocketAddressTest, WritesIpv6) {
  sockaddr_storage storage{};

  EXPECT_EQ(ToSocketAddress(At("2001:db8::1", 443), storage), sizeof(sockaddr_in6));

  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof(address));
  EXPECT_EQ(address.sin6_family, AF_INET6);
  EXPECT_EQ(address.sin6_addr.s6_addr[0], 0x20);
  EXPECT_EQ(address.sin6_addr.s6_addr[15], 1);
}

TEST(SocketAddressTest, ReadsBackWhatItWrote) {
  for (const Endpoint& endpoint : {At("127.0.0.1", 1), At("255.255.255.255", 65535), At("::1", 80),
                                   At("2001:db8:1:2:3:4:5:6", 0)}) {
    sockaddr_storage storage{};
    static_cast<void>(ToSocketAddress(endpoint, storage));

    EXPECT_EQ(FromSocketAddress(storage), endpoint) << endpoint.ToString();
  }
}

TEST(SocketAddressTest, ReadsAMappedAddressAsIpv4) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(80);
  inet_pton(AF_INET6, "::ffff:192.0.2.7", &address.sin6_addr);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof(address));

  EXPECT_EQ(FromSocketAddress(storage), At("192.0.2.7", 80));
}

TEST(FaultOfErrnoTest, TellsKindsApartAndKeepsTheNumber) {
  for (const auto& [error, code] :
       {std::pair(ECONNREFUSED, FaultCode::kRefused), std::pair(ECONNRESET, FaultCode::kReset),
        std::pair(EPIPE, FaultCode::kReset), std::pair(ECONNABORTED, FaultCode::kReset),
        std::pair(ETIMEDOUT, FaultCode::kTimeout), std::pair(EHOSTUNREACH, FaultCode::kUnreachable),
        std::pair(EADDRNOTAVAIL, FaultCode::kUnreachable),
        std::pair(EMFILE, FaultCode::kUnreachable), std::pair(EAGAIN, FaultCode::kUnreachable),
        std::pair(EADDRINUSE, FaultCode::kIo), std::pair(EINVAL, FaultCode::kIo)}) {
    const Fault fault = FaultOfErrno(error);

    EXPECT_EQ(fault.code, code) << error;
    EXPECT_EQ(fault.detail, error);
    EXPECT_EQ(fault.side, FaultSide::kInternal);
  }
}

}  // namespace
}  // namespace elb::net
